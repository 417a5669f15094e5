namespace WarpProxy.Tls;

/// <summary>
/// A bounded number of <see cref="HandshakeLane"/>s and the bounded queue in front of them. Of the idle lanes the one that
/// worked last works next: its caches are warm, and the others sleep on. Any thread may call any member.
/// </summary>
internal sealed class HandshakeLanes : IDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly HandshakeLane[] _lanes;
    private readonly Stack<HandshakeLane> _idle;
    private readonly Queue<Waiting> _waiting = new();
    private readonly int _maxWaiting;
    private readonly TimeSpan _waitTimeout;
    private readonly TimeProvider _time;
    private readonly HandshakeCounters _counters;
    private readonly ITimer _expiry;    // armed while somebody waits, for the one who waits longest
    private bool _isStopped;

    /// <summary>Starts the lanes.</summary>
    public HandshakeLanes(TlsOptions options, TimeProvider time, HandshakeCounters counters)
    {
        _maxWaiting = options.MaxWaiting;
        _waitTimeout = options.LaneTimeout;
        _time = time;
        _counters = counters;
        _idle = new Stack<HandshakeLane>(options.Lanes);
        _expiry = time.CreateTimer(_ => RefuseExpired(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _lanes = new HandshakeLane[options.Lanes];
        for (int i = _lanes.Length - 1; i >= 0; i--)
        {
            _lanes[i] = new HandshakeLane(this, i);
            _idle.Push(_lanes[i]);
            _lanes[i].Start();
        }
    }

    /// <summary>For handshakes that need no lane: one for each processor.</summary>
    public HandshakeTurns Turns { get; } = new(Environment.ProcessorCount);

    /// <summary>Lanes at work now.</summary>
    public int BusyCount
    {
        get
        {
            lock (_gate)
            {
                return _lanes.Length - _idle.Count;
            }
        }
    }

    /// <summary>As <see cref="BusyCount"/>, a moment ago, and without waiting for anybody: for each operation.</summary>
    public int BusyCountAbout => _lanes.Length - _idle.Count;

    /// <summary>Handshakes that wait for a lane now.</summary>
    public int WaitingCount
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>
    /// Resumes <paramref name="entry"/> on a lane, now or when one is free. When too many wait already, when its wait gets too long
    /// or when the lanes have stopped, it is refused instead, on the thread pool. One of the two happens, once.
    /// </summary>
    public void Post(LaneEntry entry)
    {
        HandshakeLane? lane = null;
        LaneRefusal? refusal = null;
        lock (_gate)
        {
            if (_isStopped)
            {
                refusal = LaneRefusal.Stopped;
            }
            else if (!_idle.TryPop(out lane))
            {
                if (_waiting.Count == _maxWaiting)
                {
                    refusal = LaneRefusal.QueueFull;
                }
                else
                {
                    _waiting.Enqueue(new Waiting(entry, _time.GetTimestamp()));
                    if (_waiting.Count == 1)
                    {
                        _expiry.Change(_waitTimeout, Timeout.InfiniteTimeSpan);
                    }
                }
            }
        }

        lane?.Give(entry);
        if (refusal is { } reason)
        {
            Refuse(entry, reason);
        }
    }

    /// <summary>Called by a lane that is done: gives it the one who waits longest, or takes it back as idle.</summary>
    /// <returns>What to resume next; null when nobody waits.</returns>
    public LaneEntry? TakeWaitingOrRest(HandshakeLane lane)
    {
        lock (_gate)
        {
            if (_waiting.TryDequeue(out Waiting waiting))
            {
                return waiting.Entry;
            }

            _idle.Push(lane);
            if (_isStopped)
            {
                lane.Give(null);
            }

            return null;
        }
    }

    /// <summary>Refuses who waits, lets the lanes finish what they carry, and ends their threads.</summary>
    public void Dispose()
    {
        List<LaneEntry> refused = [];
        List<HandshakeLane> idle = [];
        lock (_gate)
        {
            if (_isStopped)
            {
                return;
            }

            _isStopped = true;
            while (_waiting.TryDequeue(out Waiting waiting))
            {
                refused.Add(waiting.Entry);
            }

            idle.AddRange(_idle);
        }

        _expiry.Dispose();
        refused.ForEach(entry => Refuse(entry, LaneRefusal.Stopped));
        idle.ForEach(lane => lane.Give(null));
        long since = _time.GetTimestamp();
        foreach (HandshakeLane lane in _lanes)
        {
            TimeSpan left = StopTimeout - _time.GetElapsedTime(since);
            lane.Join(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
    }

    private void RefuseExpired()
    {
        List<LaneEntry> refused = [];
        lock (_gate)
        {
            if (_isStopped)
            {
                return;
            }

            // All wait equally long, so the first in the queue is the first to expire.
            while (_waiting.TryPeek(out Waiting first))
            {
                TimeSpan left = _waitTimeout - _time.GetElapsedTime(first.Since);
                if (left > TimeSpan.Zero)
                {
                    // A timer of whole milliseconds must not fire before its time, or it would be set again and again.
                    _expiry.Change(left + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
                    break;
                }

                refused.Add(_waiting.Dequeue().Entry);
            }
        }

        refused.ForEach(entry => Refuse(entry, LaneRefusal.WaitTimeout));
    }

    private void Refuse(LaneEntry entry, LaneRefusal reason)
    {
        _counters.Refused(reason);
        entry.Refuse(reason);
    }

    private readonly record struct Waiting(LaneEntry Entry, long Since);
}
