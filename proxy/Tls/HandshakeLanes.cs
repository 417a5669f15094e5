using System.Diagnostics.CodeAnalysis;

namespace WarpProxy.Tls;

/// <summary>
/// A bounded number of <see cref="HandshakeLane"/>s and the bounded queue in front of them. Of the idle lanes the one that
/// worked last works next: its caches are warm, and the others sleep on. Any thread may call any member.
/// </summary>
/// <remarks>
/// There are many lanes so that many can wait for a device. As many as there are processors compute: more would not be done earlier, but in a
/// storm they would all compete with the threads that serve established connections, and with the garbage collector while those wait for it.
/// A lane that has given its operation to a device computes no more, and another may begin; what little is left of its handshake it computes
/// beyond the number.
/// </remarks>
internal sealed class HandshakeLanes : IDisposable
{
    /// <summary>So many handshakes that wait for a lane are a crowd: those that come wait in the kernel.</summary>
    public const int CrowdBegins = 64;

    /// <summary>Until so few are left.</summary>
    public const int CrowdEnds = 32;

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly HandshakeLane[] _lanes;
    private readonly Stack<HandshakeLane> _idle;
    private readonly Queue<Waiting> _waiting = new();
    private readonly int _maxComputing;
    private readonly int _maxWaiting;
    private readonly TimeSpan _waitTimeout;
    private readonly TimeProvider _time;
    private readonly HandshakeCounters _counters;
    private readonly ITimer _expiry;    // armed while somebody waits, for the one who waits longest
    private int _computing;
    private TaskCompletionSource? _room;    // whom a crowd is kept waiting for, while there is one
    private bool _isStopped;

    /// <summary>Starts the lanes.</summary>
    /// <param name="options">How many, and how many wait how long.</param>
    /// <param name="time">The clock.</param>
    /// <param name="counters">Where refusals are counted.</param>
    /// <param name="processors">How many lanes compute at the same time; null: as many as this process has processors.</param>
    public HandshakeLanes(TlsOptions options, TimeProvider time, HandshakeCounters counters, int? processors = null)
    {
        _maxComputing = processors ?? Environment.ProcessorCount;
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

    /// <summary>Lanes that there are.</summary>
    public int Count => _lanes.Length;

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

    /// <summary>
    /// How many lanes there would be at work if all might compute: those that are, and those that handshakes wait for. A moment ago, and without waiting for
    /// anybody: for each operation.
    /// </summary>
    public int LoadAbout => Math.Min(_lanes.Length, _lanes.Length - _idle.Count + _waiting.Count);

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
    /// Done when so few wait for a lane that more may come. Who asks before it takes a connection leaves a crowd where it costs nothing, in the
    /// kernel; and it is no longer than lanes need for what is there, since the wait for a device is bounded.
    /// </summary>
    public Task WhenRoomAsync()
    {
        lock (_gate)
        {
            if (_waiting.Count < CrowdBegins || _isStopped)
            {
                return Task.CompletedTask;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
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
            else if (!TryBegin(out lane))
            {
                // Who waits for a processor while there is a lane does not wait for a lane.
                if (_waiting.Count >= _maxWaiting + _idle.Count)
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

    /// <summary>Called by a lane that waits for a device from now on: another may compute.</summary>
    public void BeginDevice(HandshakeLane lane)
    {
        HandshakeLane? next = null;
        Waiting waiting = default;
        lock (_gate)
        {
            if (!lane.IsComputing)
            {
                return;
            }

            lane.IsComputing = false;
            _computing--;
            if (_waiting.Count > 0 && TryBegin(out next))
            {
                waiting = Dequeue();
            }
        }

        next?.Give(waiting.Entry);
    }

    /// <summary>Called by a lane that is done: gives it the one who waits longest, or takes it back as idle.</summary>
    /// <returns>What to resume next; null when nobody waits, or others compute already.</returns>
    public LaneEntry? TakeWaitingOrRest(HandshakeLane lane)
    {
        lock (_gate)
        {
            _computing -= lane.IsComputing ? 1 : 0;
            lane.IsComputing = false;
            if (_computing < _maxComputing && _waiting.Count > 0)
            {
                _computing++;
                lane.IsComputing = true;
                return Dequeue().Entry;
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
            while (_waiting.Count > 0)
            {
                refused.Add(Dequeue().Entry);
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

    /// <summary>Under the gate.</summary>
    private Waiting Dequeue()
    {
        Waiting first = _waiting.Dequeue();
        if (_room is not null && _waiting.Count <= CrowdEnds)
        {
            _room.SetResult();
            _room = null;
        }

        return first;
    }

    /// <summary>Takes an idle lane that may compute. Under the gate.</summary>
    private bool TryBegin([NotNullWhen(true)] out HandshakeLane? lane)
    {
        lane = null;
        if (_computing >= _maxComputing || !_idle.TryPop(out lane))
        {
            return false;
        }

        _computing++;
        lane.IsComputing = true;
        return true;
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

                refused.Add(Dequeue().Entry);
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
