using WarpProxy.Offload;

namespace WarpProxy.Live;

/// <summary>Counts since the start at one moment, or what came between two moments. Filled again and again: it allocates nothing but itself.</summary>
internal sealed class StatisticsSnapshot
{
    private readonly uint[] _durations = new uint[HandshakeStatistics.ClassCount * DurationHistogram.BucketCount];

    /// <summary>When (<see cref="TimeProvider.GetTimestamp"/>).</summary>
    public long Time { get; set; }

    /// <summary>Handshakes with a private-key operation, by class.</summary>
    public long[] Counts { get; } = new long[HandshakeStatistics.ClassCount];

    /// <summary>Processor time of this process's own threads in them.</summary>
    public long[] ProcessorNanoseconds { get; } = new long[HandshakeStatistics.ClassCount];

    /// <summary>Handshakes without one: resumed sessions, and keys that no device computes with.</summary>
    public long Others { get; set; }

    /// <summary>Operations by the size of the batch that they were computed in.</summary>
    public long[] Batches { get; } = new long[HandshakeStatistics.MaxBatchSize + 1];

    /// <summary>What the engines of the embedded device did.</summary>
    public EngineUse Engines { get; } = new();

    /// <summary>Operations that software computed in place of a device, by reason.</summary>
    public IReadOnlyDictionary<string, long> Fallbacks { get; set; } = new Dictionary<string, long>();

    /// <summary>Handshakes and connections that were refused, by reason.</summary>
    public IReadOnlyDictionary<string, long> Refusals { get; set; } = new Dictionary<string, long>();

    /// <summary>Durations of one class, by bucket of <see cref="DurationHistogram"/>.</summary>
    public Span<uint> DurationsOf(int handshakeClass) => _durations.AsSpan(handshakeClass * DurationHistogram.BucketCount, DurationHistogram.BucketCount);

    /// <summary>Handshakes of one path, of all key sizes.</summary>
    public long CountOf(bool isOnDevice)
    {
        long count = 0;
        for (int size = 0; size < HandshakeStatistics.SizeCount; size++)
        {
            count += Counts[HandshakeStatistics.ClassOf(isOnDevice, size)];
        }

        return count;
    }

    /// <summary>Durations of one path, of all key sizes.</summary>
    public void SumDurations(bool isOnDevice, Span<uint> sum)
    {
        sum.Clear();
        for (int size = 0; size < HandshakeStatistics.SizeCount; size++)
        {
            ReadOnlySpan<uint> durations = DurationsOf(HandshakeStatistics.ClassOf(isOnDevice, size));
            for (int i = 0; i < durations.Length; i++)
            {
                sum[i] += durations[i];
            }
        }
    }

    /// <summary>Takes over the counts of another.</summary>
    public void CopyFrom(StatisticsSnapshot other)
    {
        Time = other.Time;
        other.Counts.CopyTo(Counts, 0);
        other.ProcessorNanoseconds.CopyTo(ProcessorNanoseconds, 0);
        Others = other.Others;
        other.Batches.CopyTo(Batches, 0);
        Engines.CopyFrom(other.Engines);
        Fallbacks = other.Fallbacks;
        Refusals = other.Refusals;
        other._durations.CopyTo(_durations, 0);
    }

    /// <summary>Becomes what came between two moments.</summary>
    public void SetDifference(StatisticsSnapshot earlier, StatisticsSnapshot later)
    {
        Time = later.Time;
        Subtract(earlier.Counts, later.Counts, Counts);
        Subtract(earlier.ProcessorNanoseconds, later.ProcessorNanoseconds, ProcessorNanoseconds);
        Others = later.Others - earlier.Others;
        Subtract(earlier.Batches, later.Batches, Batches);
        Engines.SetDifference(earlier.Engines, later.Engines);
        Fallbacks = Subtract(earlier.Fallbacks, later.Fallbacks);
        Refusals = Subtract(earlier.Refusals, later.Refusals);
        for (int i = 0; i < _durations.Length; i++)
        {
            _durations[i] = unchecked(later._durations[i] - earlier._durations[i]);
        }
    }

    private static void Subtract(long[] earlier, long[] later, long[] difference)
    {
        for (int i = 0; i < difference.Length; i++)
        {
            difference[i] = later[i] - earlier[i];
        }
    }

    private static Dictionary<string, long> Subtract(IReadOnlyDictionary<string, long> earlier, IReadOnlyDictionary<string, long> later) =>
        ReferenceEquals(earlier, later) ? [] : later.ToDictionary(static one => one.Key, one => one.Value - earlier.GetValueOrDefault(one.Key));
}
