using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using WarpProxy.LoadTest.Compare;
using WarpProxy.LoadTest.Reports;
using static WarpProxy.Tests.Unit.LoadTest.ComparisonSamples;

namespace WarpProxy.Tests.Unit.LoadTest;

public sealed class ComparisonReportTests
{
    private const string EvilName = "</script><b>&\"'evil";

    private static readonly ProxyActivity Activity =
        new(20, 0, new Dictionary<string, long>(), new Dictionary<int, long> { [1] = 12, [8] = 1 });

    private static readonly ComparisonResult Typical =
        Result("WarpProxy device", [Sample(0, 1234, 333, Activity), Sample(1, 1300, 311, Activity), Sample(2, 1400, 300, Activity)]);

    [Fact]
    public void Page_is_well_formed_and_has_the_numbers()
    {
        XElement page = Parse(HtmlReport.Write(Typical));
        string[] cells = [.. page.Descendants("td").Select(static cell => cell.Value)];
        Assert.Contains("WarpProxy device", cells);
        Assert.Contains("1,300", cells);
        Assert.Contains("1,234 to 1,400", cells);
        Assert.Contains("13.00", cells); // to nginx
        Assert.Contains("311", cells);
        Assert.Contains("RSA-2048, TLS 1.3, 8 connections", page.Descendants("h2").Select(static title => title.Value));
        Assert.Contains("haproxy is not installed.", page.Value, StringComparison.Ordinal);
        Assert.Contains("A processor, 2 processors, Linux 6.1", page.Value, StringComparison.Ordinal);
        Assert.Contains("1: 60 %, 8: 40 %", page.Value, StringComparison.Ordinal);
        Assert.Contains("$ nginx -p .\nworker_processes 1;\n", page.Descendants("pre").Select(static text => text.Value));
    }

    [Fact]
    public void Charts_have_a_curve_for_each_server_and_a_bar_for_each_processor_time()
    {
        XElement[] charts = [.. Parse(HtmlReport.Write(Typical)).Descendants("figure")];
        Assert.Equal(3, charts.Length);
        Assert.Equal(["nginx", "WarpProxy device"], Titles(charts[0], "polyline"));
        Assert.Equal(["nginx", "WarpProxy device"], Titles(charts[1], "polyline"));
        Assert.Equal(["nginx: 500 us, 500 to 500", "WarpProxy device: 311 us, 300 to 333"], Titles(charts[2], "rect"));

        // 500 to 311, at one scale.
        double[] widths = [.. charts[2].Descendants("rect").Select(static bar => double.Parse(bar.Attribute("width")!.Value, CultureInfo.InvariantCulture))];
        Assert.Equal(311.0 / 500, widths[1] / widths[0], tolerance: 0.01);
        Assert.All(charts.SelectMany(static chart => chart.Descendants("polyline")), static curve =>
        {
            double[] places = [.. curve.Attribute("points")!.Value.Split(' ', ',').Select(static place => double.Parse(place, CultureInfo.InvariantCulture))];
            Assert.True(places.Length >= 4);
            Assert.All(places, static place => Assert.InRange(place, 0, 420));
        });
    }

