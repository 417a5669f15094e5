namespace WarpDrive.Linux;

/// <summary>Processor time of a process, all its threads together.</summary>
public static unsafe class ProcessTime
{
    private const int PidMaxLimit = 4 * 1024 * 1024;

    /// <summary>Nanoseconds since it began; null when there is no such process any more.</summary>
    /// <param name="process">Its number.</param>
    public static long? ReadNanoseconds(int process)
    {
        // clock_getcpuclockid(3): the complement of the number above three bits, of which 2 says CPUCLOCK_SCHED.
        Libc.Timespec time;
        return process is > 0 and <= PidMaxLimit && Libc.clock_gettime((~process << 3) | 2, &time) == 0 ? (time.Seconds * 1_000_000_000) + time.Nanoseconds : null;
    }
}
