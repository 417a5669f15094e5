namespace WarpProxy.LoadTest.Measurement;

/// <summary>What is reported of a histogram, in microseconds.</summary>
internal sealed record LatencySummary(
    long Count,
    double MinMicroseconds,
    double MeanMicroseconds,
    double P50Microseconds,
    double P90Microseconds,
    double P99Microseconds,
    double P999Microseconds,
    double MaxMicroseconds)
{
    private const double Microsecond = 1000;

    public static LatencySummary Of(LatencyHistogram histogram) => new(
        histogram.Count,
        histogram.Min / Microsecond,
        histogram.Mean() / Microsecond,
        histogram.ValueAt(50) / Microsecond,
        histogram.ValueAt(90) / Microsecond,
        histogram.ValueAt(99) / Microsecond,
        histogram.ValueAt(99.9) / Microsecond,
        histogram.Max / Microsecond);
}
