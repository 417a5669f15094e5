using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace WarpDrive.Linux;

/// <summary>
/// futex(2) on a word that only this process uses: sleeping while the word has a value, and waking who sleeps on it. The word
/// must not move: pinned or native memory.
/// </summary>
internal static unsafe class Futex
{
    // asm/unistd_64.h; asm-generic/unistd.h.
    private static readonly int Number = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 202,
        Architecture.Arm64 => 98,
        Architecture other => throw new PlatformNotSupportedException($"The number of futex(2) is known here for X64 and Arm64, not for {other}."),
    };

    /// <summary>
    /// Sleeps if the word has the value. The kernel compares and goes to sleep in one step, with respect to <see cref="Wake"/>.
    /// </summary>
    /// <param name="word">The word.</param>
    /// <param name="value">What it must be for the thread to sleep.</param>
    /// <param name="timeout">At most so long; null: no limit.</param>
    /// <returns>False: the time is over. True says nothing: woken, another value, a signal, or no reason; look at the word again.</returns>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static bool Wait(ref int word, int value, TimeSpan? timeout)
    {
        Libc.TimeSpec time = default;
        if (timeout is { } limit)
        {
            time.Seconds = limit.Ticks / TimeSpan.TicksPerSecond;
            time.Nanoseconds = limit.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick;
        }

        int* address = (int*)Unsafe.AsPointer(ref word);
        if (Libc.futex(Number, address, Libc.FUTEX_WAIT_PRIVATE, value, timeout is null ? null : &time, null, 0) == 0)
        {
            return true;
        }

        int error = Marshal.GetLastPInvokeError();
        return error switch
        {
            Errno.ETIMEDOUT => false,
            Errno.EAGAIN or Errno.EINTR => true,
            _ => throw new LinuxException("futex", "wait", error),
        };
    }

    /// <summary>Wakes one thread that sleeps on the word; returns whether there was one.</summary>
    public static bool Wake(ref int word) =>
        Libc.futex(Number, (int*)Unsafe.AsPointer(ref word), Libc.FUTEX_WAKE_PRIVATE, 1, null, null, 0) == 1;
}
