using System.Diagnostics;

namespace WarpDrive.Linux;

/// <summary>
/// What one thread sleeps on until another signals it: an AutoResetEvent for one sleeper. .NET's own takes a lock that the whole
/// process shares at each signal and each wait; this one costs a system call where somebody really sleeps or is woken, else none.
/// One thread may wait at a time, any thread may signal. <see cref="Thread.Interrupt"/> does not end a wait.
/// </summary>
/// <remarks>
/// <code>
/// empty ---Wait---> asleep        empty, asleep ---Signal---> signalled ---Wait---> empty        asleep ---time over---> empty
/// </code>
/// No signal is lost: the waiter goes from empty to asleep in one atomic step, so a signal that came before is found; and the
/// kernel puts the thread to sleep only if the word still says asleep, so a signal that comes in between keeps it awake. Signals
/// that nobody has waited for yet count as one.
/// All changes are Interlocked, hence full barriers: whatever was written before <see cref="Signal"/> is seen after the wait that
/// takes the signal.
/// </remarks>
public sealed class ThreadWake
{
    private const int Empty = 0;
    private const int Signalled = 1;
    private const int Asleep = 2;

    // Pinned, since the kernel knows the word by its address; in the middle of two cache lines' length, so that it shares none.
    private const int WordIndex = 16;
    private readonly int[] _memory = GC.AllocateArray<int>(2 * WordIndex, pinned: true);

    /// <summary>What the thread sleeps on.</summary>
    internal ref int Word => ref _memory[WordIndex];

    /// <summary>Ends the wait of the thread that waits, or else the next wait that begins.</summary>
    public void Signal()
    {
        if (Interlocked.Exchange(ref Word, Signalled) == Asleep)
        {
            Futex.Wake(ref Word);
        }
    }

    /// <summary>Sleeps until there is a signal, and takes it.</summary>
    public void Wait() => Wait(null);

    /// <summary>As <see cref="Wait()"/>, but at most <paramref name="timeout"/>; zero or less only looks.</summary>
    /// <returns>Whether there was a signal.</returns>
    public bool Wait(TimeSpan timeout) => Wait((TimeSpan?)timeout);

    private bool Wait(TimeSpan? timeout)
    {
        int before = Interlocked.CompareExchange(ref Word, Asleep, Empty);
        Debug.Assert(before != Asleep, "another thread waits already");
        if (before == Empty)
        {
            long start = timeout is null ? 0 : Stopwatch.GetTimestamp();
            while (Volatile.Read(ref Word) == Asleep)
            {
                TimeSpan? left = timeout - Stopwatch.GetElapsedTime(start);
                if ((left <= TimeSpan.Zero || !Futex.Wait(ref Word, Asleep, left))
                    && Interlocked.CompareExchange(ref Word, Empty, Asleep) == Asleep)
                {
                    return false;
                }
            }
        }

        // An exchange and no plain write: if another signal comes at this moment, its writes are seen too, or it stays.
        Interlocked.Exchange(ref Word, Empty);
        return true;
    }
}
