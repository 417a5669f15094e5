using System.Diagnostics;
using WarpProxy.Tls;

namespace WarpProxy.Live;

/// <summary>
/// The slowest handshakes of the last five minutes, by the time that the proxy took for them: the client's own time is no fault of either path. Each half
/// minute has a list of its own, made at the start. A handshake that is not slow enough for the list meets one comparison and no lock. Any thread.
/// </summary>
internal sealed class SlowestBoard
{
    /// <summary>Lists, one for each half minute.</summary>
    public const int SliceCount = 10;

    /// <summary>Handshakes that a list keeps.</summary>
    public const int Length = 10;

    /// <summary>What a list is for.</summary>
    public static readonly TimeSpan SliceTime = TimeSpan.FromSeconds(30);

    private readonly Slice[] _slices = [.. Enumerable.Range(0, SliceCount).Select(static _ => new Slice())];
    private volatile int _current;

    /// <summary>A handshake with a private-key operation has ended.</summary>
    public void Offer(Handshake handshake, long ended)
    {
        ref HandshakeSteps steps = ref handshake.Steps;
        long begun = steps.LaneAsked;
        long answered = steps.Answered;
        if (begun != 0 && answered > begun)
        {
            _slices[_current].Offer(handshake, ended, answered - begun);
        }
    }

    /// <summary>Begins the next list, in place of the oldest; called every <see cref="SliceTime"/>.</summary>
    public void Turn()
    {
        int next = (_current + 1) % SliceCount;
        _slices[next].Clear();
        _current = next;
    }

    /// <summary>The slowest of all lists, the slowest first.</summary>
    /// <param name="now">Of <see cref="Stopwatch"/>.</param>
    public IReadOnlyList<SlowHandshake> Read(long now)
    {
        List<SlowEntry> all = [];
        foreach (Slice slice in _slices)
        {
            slice.AddTo(all);
        }

        return [.. all.OrderByDescending(static entry => entry.ProxyTicks).Take(Length).Select(entry => SlowHandshake.Of(entry, now))];
    }

    private sealed class Slice
    {
        private readonly Lock _gate = new();
        private readonly SlowEntry[] _entries = new SlowEntry[Length];
        private int _count;             // under _gate, as are the entries
        private long _least;            // what it takes to get in; written under _gate

        public void Offer(Handshake handshake, long ended, long proxyTicks)
        {
            // An old value only costs a look under the gate, or leaves out one that was about as slow as the others.
            if (proxyTicks <= Volatile.Read(ref _least))
            {
                return;
            }

            lock (_gate)
            {
                int place = _count < Length ? _count++ : FindLeast();
                if (_entries[place].ProxyTicks >= proxyTicks)
                {
                    return;
                }

                _entries[place] = new SlowEntry(handshake, ended, proxyTicks);
                Volatile.Write(ref _least, _count < Length ? 0 : _entries[FindLeast()].ProxyTicks);
            }
        }

        public void Clear()
        {
            lock (_gate)
            {
                Array.Clear(_entries);
                _count = 0;
                Volatile.Write(ref _least, 0);
            }
        }

        public void AddTo(List<SlowEntry> all)
        {
            lock (_gate)
            {
                all.AddRange(_entries.AsSpan(0, _count));
            }
        }

        private int FindLeast()
        {
            int least = 0;
            for (int i = 1; i < Length; i++)
            {
                if (_entries[i].ProxyTicks < _entries[least].ProxyTicks)
                {
                    least = i;
                }
            }

            return least;
        }
    }
}

/// <summary>What is kept of a slow handshake.</summary>
internal readonly struct SlowEntry(Handshake handshake, long ended, long proxyTicks)
{
    /// <summary>From the lane that was asked for to the answer that was written.</summary>
    public long ProxyTicks { get; } = proxyTicks;

    /// <summary>When the client's first byte came.</summary>
    public long Begun { get; } = handshake.Begun;

    /// <summary>When it was over.</summary>
    public long Ended { get; } = ended;

    /// <summary>One of <see cref="Telemetry.HandshakePath"/>.</summary>
    public string Path { get; } = handshake.Path;

    /// <summary>Of the key.</summary>
    public int ModulusBits { get; } = handshake.ModulusBits;

    /// <summary>What it was shown with.</summary>
    public string? Certificate { get; } = handshake.Certificate;

    /// <summary>Why software took over from a device.</summary>
    public string? Fallback { get; } = handshake.Fallback;

    /// <summary>When each step was done.</summary>
    public HandshakeSteps Steps { get; } = handshake.Steps;
}
