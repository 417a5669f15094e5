namespace WarpDrive.Driver.Paths;

/// <summary>
/// An exponentially weighted mean of measured times. Any thread may add or read: of two that add at once one may be lost, and none is torn.
/// </summary>
internal struct ServiceTime
{
    // The weight of a sample among many, of one after a pause, and of one after a long pause: what is old tells little of now.
    private const double Weight = 1 / 8.0;
    private const double WeightAfterPause = 1 / 4.0;
    private const double WeightAfterLongPause = 1 / 2.0;
    private const long Pause = 100_000_000;
    private const long LongPause = 1_000_000_000;

    // The first samples count alike.
    private const int FirstSamples = 4;

    // A thread that was preempted for milliseconds is no news; what lasts comes again.
    private const long MaxGrowth = 4;

    private long _nanoseconds;
    private long _at;
    private int _count;

    /// <summary>The mean; 0 when nothing was measured.</summary>
    public readonly long Nanoseconds => Volatile.Read(in _nanoseconds);

    /// <summary>Whether anything was measured.</summary>
    public readonly bool IsKnown => Nanoseconds != 0;

    /// <summary>How long ago the last sample came, in nanoseconds.</summary>
    public readonly long Age(long now) => IsKnown ? now - Volatile.Read(in _at) : long.MaxValue;

    /// <summary>Adds a sample.</summary>
    /// <param name="sample">Nanoseconds.</param>
    /// <param name="now">Nanoseconds of any clock, always the same.</param>
    /// <param name="isBounded">Whether one sample that is far too high counts as one that is rather high.</param>
    /// <returns>The sample as it counted, in units of the mean before; 1 for the first.</returns>
    public double Add(long sample, long now, bool isBounded = true)
    {
        long mean = Nanoseconds;
        sample = Math.Max(sample, 1);
        long age = Age(now);
        if (mean == 0)
        {
            Volatile.Write(ref _nanoseconds, sample);
        }
        else
        {
            sample = isBounded ? Math.Min(sample, mean * MaxGrowth) : sample;
            double weight = age > LongPause ? WeightAfterLongPause : age > Pause ? WeightAfterPause : Weight;
            weight = Math.Max(weight, _count < FirstSamples ? 1.0 / (_count + 1) : 0);
            Volatile.Write(ref _nanoseconds, Math.Max(mean + (long)((sample - mean) * weight), 1));
        }

        _count = Math.Min(_count + 1, FirstSamples);
        Volatile.Write(ref _at, now);
        return mean == 0 ? 1 : sample / (double)mean;
    }

    /// <summary>Moves the mean towards <paramref name="factor"/> times itself, as a sample of that size would.</summary>
    public void Follow(double factor)
    {
        long mean = Nanoseconds;
        if (mean != 0)
        {
            Volatile.Write(ref _nanoseconds, Math.Max((long)(mean * (1 + ((factor - 1) * Weight))), 1));
        }
    }
}
