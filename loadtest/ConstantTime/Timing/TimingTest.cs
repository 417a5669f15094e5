using System.Diagnostics;

namespace WarpProxy.LoadTest.ConstantTime;

/// <summary>
/// Times one subject with data of two classes, interleaved at random, and compares the times of the classes by Welch's t, as Reparaz,
/// Balasch and Verbauwhede propose ("Dude, is my code constant time?", 2016).
/// </summary>
internal sealed class TimingTest(TimedSubject subject, int slots, int seed)
{
    /// <summary>Below it no difference is seen.</summary>
    public const double Suspicious = 4.5;

    /// <summary>From it on the classes differ for certain.</summary>
    public const double Certain = 10;

    // Interruptions make the longest times; a difference may show better without them.
    private static readonly double[] Percentiles = [1, 0.99, 0.95, 0.9, 0.75, 0.5];

    private readonly Random _random = new(seed);
    private readonly bool[] _classes = new bool[slots];
    private readonly List<long>[] _ticks = [new(1 << 17), new(1 << 17)];
    private bool _isWarm;

    public TimedSubject Subject => subject;

    /// <summary>Measurements of both classes.</summary>
    public int Count => _ticks[0].Count + _ticks[1].Count;

    /// <summary>Of one computation, over both classes; 0 before <see cref="Run"/>.</summary>
    public double MedianMicroseconds
    {
        get
        {
            long[] all = [.. _ticks[0].Concat(_ticks[1]).Order()];
            return all.Length == 0 ? 0 : all[all.Length / 2] * 1e6 / Stopwatch.Frequency / subject.Repeat;
        }
    }

    /// <summary>Measures for a time, at least once in every slot.</summary>
    public void Run(TimeSpan time)
    {
        long start = Stopwatch.GetTimestamp();
        do
        {
            for (int slot = 0; slot < slots; slot++)
            {
                _classes[slot] = _random.Next(2) == 1;
                subject.Draw(slot, _classes[slot]);
            }

            for (int slot = 0; slot < slots; slot++)
            {
                subject.Load(slot);

                // What was loaded is stored before the time begins.
                Interlocked.MemoryBarrier();
                long begin = Stopwatch.GetTimestamp();
                subject.Compute();
                long end = Stopwatch.GetTimestamp();
                if (_isWarm)
                {
                    _ticks[_classes[slot] ? 1 : 0].Add(end - begin);
                }
            }

            subject.Check();
            _isWarm = true;
        }
        while (Stopwatch.GetElapsedTime(start) < time);
    }

    /// <summary>
    /// The largest t, by magnitude, over all crops, and the difference of the means that it stands for, of one computation. Both are positive
    /// when the first class takes longer.
    /// </summary>
    public (double T, double Nanoseconds) Compare()
    {
        long[] all = [.. _ticks[0].Concat(_ticks[1]).Order()];
        (double T, double Ticks) largest = default;
        foreach (double percentile in all.Length == 0 ? [] : Percentiles)
        {
            long limit = all[(int)((all.Length - 1) * percentile)];
            (double T, double Ticks) each = WelchTest.Compare(
                _ticks[0].Where(ticks => ticks <= limit), _ticks[1].Where(ticks => ticks <= limit));
            largest = Math.Abs(each.T) > Math.Abs(largest.T) ? each : largest;
        }

        return (largest.T, largest.Ticks * 1e9 / Stopwatch.Frequency / subject.Repeat);
    }
}
