using System.Globalization;
using System.Text;
using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Reporting;

/// <summary>Words and columns that the reports for people have in common.</summary>
internal static class ReportText
{
    /// <summary>A table of percentiles; what was not measured has no row.</summary>
    public static void AppendLatencies(StringBuilder text, params ReadOnlySpan<(string Name, LatencySummary? Latency)> rows)
    {
        text.Append("milliseconds               p50        p90        p99      p99.9        max\n");
        foreach ((string name, LatencySummary? latency) in rows)
        {
            if (latency is { Count: > 0 })
            {
                double[] shown =
                    [latency.P50Microseconds, latency.P90Microseconds, latency.P99Microseconds, latency.P999Microseconds, latency.MaxMicroseconds];
                text.Append(CultureInfo.InvariantCulture, $"{name,-19} {string.Join(' ', shown.Select(Ms))}\n");
            }
        }
    }

    public static string Errors(IReadOnlyDictionary<string, long> errors) =>
        errors.Count == 0 ? "none" : string.Join(", ", errors.Select(static error => $"{error.Value} {error.Key}"));

    public static string Trust(bool isVerified) => isVerified ? "certificate verified" : "chain and name of the certificate not verified";

    public static string Plural(long count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";

    private static string Ms(double microseconds) => (microseconds / 1000).ToString("N3", CultureInfo.InvariantCulture).PadLeft(10);
}
