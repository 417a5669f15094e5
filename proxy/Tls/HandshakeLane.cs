using WarpDrive.Linux;

namespace WarpProxy.Tls;

/// <summary>
/// One dedicated thread that carries handshakes through their private-key operation, where it may wait for a device:
/// the thread pool never does. Owned by <see cref="HandshakeLanes"/>.
/// </summary>
internal sealed class HandshakeLane
{
    [ThreadStatic]
    private static Handshake? _current;

    [ThreadStatic]
    private static HandshakeLanes? _currentLanes;

    private readonly HandshakeLanes _lanes;
    private readonly Thread _thread;
    private readonly ThreadWake _wake = new();
    private LaneEntry? _given;      // handed over by Give, which signals _wake after writing it

    /// <summary>Makes lane <paramref name="index"/>; <see cref="Start"/> starts its thread.</summary>
    public HandshakeLane(HandshakeLanes lanes, int index)
    {
        _lanes = lanes;
        // Background: a lane stuck in a device may not keep the process from ending.
        _thread = new Thread(Run) { IsBackground = true, Name = $"lane-{index}" };
    }

    /// <summary>Whether the calling thread is a lane at work.</summary>
    public static bool IsCurrentThread => _current is not null;

    /// <summary>The handshake that the calling lane carries; null off the lanes.</summary>
    public static Handshake? CurrentHandshake => _current;

    /// <summary>Lanes at work, where the calling thread is one of them; else 1.</summary>
    public static int CountBusy() => _currentLanes?.BusyCountAbout ?? 1;

    /// <summary>Starts the thread. Its execution context is empty: each handshake brings its own.</summary>
    public void Start() => _thread.UnsafeStart();

    /// <summary>Gives an idle lane its next piece of work; null ends the lane.</summary>
    public void Give(LaneEntry? entry)
    {
        _given = entry;
        _wake.Signal();
    }

    /// <summary>Waits until the thread has ended, at most <paramref name="timeout"/>.</summary>
    public bool Join(TimeSpan timeout) => _thread.Join(timeout);

    private void Run()
    {
        _currentLanes = _lanes;
        while (true)
        {
            _wake.Wait();
            LaneEntry? entry = _given;
            if (entry is null)
            {
                return;
            }

            // Cleared before the lane rests: from then on the next Give may come at any time.
            _given = null;
            for (; entry is not null; entry = _lanes.TakeWaitingOrRest(this))
            {
                _current = entry.Handshake;
                entry.Resume();
                _current = null;
            }
        }
    }
}
