using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using WarpDrive.Driver.Paths;
using WarpDrive.Linux;

namespace WarpDrive.Driver;

/// <summary>
/// One device of a pool: its queues, handed out last-in-first-out, and its state. Operations rent and return on any
/// thread; everything else is the supervisor's.
/// </summary>
internal sealed partial class PooledDevice
{
    // How often to look at a queue that owes an answer: most come a little late, and the next operation may need the queue.
    private static readonly TimeSpan StallInterval = TimeSpan.FromMilliseconds(10);

    // A device that has fewer queues than asked for is asked again only so often.
    private static readonly TimeSpan FullDeviceInterval = TimeSpan.FromSeconds(5);

    // A round that took this long opens no further queue; the next one does.
    private static readonly TimeSpan SlowOpening = TimeSpan.FromSeconds(1);

    private readonly DeviceEndpoint _endpoint;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly PooledQueue[] _queues;
    private readonly IndexStack _idle;
    private readonly List<PooledQueue> _drained = [];
    private readonly CircuitBreaker _breaker;
    private volatile QueuePoolOptions _options;
    private int _rentedCount;
    private volatile bool _isLeaving;       // gets no work, and never will again
    private volatile int _eraseGeneration;
    private KnownAnswerProbe? _probe;       // the supervisor's: under way, on the first queue
    private volatile IReadOnlyList<ProbeResult> _lastProbe = [];
    private bool _hasBeenTried;
    private long _refusedSince;             // when it refused a queue though others are open; 0: it did not
    private volatile string? _engine;
    private int _engineCount;
    private int _engineLanes;

    public PooledDevice(DeviceEndpoint endpoint, QueuePoolOptions options, ILogger logger, TimeProvider time)
    {
        _endpoint = endpoint;
        _options = options;
        _logger = logger;
        _time = time;
        _breaker = new CircuitBreaker(options.Breaker, time);
        Path = new DevicePath(endpoint.ReadWork);
        _idle = new IndexStack(options.QueuesPerDevice);
        _queues = new PooledQueue[options.QueuesPerDevice];
        for (int i = 0; i < _queues.Length; i++)
        {
            _queues[i] = new PooledQueue(i, options, time);
        }
    }

    public string Uri => _endpoint.Uri;

    /// <summary>
    /// Its limits, which may change while it works; but not those that its queues were made with (<see cref="QueuePoolOptions.QueuesPerDevice"/>,
    /// <see cref="QueuePoolOptions.Depth"/>).
    /// </summary>
    public QueuePoolOptions Options
    {
        get => _options;
        set
        {
            _options = value;
            _breaker.Options = value.Breaker;
            Array.ForEach(_queues, queue => queue.Options = value);
        }
    }

    /// <summary>The thread that looks after it; set once, before the device gets work.</summary>
    public DeviceSupervisor? Supervisor { get; set; }

    /// <summary>What it needs for operations, as measured.</summary>
    public DevicePath Path { get; }

    /// <summary>Engines that serve all its queues, as it says itself; 0 before it was seen.</summary>
    public int EngineCount => Volatile.Read(ref _engineCount);

    public int RentedCount => Volatile.Read(ref _rentedCount);

    /// <summary>Whether an operation could be given to it now.</summary>
    public bool HasIdleQueue => _breaker.IsClosed && !_isLeaving && !_idle.IsEmpty;

    /// <summary>Whether any queue is open for operations.</summary>
    public bool IsReady => _breaker.IsClosed && !_isLeaving && HasOpenQueue;

    /// <summary>Whether it is there, or was when it was last used, and gets no work.</summary>
    public bool IsKeptOut => !_isLeaving && GetState() is DeviceState.Quarantined or DeviceState.Probing;

    /// <summary>Whether a probe is under way; the supervisor's.</summary>
    public bool IsProbing => _probe is not null;

