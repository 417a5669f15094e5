using WarpDrive.Linux;

namespace WarpDrive.Emulator;

/// <summary>
/// The open queues, and the sleep of the engines that serve them. Any thread may call any member; engines see the queues as
/// an array that is replaced, never changed.
/// </summary>
/// <remarks>
/// "Device asleep" of the started queues is 1 while an engine sleeps, also when others are awake: so a host can wake the sleeper
/// while the rest computes. An engine sets the flags, and looks at each queue after its flag, both before it sleeps and after
/// it fetched while another sleeps; the one whose waking leaves nobody asleep clears them. Should two of them cross, an engine that
/// is awake will set the flags again, since it must before it sleeps.
/// </remarks>
internal sealed class Scheduler : IDisposable
{
    /// <summary>A host that returns a head rings nothing, so a queue that waits for one has to be looked at.</summary>
    private static readonly TimeSpan SleepWithFullQueue = TimeSpan.FromMilliseconds(1);

    private readonly Lock _lock = new();
    private readonly Epoll _epoll = new();
    private readonly EventFd _wake = new();
    private readonly TimeSpan _longestSleep;
    private volatile VirtualQueue[] _queues = [];
    private volatile bool _stopping;
    private int _sleepers;
    private int _busy;

    /// <summary>Creates a scheduler without queues.</summary>
    /// <exception cref="LinuxException">No descriptor left.</exception>
    public Scheduler(TimeSpan longestSleep)
    {
        _longestSleep = longestSleep;
        _epoll.Add(_wake);
    }

    /// <summary>The open queues at this moment.</summary>
    public VirtualQueue[] Queues => _queues;

    /// <summary>Whether engines are to end.</summary>
    public bool IsStopping => _stopping;

    /// <summary>Engines that sleep or are about to.</summary>
    public int Sleepers => Volatile.Read(ref _sleepers);

    /// <summary>Engines that hold operations.</summary>
    public int Busy => Volatile.Read(ref _busy);

    /// <summary>Serves a queue from now on.</summary>
    /// <exception cref="LinuxException">The kernel's limit of watched descriptors is reached.</exception>
    public void Add(VirtualQueue queue)
    {
        lock (_lock)
        {
            _epoll.Add(queue.DoorbellEvent);
            _queues = [.. _queues, queue];
        }
    }

    /// <summary>Forgets a queue; returns whether it was there. An engine may still hold the old array for one pass.</summary>
    public bool Remove(VirtualQueue queue)
    {
        lock (_lock)
        {
            int at = Array.IndexOf(_queues, queue);
            if (at < 0)
            {
                return false;
            }

            _epoll.Remove(queue.DoorbellEvent);
            _queues = [.. _queues.AsSpan(0, at), .. _queues.AsSpan(at + 1)];
            return true;
        }
    }

    /// <summary>An engine has fetched: it is busy, and if another sleeps, wakes it for what waits still.</summary>
    public void EnterBusy()
    {
        Interlocked.Increment(ref _busy);
        if (Sleepers == 0)
        {
            return;
        }

        foreach (VirtualQueue queue in _queues)
        {
            if (queue.Arm() == FetchOutcome.Ready)
            {
                Wake();
                return;
            }
        }
    }

    /// <summary>An engine holds no operation any more.</summary>
    public void LeaveBusy() => Interlocked.Decrement(ref _busy);

    /// <summary>Sleeps until something is posted, or may be.</summary>
    public void Sleep()
    {
        Interlocked.Increment(ref _sleepers);
        TimeSpan timeout = _longestSleep;
        foreach (VirtualQueue queue in _queues)
        {
            FetchOutcome found = queue.Arm();
            if (found == FetchOutcome.Ready)
            {
                timeout = TimeSpan.Zero;
                break;
            }

            if (found == FetchOutcome.CompletionQueueFull)
            {
                timeout = SleepWithFullQueue;
            }
        }

        if (timeout != TimeSpan.Zero && !_stopping)
        {
            _epoll.Wait(timeout);
        }

        if (Interlocked.Decrement(ref _sleepers) == 0)
        {
            foreach (VirtualQueue queue in _queues)
            {
                queue.Disarm();
            }
        }
    }

    /// <summary>Wakes one engine that sleeps; or the next one that is about to, if none does.</summary>
    public void Wake() => _wake.Signal();

    /// <summary>Has every engine end after what it holds. Each one wakes the next when it ends.</summary>
    public void Stop()
    {
        _stopping = true;
        Wake();
    }

    /// <summary>Closes the descriptors; no engine may use the scheduler any more.</summary>
    public void Dispose()
    {
        _epoll.Dispose();
        _wake.Dispose();
    }
}