    [Fact]
    public void Page_needs_nothing_from_elsewhere()
    {
        string html = HtmlReport.Write(Typical);
        XElement page = Parse(html);
        Assert.Empty(page.Descendants("script"));
        Assert.All(page.Descendants().Attributes().Where(static attribute => attribute.Name.LocalName is "src" or "href"), static attribute =>
            Assert.Equal("data:,", attribute.Value));
        Assert.DoesNotContain("url(", html, StringComparison.Ordinal);
        Assert.DoesNotContain("@import", html, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", html, StringComparison.Ordinal);

        // What browsers read as it stands must have nothing that XML escapes.
        Assert.DoesNotContain("&", page.Descendants("style").Single().ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_and_words_of_servers_are_text()
    {
        ComparisonResult result = Result(EvilName, [Sample(0, 100, 400)], reason: "ended: \u001b[31m<i>red</i>\u0000 & \U0001F512");
        string html = HtmlReport.Write(result);
        XElement page = Parse(html);
        Assert.DoesNotContain("<b>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<i>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("</script>", html, StringComparison.Ordinal);
        Assert.Contains(EvilName, page.Descendants("td").Select(static cell => cell.Value));
        Assert.Contains("ended: \uFFFD[31m<i>red</i>\uFFFD & \U0001F512", page.Value, StringComparison.Ordinal);
        Assert.Contains("# a <note>\n$ run <it>\ntext <b>\"bold\"</b> & more\n", page.Descendants("pre").Select(static text => text.Value));
    }

    [Fact]
    public void Page_of_nothing_and_of_a_server_that_served_nothing()
    {
        Assert.Contains("Nothing was measured.", Parse(HtmlReport.Write(Typical with { Rows = [] })).Value, StringComparison.Ordinal);
        XElement page = Parse(HtmlReport.Write(Result("dead", [Sample(0, 0, 0)])));
        Assert.Contains("-", page.Descendants("td").Select(static cell => cell.Value));
        Assert.DoesNotContain("NaN", page.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_as_json()
    {
        using JsonDocument json = JsonDocument.Parse(ComparisonJson.WriteRows(Typical));
        JsonElement row = json.RootElement[1];
        Assert.Equal("WarpProxy device", row.GetProperty("server").GetString());
        Assert.Equal(2048, row.GetProperty("bits").GetInt32());
        Assert.Equal("1.3", row.GetProperty("tls").GetString());
        Assert.Equal(8, row.GetProperty("connections").GetInt32());
        Assert.Equal(1300, row.GetProperty("handshakesPerSecond").GetDouble());
        Assert.Equal(1234, row.GetProperty("handshakesPerSecondLowest").GetDouble());
        Assert.Equal(311, row.GetProperty("cpuMicrosecondsPerHandshake").GetDouble(), tolerance: 0.01);
        Assert.Equal(13, row.GetProperty("ratioToNginx").GetDouble(), tolerance: 1e-9);
        Assert.Equal(0.622, row.GetProperty("cpuRatioToNginx").GetDouble(), tolerance: 1e-4);
        Assert.Equal(60, row.GetProperty("deviceOperations").GetInt64());
        Assert.Equal(36, row.GetProperty("batches").GetProperty("1").GetInt64());
        Assert.False(json.RootElement[0].TryGetProperty("deviceOperations", out _));
    }

    [Fact]
    public void Missing_numbers_are_null_in_json()
    {
        using JsonDocument json = JsonDocument.Parse(ComparisonJson.WriteRows(Result("dead", [Sample(0, 0, 0)])));
        Assert.Equal(JsonValueKind.Null, json.RootElement[1].GetProperty("cpuMicrosecondsPerHandshake").ValueKind);
        Assert.Equal(JsonValueKind.Null, json.RootElement[1].GetProperty("cpuRatioToNginx").ValueKind);
    }

    [Fact]
    public void File_of_the_report_has_machine_configurations_curves_and_timeline()
    {
        using JsonDocument json = JsonDocument.Parse(ComparisonJson.Write(Typical));
        JsonElement root = json.RootElement;
        Assert.Equal("2026-02-03T04:05:06Z", root.GetProperty("started").GetString());
        Assert.Equal("Linux 6.1", root.GetProperty("machine").GetProperty("kernel").GetString());
        Assert.Equal("worker_processes 1;\n", root.GetProperty("servers")[0].GetProperty("configuration").GetString());
        Assert.Equal("haproxy", root.GetProperty("leftOut")[0].GetProperty("name").GetString());
        JsonElement row = root.GetProperty("rows")[1];
        Assert.Equal(100, row.GetProperty("latencyCurve").EnumerateArray().Last().GetProperty("percentile").GetDouble());
        Assert.Equal([1234.0, 1300, 1400], row.GetProperty("timeline").EnumerateArray().Select(static second => second.GetProperty("perSecond").GetDouble()));
    }

    [Fact]
    public void Text_has_table_reasons_and_configurations()
    {
        string text = ComparisonText.Write(Typical);
        Assert.Contains("WarpProxy device          1,300", text, StringComparison.Ordinal);
        Assert.Contains("Left out: haproxy: haproxy is not installed.", text, StringComparison.Ordinal);
        Assert.Contains("operations per batch, WarpProxy device: 1: 60 %, 8: 40 %", text, StringComparison.Ordinal);
        Assert.Contains("--- nginx: nginx/1.22.1\n$ nginx -p .\nworker_processes 1;", text, StringComparison.Ordinal);
        Assert.Contains("# a <note>\n$ run <it>", text, StringComparison.Ordinal);
        Assert.Contains("Warning: Ended early: nginx is gone.", ComparisonText.Write(Typical with { Failure = "nginx is gone." }), StringComparison.Ordinal);
        Assert.Contains("Interrupted", ComparisonText.Write(Typical with { IsInterrupted = true }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1234, new[] { 0.0, 500, 1000, 1500 })]
    [InlineData(6, new[] { 0.0, 1, 2, 3, 4, 5, 6 })]
    [InlineData(0, new[] { 0.0, 0.2, 0.4, 0.6, 0.8, 1 })]
    public void Axis_from_zero_ends_at_a_round_value(double highest, double[] ticks) =>
        Assert.Equal(ticks, ChartAxis.FromZero([highest], 0, 100).Ticks().Select(static tick => Math.Round(tick, 9)));

    [Theory]
    [InlineData(3, 40, new[] { 2.0, 5, 10, 20, 50 })]
    [InlineData(0.3, 4000, new[] { 1.0, 10, 100, 1000 })]
    [InlineData(10, 10, new[] { 10.0, 20, 50, 100 })]
    public void Logarithmic_axis_reaches_round_values_around_all(double lowest, double highest, double[] ticks) =>
        Assert.Equal(ticks, ChartAxis.Logarithmic([lowest, highest, 0], 0, 100).Ticks().Select(static tick => Math.Round(tick, 9)));

    private static XElement Parse(string html)
    {
        Assert.StartsWith("<!DOCTYPE html>\n", html, StringComparison.Ordinal);
        return XDocument.Parse(html, LoadOptions.PreserveWhitespace).Root!;
    }

    private static IEnumerable<string> Titles(XElement chart, string element) => chart.Descendants(element).Select(static shape => shape.Element("title")!.Value);
}
