using System.Diagnostics;

namespace WarpProxy.LoadTest.Measurement;

/// <summary>The monotonic clock, in nanoseconds as everything that is measured here.</summary>
internal static class LoadClock
{
    public const long Second = 1_000_000_000;

    // Linux counts nanoseconds; another frequency would need a multiplication per reading.
    static LoadClock()
    {
        Trace.Assert(Stopwatch.Frequency == Second);
    }

    public static long Now => Stopwatch.GetTimestamp();

    public static long From(TimeSpan time) => time.Ticks * TimeSpan.NanosecondsPerTick;

    public static TimeSpan ToTimeSpan(long nanoseconds) => TimeSpan.FromTicks(nanoseconds / TimeSpan.NanosecondsPerTick);
}
