using System.Numerics;

namespace WarpProxy.LoadTest.Measurement;

/// <summary>
/// Counts latencies in buckets that grow with the value, as HdrHistogram does: 128 of equal width for each doubling, so that a percentile is
/// within 0.4 % of the true one from 1 ns to 18 minutes. Recording allocates nothing. One thread records; others may merge meanwhile and
/// then lack the last few records.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 7;
    private const int SubCount = 1 << SubBits;
    private const int ValueBits = 40;
    private const long HighestValue = (1L << ValueBits) - 1;

    // Below 2 * SubCount the bucket is the value; each doubling after that adds SubCount buckets.
    private readonly long[] _counts = new long[(ValueBits - SubBits + 1) * SubCount];

    /// <summary>How many were recorded.</summary>
    public long Count { get; private set; }

    /// <summary>The lowest, exact; 0 when there is none.</summary>
    public long Min { get; private set; }

    /// <summary>The highest, exact; 0 when there is none.</summary>
    public long Max { get; private set; }

    /// <summary>The buckets that are not empty, in order.</summary>
    public IEnumerable<LatencyBucket> Buckets =>
        Enumerable.Range(0, _counts.Length)
            .Where(index => _counts[index] != 0)
            .Select(index => new LatencyBucket(LowerBound(index), LowerBound(index + 1), _counts[index]));

    /// <summary>Counts one latency in nanoseconds; below 0 counts as 0, above 18 minutes in the last bucket.</summary>
    public void Record(long nanoseconds)
    {
        long value = Math.Max(nanoseconds, 0);
        _counts[IndexOf(Math.Min(value, HighestValue))]++;
        Min = Count == 0 ? value : Math.Min(Min, value);
        Max = Math.Max(Max, value);
        Count++;
    }

    /// <summary>Adds what another histogram holds.</summary>
    public void Add(LatencyHistogram other)
    {
        // Counted here and not taken from the other, whose thread may be recording: percentiles then fit the buckets.
        long added = 0;
        for (int i = 0; i < _counts.Length; i++)
        {
            long count = Volatile.Read(ref other._counts[i]); // whatever is there; the order of records does not matter
            _counts[i] += count;
            added += count;
        }

        if (added > 0)
        {
            Min = Count == 0 ? other.Min : Math.Min(Min, other.Min);
            Max = Math.Max(Max, other.Max);
            Count += added;
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Array.Clear(_counts);
        (Count, Min, Max) = (0, 0, 0);
    }

    /// <summary>The lowest value that at least so many percent of the records do not exceed; 0 when there is none.</summary>
    public long ValueAt(double percentile)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(percentile, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percentile, 100);

        // The small number keeps 99.9 % of 1000 at rank 999 whichever way the product was rounded.
        long rank = Math.Max(1, (long)Math.Ceiling((percentile / 100 * Count) - 1e-6));
        if (rank >= Count)
        {
            return Max;
        }

        long seen = 0;
        int index = 0;
        while ((seen += _counts[index]) < rank)
        {
            index++;
        }

        return Math.Clamp(Middle(index), Min, Max);
    }

    /// <summary>The mean, as exact as the buckets are; 0 when there is none.</summary>
    public double Mean()
    {
        double sum = 0;
        for (int i = 0; i < _counts.Length; i++)
        {
            sum += (double)_counts[i] * Middle(i);
        }

        return Count == 0 ? 0 : Math.Clamp(sum / Count, Min, Max);
    }

    private static int IndexOf(long value)
    {
        int shift = Math.Max(0, BitOperations.Log2((ulong)value) - SubBits);
        return (shift << SubBits) + (int)(value >> shift);
    }

    private static long LowerBound(int index)
    {
        int shift = Math.Max(0, (index >> SubBits) - 1);
        return (long)(index - (shift << SubBits)) << shift;
    }

    private static long Middle(int index) => LowerBound(index) + ((LowerBound(index + 1) - LowerBound(index)) / 2);
}

/// <summary>One bucket: how many values were at least <paramref name="From"/> and below <paramref name="To"/> nanoseconds.</summary>
internal readonly record struct LatencyBucket(long From, long To, long Count);
