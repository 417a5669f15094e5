using System.Diagnostics;

namespace WarpDrive.Linux;

/// <summary>Waits for descriptors (poll(2)).</summary>
public static unsafe class Poll
{
    private const short PollIn = 1;
    private const short PollOut = 4;

    /// <summary>Sleeps until one of two descriptors can be read or is hung up, or the time is over.</summary>
    /// <returns>Bit 0: the first is ready; bit 1: the second is; 0: the time is over.</returns>
    /// <param name="first">A descriptor.</param>
    /// <param name="second">Another, or null for none.</param>
    /// <param name="timeout">At most so long; negative counts as zero.</param>
    /// <exception cref="LinuxException">A descriptor is closed.</exception>
    public static int WaitReadable(FileDescriptor first, FileDescriptor? second, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(first);
        Libc.PollFd* fds = stackalloc Libc.PollFd[2];
        fds[0] = new Libc.PollFd { Fd = first.Number, Events = PollIn };

        // A negative descriptor is skipped by the kernel.
        fds[1] = new Libc.PollFd { Fd = second?.Number ?? -1, Events = PollIn };
        int ready = WaitAll(fds, 2, timeout);
        return ready == 0 ? 0 : (fds[0].Returned != 0 ? 1 : 0) | (fds[1].Returned != 0 ? 2 : 0);
    }

    /// <summary>Whether a descriptor can be written to now.</summary>
    /// <exception cref="LinuxException">The look failed.</exception>
    public static bool IsWritable(FileDescriptor file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var fd = new Libc.PollFd { Fd = file.Number, Events = PollOut };
        return WaitAll(&fd, 1, TimeSpan.Zero) > 0 && (fd.Returned & PollOut) != 0;
    }

    /// <summary>Sleeps until any of the descriptors can be read or is hung up, or the time is over.</summary>
    /// <param name="files">What to wait for; at most 16,384.</param>
    /// <param name="ready">As long as <paramref name="files"/>; set to whether each is ready.</param>
    /// <param name="timeout">At most so long.</param>
    /// <returns>How many are ready.</returns>
    /// <exception cref="LinuxException">The wait failed.</exception>
    public static int WaitReadable(ReadOnlySpan<FileDescriptor> files, Span<bool> ready, TimeSpan timeout)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(files.Length, 16384);
        ArgumentOutOfRangeException.ThrowIfNotEqual(ready.Length, files.Length);
        var fds = new Libc.PollFd[Math.Max(files.Length, 1)];
        for (int i = 0; i < files.Length; i++)
        {
            fds[i] = new Libc.PollFd { Fd = files[i].Number, Events = PollIn };
        }

        int count;
        fixed (Libc.PollFd* p = fds)
        {
            count = WaitAll(p, files.Length, timeout);
        }

        for (int i = 0; i < files.Length; i++)
        {
            ready[i] = fds[i].Returned != 0;
        }

        return count;
    }

    private static int WaitAll(Libc.PollFd* fds, int count, TimeSpan timeout)
    {
        long start = Stopwatch.GetTimestamp();
        TimeSpan left = timeout;
        while (true)
        {
            if (left < TimeSpan.Zero)
            {
                left = TimeSpan.Zero;
            }

            var time = new Libc.TimeSpec
            {
                Seconds = left.Ticks / TimeSpan.TicksPerSecond,
                Nanoseconds = left.Ticks % TimeSpan.TicksPerSecond * 100,
            };
            int ready = Libc.ppoll(fds, (nuint)count, &time, null);
            if (ready >= 0)
            {
                return ready;
            }

            if (System.Runtime.InteropServices.Marshal.GetLastPInvokeError() != Errno.EINTR)
            {
                throw new LinuxException("ppoll", $"{count} descriptors");
            }

            left = timeout - Stopwatch.GetElapsedTime(start);
        }
    }
}
