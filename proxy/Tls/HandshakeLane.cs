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
    private static HandshakeLane? _currentLane;

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

    /// <summary>Whether it counts among those that compute. Under the gate of its lanes.</summary>
    public bool IsComputing { get; set; }

    /// <summary>Handshakes that are on lanes or wait for one, as far as there are lanes, where the calling thread is one of them; else 1.</summary>
    public static int CountLoad() => _currentLane?._lanes.LoadAbout ?? 1;

    /// <summary>Called by a thread that waits for a device from now on: if it is a lane, another one may compute.</summary>
    public static void BeginDevice()
    {
        if (_currentLane is { } lane)
        {
            lane._lanes.BeginDevice(lane);
        }
    }

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
        _currentLane = this;
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
