using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace WarpDrive.Linux;

/// <summary>
/// Adds one to an eventfd that another process holds too, and never waits. write(2) may: whoever holds the same open file can clear its
/// O_NONBLOCK and fill its counter, at any moment between a look and the write, and the writer then sleeps for as long as the other likes.
/// What the kernel itself adds never waits, so an empty read is submitted whose completion is told to the eventfd (io_submit(2), IOCB_FLAG_RESFD).
/// </summary>
/// <remarks>Any thread may call any member. Two to three microseconds, where write(2) takes one.</remarks>
internal static unsafe class PeerEventFd
{
    private const int Capacity = 256;   // completions that may wait to be taken
    private const int Batch = 32;       // taken at once, each so many signals
    private const int MaxAttempts = 100;

    // asm/unistd_64.h; asm-generic/unistd.h.
    private static readonly (int Setup, int Submit, int GetEvents) Numbers = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => (206, 209, 208),
        Architecture.Arm64 => (0, 2, 4),
        Architecture other => throw new PlatformNotSupportedException($"The number of io_submit(2) is known here for X64 and Arm64, not for {other}."),
    };

    private static readonly nint Context = Setup();
    private static readonly int Empty = Context == 0 ? -1 : Libc.open("/dev/null", Libc.O_RDONLY | Libc.O_CLOEXEC);
    private static int _signalCount;

    /// <summary>Whether this system has the call; some sandboxes refuse it.</summary>
    public static bool IsSupported => Empty >= 0;

    /// <summary>Adds one. False: the kernel refused, or <paramref name="fd"/> is no eventfd.</summary>
    public static bool TrySignal(int fd)
    {
        if (!IsSupported || fd < 0)
        {
            return false;
        }

        // Before there is no room, and not each time: one call instead of two.
        if ((Interlocked.Increment(ref _signalCount) & (Batch - 1)) == 0)
        {
            TakeCompletions();
        }

        byte nothing;
        var request = new Libc.IoControlBlock
        {
            OperationCode = Libc.IOCB_CMD_PREAD,
            FileDescriptor = (uint)Empty,
            Buffer = (ulong)&nothing,
            Flags = Libc.IOCB_FLAG_RESFD,
            ResultDescriptor = (uint)fd,
        };
        Libc.IoControlBlock* requests = &request;
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (Libc.io_submit(Numbers.Submit, Context, 1, &requests) == 1)
            {
                return true;
            }

            if (Marshal.GetLastPInvokeError() != Errno.EAGAIN)
            {
                return false;
            }

            // Others filled the ring of completions meanwhile.
            TakeCompletions();
        }

        return false;
    }

    [SkipLocalsInit]
    private static void TakeCompletions()
    {
        Libc.IoEvent* events = stackalloc Libc.IoEvent[2 * Batch];
        _ = Libc.io_getevents(Numbers.GetEvents, Context, 0, 2 * Batch, events, null);
    }

    private static nint Setup()
    {
        nint context = 0;
        return Libc.io_setup(Numbers.Setup, Capacity, &context) == 0 ? context : 0;
    }
}
