using System.Globalization;

namespace WarpProxy.LoadTest.Engines;

/// <summary>CPU time of the calling thread: what others do on the same processor does not count.</summary>
internal static class ThreadCpuClock
{
    private const string SchedulerCounts = "/proc/thread-self/schedstat";

    /// <summary>Whether this kernel counts (CONFIG_SCHED_INFO).</summary>
    public static bool IsSupported => File.Exists(SchedulerCounts);

    /// <summary>Since the thread began. Takes tens of microseconds, in which others may run.</summary>
    public static TimeSpan Read()
    {
        // The kernel adds to the number when it schedules; without that it is up to a clock tick old.
        Thread.Yield();

        // "run wait slices", in nanoseconds: Documentation/scheduler/sched-stats.rst.
        string text = File.ReadAllText(SchedulerCounts);
        long nanoseconds = long.Parse(text.AsSpan(0, text.IndexOf(' ', StringComparison.Ordinal)), CultureInfo.InvariantCulture);
        return TimeSpan.FromTicks(nanoseconds / TimeSpan.NanosecondsPerTick);
    }
}
