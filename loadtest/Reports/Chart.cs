using System.Globalization;
using System.Xml.Linq;
using WarpProxy.LoadTest.Compare;

namespace WarpProxy.LoadTest.Reports;

/// <summary>The charts of one load as SVG elements, drawn at a size that can be read on a phone.</summary>
/// <param name="colourOf">The number of each server's colour, the same in all charts.</param>
internal sealed class Chart(Func<string, int> colourOf)
{
    private const double Width = 420;
    private const double Height = 270;
    private const double Left = 46;
    private const double Right = Width - 12;
    private const double Top = 12;
    private const double Bottom = Height - 36;

    /// <summary>How many percent took no longer than what: percentiles as powers of the share above them, time logarithmically.</summary>
    public XElement Latency(IReadOnlyList<ComparisonRow> rows)
    {
        // The last point is the highest of all, at the place of one of all.
        double tail = rows.Where(static row => row.Curve.Count > 1).Select(static row => Nines(row.Curve[^2].Percentile)).DefaultIfEmpty(1).Max();
        var x = new ChartAxis(0, Math.Max(1, tail), Left, Right);
        var y = ChartAxis.Logarithmic(rows.SelectMany(static row => row.Curve).Select(static point => point.Milliseconds), Bottom, Top);
        XElement svg = Frame("Latency by percentile, in milliseconds");
        AddVertical(svg, y);
        foreach (double percentile in (double[])[0, 50, 90, 99, 99.9, 99.99, 99.999])
        {
            if (Nines(percentile) <= tail + 0.01)
            {
                AddHorizontalLabel(svg, x.At(Nines(percentile)), $"{Text(percentile, "0.###")} %");
            }
        }

        foreach (ComparisonRow row in rows.Where(static row => row.Curve.Count > 0))
        {
            svg.Add(Curve(
                row.Server,
                row.Curve.Select(point => (x.At(point.Percentile >= 100 ? tail : Nines(point.Percentile)), y.At(point.Milliseconds)))));
        }

        return svg;
    }

    /// <summary>Handshakes per second, second by second of the measured time.</summary>
    public XElement Throughput(IReadOnlyList<ComparisonRow> rows)
    {
        double end = rows.SelectMany(static row => row.Timeline).Select(static second => second.End).DefaultIfEmpty(1).Max();
        var x = new ChartAxis(0, end, Left, Right);
        var y = ChartAxis.FromZero(rows.SelectMany(static row => row.Timeline).Select(static second => second.PerSecond), Bottom, Top);
        XElement svg = Frame("Handshakes per second over the measured time");
        AddVertical(svg, y);
        foreach (double second in x.Ticks())
        {
            AddHorizontalLabel(svg, x.At(second), $"{Text(second, "0.##")} s");
        }

        foreach (ComparisonRow row in rows)
        {
            // Each value holds for the time before its end.
            IEnumerable<double> begins = row.Timeline.Select(static second => second.End).Prepend(0);
            svg.Add(Curve(
                row.Server,
                begins.Zip(row.Timeline, (begin, second) => new[] { (x.At(begin), y.At(second.PerSecond)), (x.At(second.End), y.At(second.PerSecond)) })
                    .SelectMany(static step => step)));
        }

        return svg;
    }

    /// <summary>A bar for each server: CPU microseconds per handshake, with the lowest and the highest round.</summary>
    public XElement Cpu(IReadOnlyList<ComparisonRow> rows)
    {
        var x = ChartAxis.FromZero(rows.Select(static row => row.CpuMicroseconds?.Highest ?? 0), 8, Right - 44);
        XElement svg = Frame("Processor time per handshake, in microseconds");
        double step = (Height - Top - 8) / Math.Max(rows.Count, 1);
        foreach ((int index, ComparisonRow row) in rows.Index())
        {
            double top = Top + (index * step);
            double middle = top + (step * 0.68);
            svg.Add(Label(8, top + (step * 0.3), "start", row.Server));
            if (row.CpuMicroseconds is { } cpu)
            {
                double thickness = Math.Min(step * 0.4, 22);
                svg.Add(
                    new XElement(
                        "rect",
                        new XAttribute("class", $"f{colourOf(row.Server)}"),
                        new XAttribute("x", Place(x.At(0))),
                        new XAttribute("y", Place(middle - (thickness / 2))),
                        new XAttribute("width", Place(x.At(cpu.Median) - x.At(0))),
                        new XAttribute("height", Place(thickness)),
                        new XElement("title", $"{row.Server}: {Text(cpu.Median, "N0")} us, {Text(cpu.Lowest, "N0")} to {Text(cpu.Highest, "N0")}")),
                    Line("spread", x.At(cpu.Lowest), middle, x.At(cpu.Highest), middle),
                    new XElement(
                        "text", new XAttribute("class", "value"), new XAttribute("x", Place(x.At(cpu.Highest) + 6)), new XAttribute("y", Place(middle + 4)),
                        Text(cpu.Median, "N0")));
            }
        }

        return svg;
    }

    /// <summary>The line that stands for a server.</summary>
    public XElement Key(string server) => new(
        "svg", new XAttribute("viewBox", "0 0 28 10"), new XAttribute("aria-hidden", "true"), Line($"curve c{colourOf(server)}", 0, 5, 28, 5));

    // 90 % is 1, 99 % is 2: the place of a percentile.
    private static double Nines(double percentile) => -Math.Log10(1 - (percentile / 100));

    private static XElement Frame(string title) => new(
        "svg",
        new XAttribute("viewBox", $"0 0 {Width} {Height}"),
        new XAttribute("role", "img"),
        new XAttribute("aria-label", title));

    private static void AddVertical(XElement svg, ChartAxis y)
    {
        foreach (double value in y.Ticks())
        {
            svg.Add(Line("grid", Left, y.At(value), Right, y.At(value)), Label(Left - 5, y.At(value) + 4, "end", Text(value, "#,0.###")));
        }
    }

    private static void AddHorizontalLabel(XElement svg, double x, string text) =>
        svg.Add(Line("grid", x, Bottom, x, Bottom + 4), Label(x, Bottom + 18, "middle", text));

    private static XElement Line(string style, double x1, double y1, double x2, double y2) => new(
        "line",
        new XAttribute("class", style),
        new XAttribute("x1", Place(x1)),
        new XAttribute("y1", Place(y1)),
        new XAttribute("x2", Place(x2)),
        new XAttribute("y2", Place(y2)));

    private static XElement Label(double x, double y, string anchor, string text) =>
        new("text", new XAttribute("x", Place(x)), new XAttribute("y", Place(y)), new XAttribute("text-anchor", anchor), text);

    private static string Place(double value) => Text(value, "0.#");

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private XElement Curve(string server, IEnumerable<(double X, double Y)> points) => new(
        "polyline",
        new XAttribute("class", $"curve c{colourOf(server)}"),
        new XAttribute("points", string.Join(' ', points.Select(static point => $"{Place(point.X)},{Place(point.Y)}"))),
        new XElement("title", server));
}
