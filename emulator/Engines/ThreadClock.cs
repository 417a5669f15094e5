using System.Runtime.InteropServices;

namespace WarpDrive.Engines;

/// <summary>CPU time of the calling thread: what others do on the same processor does not count.</summary>
internal static unsafe partial class ThreadClock
{
    private const int CLOCK_THREAD_CPUTIME_ID = 3;

    /// <summary>Since the thread began.</summary>
    public static TimeSpan Read()
    {
        Timespec time;
        return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0
            ? TimeSpan.FromTicks((time.Seconds * TimeSpan.TicksPerSecond) + (time.Nanoseconds / TimeSpan.NanosecondsPerTick))
            : throw new InvalidOperationException("The kernel has no clock of a thread's CPU time.");
    }

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, Timespec* time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