    /// <summary>How long the supervisor may sleep; of the supervisor.</summary>
    public TimeSpan RoundInterval => Array.Exists(_queues, static queue => queue.Owner == QueueOwner.Stalled) && StallInterval < _options.RetryInterval
        ? StallInterval
        : _options.RetryInterval;

    private bool HasOpenQueue => Array.Exists(_queues, static queue => queue.Owner is not (QueueOwner.Absent or QueueOwner.Broken));

    /// <summary>Goes up with each key to be erased. A queue that is behind goes to the supervisor instead of to the next operation.</summary>
    public int EraseGeneration
    {
        get => _eraseGeneration;
        set => _eraseGeneration = value;
    }

    public bool TryRent([NotNullWhen(true)] out PooledQueue? queue)
    {
        queue = null;
        if (!_breaker.IsClosed || _isLeaving || !_idle.TryPop(out int number))
        {
            return false;
        }

        queue = _queues[number];
        queue.Owner = QueueOwner.Operation;
        Interlocked.Increment(ref _rentedCount);
        return true;
    }

    /// <summary>What is expected of it for keys of one size, with this load.</summary>
    public DevicePathStatus ReadPath(int size, double load)
    {
        DeviceService service = Path[size];
        long expected = service.SharesProcessors ? service.ExpectWork(load, Math.Max(1, EngineCount)) : service.Answers.Expect(RentedCount + 1);
        return new DevicePathStatus(Uri, QueuePool.ToMicroseconds(expected), service.Answers.Read(), service.SharesProcessors ? service.Work.Read() : null);
    }

    /// <summary>Learns from an operation that has ended how long it takes here.</summary>
    public void Learn(in PathMeter meter, AcceleratorError outcome) => Path.End(meter, outcome, QueuePool.ToNanoseconds(_time, _time.GetTimestamp()));

    /// <summary>Takes a queue back from an operation.</summary>
    public void Return(PooledQueue queue, AcceleratorError outcome)
    {
        Interlocked.Decrement(ref _rentedCount);
        if (GiveAway(queue, outcome) || _isLeaving)
        {
            Supervisor?.Wake();
        }
    }

    /// <summary>
    /// One round of the supervisor: closes what is broken, takes abandoned operations back, erases keys, probes, opens what is absent.
    /// </summary>
    /// <param name="retired">Keys to erase: all that were retired up to <paramref name="generation"/> and are still held.</param>
    /// <param name="generation">The <see cref="EraseGeneration"/> that belongs to <paramref name="retired"/>.</param>
    /// <exception cref="AcceleratorException">What answers is no WarpDrive device; thrown until the first probe.</exception>
    public void Supervise(IReadOnlyList<DeviceKey> retired, int generation)
    {
        _breaker.Observe();
        NoticeIsolation();
        if (retired.Count > 0 || !_breaker.IsClosed || Array.Exists(_queues, static queue => queue.Owner == QueueOwner.Idle && queue.IsGone))
        {
            SortIdle(retired, generation);
        }

        foreach (PooledQueue queue in _queues)
        {
            switch (queue.Owner)
            {
                case QueueOwner.Stalled:
                    Recover(queue, retired, generation);
                    break;
                case QueueOwner.Broken:
                case QueueOwner.Erasing when queue.IsGone:
                    queue.Close();
                    break;
                case QueueOwner.Erasing:
                    EraseAndRest(queue, retired, generation);
                    break;
            }
        }

        ReportGivenUp();
        ReportOpening();
        ReportUnlocked();
        NoticeLoss();
        Probe(generation);
        if (_breaker.IsClosed)
        {
            OpenAbsent(generation);
        }
    }

    /// <summary>Waits until the probe that is under way has something to do, but not long. The supervisor's.</summary>
    public void WaitForProbe() => _probe?.Wait(_options.RetryInterval);

    public DeviceStatus GetStatus() => new(
        Uri,
        GetState(),
        _engine,
        _engineCount,
        _engineLanes,
        _queues.Count(static queue => queue.Owner != QueueOwner.Absent),
        _queues.Sum(static queue => queue.OperationCount),
        _breaker.GetStatus(),
        _lastProbe);

