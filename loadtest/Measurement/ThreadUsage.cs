using System.Globalization;

namespace WarpProxy.LoadTest.Measurement;

/// <summary>What a thread has had of its processor so far, as the kernel's scheduler counts it.</summary>
/// <param name="Ran">Nanoseconds it ran.</param>
/// <param name="Waited">Nanoseconds it could have run but others did.</param>
internal readonly record struct ThreadUsage(long Ran, long Waited)
{
    /// <summary>Of the calling thread; null where the kernel does not count (CONFIG_SCHED_INFO).</summary>
    public static ThreadUsage? OfThisThread()
    {
        try
        {
            // "run wait slices", Documentation/scheduler/sched-stats.rst.
            string[] numbers = File.ReadAllText("/proc/thread-self/schedstat").Split(' ');
            return new(long.Parse(numbers[0], CultureInfo.InvariantCulture), long.Parse(numbers[1], CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>
    /// Of all threads of this process, for each processor that it may use. What they waited is left out: they may have waited for each other.
    /// </summary>
    public static ThreadUsage? OfThisProcess() => new((long)Environment.CpuUsage.TotalTime.TotalNanoseconds / Environment.ProcessorCount, 0);

    public static ThreadUsage operator -(ThreadUsage later, ThreadUsage earlier) =>
        new(later.Ran - earlier.Ran, later.Waited - earlier.Waited);
}
