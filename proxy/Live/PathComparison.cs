namespace WarpProxy.Live;

/// <summary>What handshakes with keys of one size took on one path, over the last minutes. Times are milliseconds for each handshake.</summary>
/// <param name="Count">Handshakes.</param>
/// <param name="P50">Median latency; null without handshakes, as all below.</param>
/// <param name="P99">99th percentile of the latency.</param>
/// <param name="OwnCpu">Processor time of the proxy's own threads.</param>
/// <param name="EngineCpu">Processor time of the embedded device's engines; null where none computed it.</param>
internal sealed record PathFigures(long Count, double? P50, double? P99, double? OwnCpu, double? EngineCpu)
{
    /// <summary>All processor time that is known of.</summary>
    public double? Cpu => OwnCpu + (EngineCpu ?? 0);
}

/// <summary>Both paths side by side, for keys of one size: those that had the most handshakes on both.</summary>
/// <param name="Bits">Of the keys; null: all sizes that are counted together.</param>
/// <param name="Device">Computed by a device.</param>
/// <param name="Software">Computed by software.</param>
/// <param name="HasOtherSizes">Whether there were handshakes with keys of other sizes.</param>
internal sealed record PathComparison(int? Bits, PathFigures Device, PathFigures Software, bool HasOtherSizes)
{
    /// <summary>Compares what came between two moments.</summary>
    public static PathComparison Of(StatisticsSnapshot difference)
    {
        int size = Enumerable.Range(0, HandshakeStatistics.SizeCount)
            .OrderByDescending(one => Math.Min(CountOf(difference, true, one), CountOf(difference, false, one)))
            .ThenByDescending(one => CountOf(difference, true, one) + CountOf(difference, false, one))
            .First();
        return new PathComparison(
            size < HandshakeStatistics.SizesInBits.Length ? HandshakeStatistics.SizesInBits[size] : null,
            FiguresOf(difference, true, size),
            FiguresOf(difference, false, size),
            Enumerable.Range(0, HandshakeStatistics.SizeCount).Any(one => one != size && CountOf(difference, true, one) + CountOf(difference, false, one) > 0));
    }

    private static long CountOf(StatisticsSnapshot difference, bool isOnDevice, int size) => difference.Counts[HandshakeStatistics.ClassOf(isOnDevice, size)];

    private static PathFigures FiguresOf(StatisticsSnapshot difference, bool isOnDevice, int size)
    {
        int at = HandshakeStatistics.ClassOf(isOnDevice, size);
        long count = difference.Counts[at];
        ReadOnlySpan<uint> durations = difference.DurationsOf(at);

        // Of several devices only a part of the handshakes may be the embedded one's.
        double? engine = difference.Engines.NanosecondsOf(size) * Math.Min((double)difference.Engines.Operations.ElementAtOrDefault(size) / count, 1) / 1e6;
        return count == 0
            ? new PathFigures(0, null, null, null, null)
            : new PathFigures(
                count,
                DurationHistogram.Percentile(durations, 0.5) / 1000,
                DurationHistogram.Percentile(durations, 0.99) / 1000,
                difference.ProcessorNanoseconds[at] / 1e6 / count,
                isOnDevice ? engine : null);
    }
}
