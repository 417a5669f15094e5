using System.Numerics;

namespace WarpProxy.Live;

/// <summary>
/// Counts durations from a microsecond to half a minute in buckets that are an eighth of their power of two wide, so that a percentile is right within some
/// percent. Of fixed size; any thread records, without a lock.
/// </summary>
internal sealed class DurationHistogram
{
    /// <summary>Buckets that there are.</summary>
    public const int BucketCount = (LastPower - FirstPower + 2) * StepsPerPower;

    private const int StepsPerPower = 8;
    private const int FirstPower = 3;       // 8 us: below, each microsecond has its own
    private const int LastPower = 24;       // 17 to 34 s; what is longer is counted there

    private readonly uint[] _counts = new uint[BucketCount];

    /// <summary>Counts one.</summary>
    public void Record(TimeSpan duration) => Interlocked.Increment(ref _counts[BucketOf((long)duration.TotalMicroseconds)]);

    /// <summary>Copies the counts since the start; differences of two copies are right although a count may pass its end.</summary>
    public void CopyTo(Span<uint> counts) => _counts.CopyTo(counts);

    /// <summary>Where a duration is counted.</summary>
    public static int BucketOf(long microseconds)
    {
        if (microseconds < StepsPerPower)
        {
            return (int)Math.Max(microseconds, 0);
        }

        int power = BitOperations.Log2((ulong)microseconds);
        return power > LastPower ? BucketCount - 1 : ((power - FirstPower + 1) * StepsPerPower) + (int)((microseconds >> (power - FirstPower)) & (StepsPerPower - 1));
    }

    /// <summary>The least number of microseconds of a bucket; of the one behind the last, where that ends.</summary>
    public static long LowerBound(int bucket) => bucket < StepsPerPower
        ? bucket
        : (long)(StepsPerPower + (bucket % StepsPerPower)) << ((bucket / StepsPerPower) - 1);

    /// <summary>The microseconds that a share of the durations do not exceed; null when there are none. Within a bucket they are taken as evenly spread.</summary>
    /// <param name="counts">By bucket.</param>
    /// <param name="share">0.5 for the median.</param>
    public static double? Percentile(ReadOnlySpan<uint> counts, double share)
    {
        ulong total = 0;
        foreach (uint count in counts)
        {
            total += count;
        }

        double rank = share * total;
        ulong below = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            if (counts[i] > 0 && below + counts[i] >= rank)
            {
                double within = Math.Clamp((rank - below) / counts[i], 0, 1);
                return LowerBound(i) + (within * (LowerBound(i + 1) - LowerBound(i)));
            }

            below += counts[i];
        }

        return null;
    }
}
