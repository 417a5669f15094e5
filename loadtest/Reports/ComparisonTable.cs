using System.Globalization;
using WarpProxy.LoadTest.Compare;

namespace WarpProxy.LoadTest.Reports;

/// <summary>The table of one load, for text and page alike.</summary>
internal static class ComparisonTable
{
    private const string Missing = "-";

    /// <summary>The titles of the columns, and a line of cells for each row.</summary>
    public static (string[] Head, string[][] Cells) Of(ComparisonResult result, IReadOnlyList<ComparisonRow> rows)
    {
        string latency = result.IsRequesting ? "response" : "handshake";
        string[] head =
        [
            "server", "handshakes/s", "lowest to highest", $"ratio to {result.Baseline}", "CPU us/handshake", "lowest to highest", "CPU ratio",
            $"{latency} p50 ms", "p99 ms", "server busy", "others", "client busy", "errors",
        ];
        return (head, [.. rows.Select(Cells)]);
    }

    /// <summary><c>1: 20 %, 8: 80 %</c> of the operations.</summary>
    public static string Batches(ProxyActivity activity)
    {
        double operations = activity.Batches.Sum(static batch => batch.Key * (double)batch.Value);
        return string.Join(", ", activity.Batches.OrderBy(static batch => batch.Key).Select(batch =>
            string.Create(CultureInfo.InvariantCulture, $"{batch.Key}: {100 * batch.Key * batch.Value / operations:0.#} %")));
    }

    private static string[] Cells(ComparisonRow row) =>
    [
        row.Server,
        Number(row.HandshakesPerSecond.Median, "N0"),
        Range(row.HandshakesPerSecond, "N0"),
        Number(row.Ratio?.Median, "0.00"),
        Number(row.CpuMicroseconds?.Median, "N0"),
        Range(row.CpuMicroseconds, "N0"),
        Number(row.CpuRatio?.Median, "0.00"),
        Number(row.P50Milliseconds?.Median, "0.00"),
        Number(row.P99Milliseconds?.Median, "0.00"),
        Percent(row.ServerBusyShare),
        Percent(row.OthersBusyShare),
        Percent(row.ClientBusyShare),
        row.Errors.Count == 0 ? "none" : string.Join(", ", row.Errors.Select(static error => $"{error.Value} {error.Key}")),
    ];

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? Missing;

    private static string Range(Spread? spread, string format) =>
        spread is null ? Missing : $"{Number(spread.Lowest, format)} to {Number(spread.Highest, format)}";

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * Math.Max(0, share):0} %");
}
