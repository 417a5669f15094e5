namespace WarpDrive.Linux;

/// <summary>Processor time of the calling thread: what others do on the same processor does not count.</summary>
public static unsafe class ThreadTime
{
    /// <summary>Nanoseconds since the thread began; one system call, some hundred nanoseconds.</summary>
    /// <exception cref="LinuxException">A sandbox refuses to say.</exception>
    public static long ReadNanoseconds()
    {
        Libc.Timespec time;
        return Libc.clock_gettime(Libc.CLOCK_THREAD_CPUTIME_ID, &time) == 0
            ? (time.Seconds * 1_000_000_000) + time.Nanoseconds
            : throw new LinuxException("clock_gettime", "CLOCK_THREAD_CPUTIME_ID");
    }
}