    /// <summary>Whether any arena still has a copy of the key. Right only for keys that no operation uses any more.</summary>
    public bool Holds(DeviceKey key) => Array.Exists(_queues, queue => queue.Holds(key));

    public int CountSlotsInUse() => _queues.Sum(static queue => queue.InFlight);

    public int CountQueuesInUse() => _queues.Count(static queue => queue.Owner is not (QueueOwner.Absent or QueueOwner.Idle));

    /// <summary>Nothing is rented any more.</summary>
    public void BeginLeave() => _isLeaving = true;

    /// <summary>Closes all queues that no operation uses; returns whether that were all. After <see cref="BeginLeave"/>.</summary>
    public bool TryClose()
    {
        SortIdle([], _eraseGeneration);
        _probe = null;
        foreach (PooledQueue queue in _queues)
        {
            if (queue.Owner is QueueOwner.Broken or QueueOwner.Stalled or QueueOwner.Erasing or QueueOwner.Probing)
            {
                queue.Close();
            }
        }

        return Array.TrueForAll(_queues, static queue => queue.Owner == QueueOwner.Absent);
    }

    private DeviceState GetState() => _breaker.State switch
    {
        BreakerState.Open => DeviceState.Quarantined,
        BreakerState.HalfOpen => Array.Exists(_queues, static queue => queue.Owner == QueueOwner.Probing) ? DeviceState.Probing : DeviceState.Absent,
        _ => HasOpenQueue ? DeviceState.Ready : DeviceState.Absent,
    };

    /// <summary>The queue is no more the caller's. Returns whether the supervisor should look at once.</summary>
    private bool GiveAway(PooledQueue queue, AcceleratorError outcome)
    {
        if (outcome == AcceleratorError.None)
        {
            _breaker.Succeeded();
        }
        else
        {
            // Before the queue is given away: when all are closed, every outcome was reported, and none reaches the breaker's next time.
            _breaker.Failed(outcome);
        }

        switch (outcome)
        {
            case AcceleratorError.Deadline:
                queue.StalledSince = _time.GetTimestamp();
                queue.Owner = QueueOwner.Stalled;
                return true;
            case AcceleratorError.DeviceGone or AcceleratorError.Protocol or AcceleratorError.WrongResult:
                queue.Owner = QueueOwner.Broken;
                return true;
            default:
                if (queue.EraseGeneration != _eraseGeneration)
                {
                    queue.Owner = QueueOwner.Erasing;
                    return true;
                }

                Rest(queue);
                return !_breaker.IsClosed;
        }
    }

    /// <summary>Has the device answer what is known, when the time for it has come, and closes or opens the breaker by that.</summary>
    private void Probe(int generation)
    {
        // A new connection is the reset: only when nothing of the old ones is left.
        if (_probe is null && Array.TrueForAll(_queues, static queue => queue.Owner == QueueOwner.Absent))
        {
            if (_breaker.TryHalfOpen())
            {
                ReportHalfOpen();
            }

            if (_breaker.State == BreakerState.HalfOpen)
            {
                BeginProbe(generation);
            }
        }

        if (_probe is null || !IsProbeOver(_probe, out string? failure))
        {
            return;
        }

        _lastProbe = [.. _probe.Results];
        _probe = null;
        PooledQueue queue = _queues[0];
        if (failure is null)
        {
            // Idle before the breaker closes: a device that is ready has a queue to give.
            Rest(queue);
            _breaker.ProbeSucceeded();
            ReportReady(queue.Device);
        }
        else
        {
            queue.Close();
            FailProbe(failure);
        }
    }

