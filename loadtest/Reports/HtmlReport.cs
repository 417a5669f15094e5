using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using WarpProxy.LoadTest.Compare;

namespace WarpProxy.LoadTest.Reports;

/// <summary>
/// A comparison as one page that needs nothing from elsewhere. It is built as XML elements, so that all text is escaped, and is HTML and XML at once:
/// elements that HTML closes with a tag of their own get one.
/// </summary>
internal static class HtmlReport
{
    public static string Write(ComparisonResult result)
    {
        string[] servers = [.. result.Servers.Select(static server => server.Name)];
        var chart = new Chart(server => Math.Max(0, Array.IndexOf(servers, server)) % ReportStyle.ColourCount);
        string title = $"{result.Title}, {result.Started.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC";
        var page = new XElement(
            "html",
            new XAttribute("lang", "en"),
            new XElement(
                "head",
                new XElement("meta", new XAttribute("charset", "utf-8")),
                new XElement("meta", new XAttribute("name", "viewport"), new XAttribute("content", "width=device-width, initial-scale=1")),
                new XElement("title", title),
                new XElement("link", new XAttribute("rel", "icon"), new XAttribute("href", "data:,")),
                new XElement("style", ReportStyle.Css)),
            new XElement(
                "body",
                new XElement(
                    "main",
                    new XElement("h1", result.Title),
                    new XElement("p", new XAttribute("class", "soft"), Origin(result)),
                    Paragraphs("warning", WarningsOf(result)),
                    Keys(chart, servers),
                    result.Rows.GroupBy(static row => row.Load).Select(load => Section(result, chart, load.Key, [.. load])),
                    new XElement("h2", "How it was measured"),
                    new XElement("ul", result.Conditions.Select(static condition => new XElement("li", condition))),
                    result.Servers.Select(Configuration))));
        foreach (XText text in page.DescendantNodes().OfType<XText>())
        {
            text.Value = WithoutForbidden(text.Value);
        }

        return "<!DOCTYPE html>\n" + page.ToString(SaveOptions.DisableFormatting) + "\n";
    }

    /// <summary>XML has no way to write most control characters, which the words of a server may hold.</summary>
    private static string WithoutForbidden(string text) => string.Concat(text.EnumerateRunes().Select(static rune =>
        !rune.IsBmp || XmlConvert.IsXmlChar((char)rune.Value) ? rune : Rune.ReplacementChar));

    private static string Origin(ComparisonResult result) =>
        $"{result.Started.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC. {result.Machine.Processor}, {result.Machine.Kernel}, "
        + $"{result.Machine.System}, {result.Machine.Runtime}, {result.Machine.OpenSsl}.";

    private static IEnumerable<string> WarningsOf(ComparisonResult result) =>
    [
        .. result.Rows.Count == 0 ? (string[])["Nothing was measured."] : [],
        .. result.LeftOut.Select(static server => $"Left out: {server.Name}: {server.Reason}"),
        .. result.Warnings,
    ];

    private static IEnumerable<XElement> Paragraphs(string style, IEnumerable<string> sentences) =>
        sentences.Select(sentence => new XElement("p", new XAttribute("class", style), sentence));

    private static XElement Keys(Chart chart, IEnumerable<string> servers) =>
        new("p", servers.Select(server => new XElement("span", new XAttribute("class", "key"), chart.Key(server), server)));

    private static XElement Section(ComparisonResult result, Chart chart, LoadCase load, ComparisonRow[] rows)
    {
        (string[] head, string[][] cells) = ComparisonTable.Of(result, rows);
        return new XElement(
            "section",
            new XElement("h2", load.ToString()),
            new XElement(
                "div",
                new XAttribute("class", "scroll"),
                new XElement(
                    "table",
                    new XElement("thead", new XElement("tr", head.Select(static cell => new XElement("th", cell)))),
                    new XElement("tbody", cells.Select(static row => new XElement("tr", row.Select(static cell => new XElement("td", cell))))))),
            rows.Where(static row => row.Activity?.Batches.Count > 0).Select(static row =>
                new XElement("p", $"Operations by how many the device computed together, {row.Server}: {ComparisonTable.Batches(row.Activity!)}.")),
            Paragraphs("warning", rows.SelectMany(static row => row.Warnings.Select(warning => $"{row.Server}: {warning}"))),
            new XElement(
                "div",
                new XAttribute("class", "charts"),
                Figure(result.IsRequesting ? "Milliseconds to the end of the response, by percentile" : "Milliseconds of a handshake, by percentile", chart.Latency(rows)),
                Figure("Handshakes per second, round after round", chart.Throughput(rows)),
                Figure("CPU microseconds per handshake, lowest to highest round", chart.Cpu(rows))));
    }

    private static XElement Figure(string title, XElement svg) => new("figure", new XElement("h3", title), svg);

    private static XElement Configuration(ComparedServer server) => new(
        "details",
        new XElement("summary", $"{server.Name}: {server.Version}"),
        new XElement("pre", string.Concat(server.Notes.Select(static note => $"# {note}\n")) + string.Concat(server.Commands.Select(static command => $"$ {command}\n")) + server.Configuration));
}