    private void BeginProbe(int generation)
    {
        PooledQueue queue = _queues[0];
        try
        {
            queue.Open(_endpoint, generation);
            queue.Owner = QueueOwner.Probing;
            (_engine, _engineCount, _engineLanes) = (queue.Device.EngineName, queue.Device.EngineCount, queue.Device.EngineLanes);
            _probe = queue.CreateProbe(KnownAnswerProbe.OperationCountOf(queue.Device));
        }
        catch (LinuxException e)
        {
            ReportAbsence(e);
        }
        catch (DeviceIsolatedException e)
        {
            _breaker.Isolated(e.Message.TrimEnd('.'));
            ReportOpening();
        }
        catch (AcceleratorException e) when (_hasBeenTried)
        {
            FailProbe(e.Message.TrimEnd('.'));
        }
        finally
        {
            _hasBeenTried = true;
        }
    }

    /// <summary>Devices that the kernel took out of use may still answer, for a while and perhaps wrongly.</summary>
    private void NoticeIsolation()
    {
        if (!_breaker.IsClosed)
        {
            return;
        }

        foreach (PooledQueue queue in _queues)
        {
            if (queue.Owner != QueueOwner.Absent && queue.Device.FindObstacle() is { } obstacle)
            {
                _breaker.Isolated(obstacle);
                return;
            }
        }
    }

    private static bool IsProbeOver(KnownAnswerProbe probe, out string? failure)
    {
        try
        {
            bool isOver = probe.TryPoll();
            failure = probe.Failure?.ToString();
            return isOver;
        }
        catch (LinuxException e)
        {
            failure = e.Message;
            return true;
        }
    }

    private void FailProbe(string detail)
    {
        _breaker.ProbeFailed(detail);
        ReportOpening();
    }

    private void SortIdle(IReadOnlyList<DeviceKey> retired, int generation)
    {
        // For a moment no queue is idle, and operations that come meanwhile run in software.
        while (_idle.TryPop(out int number))
        {
            _drained.Add(_queues[number]);
        }

        foreach (PooledQueue queue in _drained)
        {
            if (queue.IsGone || !_breaker.IsClosed || _isLeaving)
            {
                queue.Close();
            }
            else
            {
                EraseAndRest(queue, retired, generation);
            }
        }

        _drained.Clear();
    }

    private void EraseAndRest(PooledQueue queue, IReadOnlyList<DeviceKey> retired, int generation)
    {
        // Not the device's generation of now: a key that was retired since the list was made brings the queue here once more.
        queue.EraseGeneration = generation;
        foreach (DeviceKey key in retired)
        {
            queue.Erase(key);
        }

        Rest(queue);
    }

    private void Rest(PooledQueue queue)
    {
        queue.Owner = QueueOwner.Idle;
        _idle.Push(queue.Number);
    }

    private void Recover(PooledQueue queue, IReadOnlyList<DeviceKey> retired, int generation)
    {
        bool? isEmpty = queue.TryReapAbandoned();
        if (isEmpty is null)
        {
            _breaker.Failed(AcceleratorError.Protocol);
            queue.Close();
        }
        else if (isEmpty.Value && !queue.IsGone)
        {
            EraseAndRest(queue, retired, generation);
        }
        else if (queue.IsGone || _time.GetElapsedTime(queue.StalledSince) > _options.StallLimit)
        {
            NoticeGivenUp(queue);
            queue.Close();
        }
    }

    private void OpenAbsent(int generation)
    {
        if (_refusedSince != 0 && IsReady && _time.GetElapsedTime(_refusedSince) < FullDeviceInterval)
        {
            return;
        }

        _refusedSince = 0;
        long start = _time.GetTimestamp();
        foreach (PooledQueue queue in _queues)
        {
            if (queue.Owner != QueueOwner.Absent)
            {
                continue;
            }

            // The process waits for the first round of each device when it starts, and for the last when it ends.
            if (_time.GetElapsedTime(start) > SlowOpening)
            {
                break;
            }

            try
            {
                queue.Open(_endpoint, generation);
            }
            catch (LinuxException e)
            {
                // The others would fail alike; a later round tries again.
                _refusedSince = _time.GetTimestamp();
                ReportAbsence(e);
                break;
            }

            Rest(queue);
        }
    }
}
