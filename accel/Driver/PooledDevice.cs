using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using WarpDrive.Driver.Devices;
using WarpDrive.Linux;

namespace WarpDrive.Driver;

/// <summary>
/// One device of a pool: its queues, handed out last-in-first-out, and its state. Operations rent and return on any
/// thread; everything else is the supervisor's.
/// </summary>
internal sealed class PooledDevice
{
    // A device that has fewer queues than asked for is asked again only so often.
    private static readonly TimeSpan FullDeviceInterval = TimeSpan.FromSeconds(5);

    private readonly DeviceEndpoint _endpoint;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly PooledQueue[] _queues;
    private readonly IndexStack _idle;
    private readonly List<PooledQueue> _drained = [];
    private volatile QueuePoolOptions _options;
    private int _rentedCount;
    private volatile bool _isLeaving;       // gets no work, and never will again
    private volatile int _quarantineReason; // an AcceleratorError that the supervisor has not seen yet
    private volatile bool _isQuarantined;   // gets no work
    private volatile int _eraseGeneration;
    private bool _isInQuarantine;           // the supervisor's: the clock of the quarantine runs
    private long _quarantinedSince;
    private TimeSpan _quarantine;
    private long _operationCountAtQuarantine;
    private long _refusedSince;             // when it refused a queue though others are open; 0: it did not
    private bool _wasReady;
    private bool _absenceWasLogged;
    private bool _unlockedWasLogged;
    private volatile string? _engine;
    private int _engineCount;
    private int _engineLanes;

    public PooledDevice(DeviceEndpoint endpoint, QueuePoolOptions options, ILogger logger, TimeProvider time)
    {
        _endpoint = endpoint;
        _options = options;
        _logger = logger;
        _time = time;
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
            Array.ForEach(_queues, queue => queue.Options = value);
        }
    }

    /// <summary>The thread that looks after it; set once, before the device gets work.</summary>
    public DeviceSupervisor? Supervisor { get; set; }

    public int RentedCount => Volatile.Read(ref _rentedCount);

    /// <summary>Whether an operation could be given to it now.</summary>
    public bool HasIdleQueue => !_isQuarantined && !_isLeaving && !_idle.IsEmpty;

    /// <summary>Whether any queue is open.</summary>
    public bool IsReady => !_isQuarantined && !_isLeaving && Array.Exists(_queues, static queue => queue.Owner is not (QueueOwner.Absent or QueueOwner.Broken));

    /// <summary>Goes up with each key to be erased. A queue that is behind goes to the supervisor instead of to the next operation.</summary>
    public int EraseGeneration
    {
        get => _eraseGeneration;
        set => _eraseGeneration = value;
    }

    public bool TryRent([NotNullWhen(true)] out PooledQueue? queue)
    {
        queue = null;
        if (_isQuarantined || _isLeaving || !_idle.TryPop(out int number))
        {
            return false;
        }

        queue = _queues[number];
        queue.Owner = QueueOwner.Operation;
        Interlocked.Increment(ref _rentedCount);
        return true;
    }

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
    /// One round of the supervisor: closes what is broken, takes abandoned operations back, erases keys, opens what is absent.
    /// </summary>
    /// <param name="retired">Keys to erase: all that were retired up to <paramref name="generation"/> and are still held.</param>
    /// <param name="generation">The <see cref="EraseGeneration"/> that belongs to <paramref name="retired"/>.</param>
    /// <exception cref="AcceleratorException">What answers is no WarpDrive device; thrown each time.</exception>
    public void Supervise(IReadOnlyList<DeviceKey> retired, int generation)
    {
        BeginQuarantine();
        if (retired.Count > 0 || _isQuarantined || Array.Exists(_queues, static queue => queue.Owner == QueueOwner.Idle && queue.IsGone))
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
                    queue.Close();
                    break;
                case QueueOwner.Erasing:
                    EraseAndRest(queue, retired, generation);
                    break;
            }
        }

        EndQuarantine();
        ReportUnlocked();
        try
        {
            if (!_isQuarantined)
            {
                OpenAbsent(generation);
            }
        }
        finally
        {
            ReportLoss();
        }
    }

    public DeviceStatus GetStatus()
    {
        int open = _queues.Count(static queue => queue.Owner != QueueOwner.Absent);
        DeviceState state = _isQuarantined ? DeviceState.Quarantined : IsReady ? DeviceState.Ready : DeviceState.Absent;
        return new DeviceStatus(Uri, state, _engine, _engineCount, _engineLanes, open, _queues.Sum(static queue => queue.OperationCount));
    }

    /// <summary>Whether any arena still has a copy of the key. Right only for keys that no operation uses any more.</summary>
    public bool Holds(DeviceKey key) => Array.Exists(_queues, queue => queue.Holds(key));

    public int CountSlotsInUse() => _queues.Sum(static queue => queue.InFlight);

    /// <summary>Nothing is rented any more.</summary>
    public void BeginLeave() => _isLeaving = true;

    /// <summary>Closes all queues that no operation uses; returns whether that were all. After <see cref="BeginLeave"/>.</summary>
    public bool TryClose()
    {
        SortIdle([], _eraseGeneration);
        foreach (PooledQueue queue in _queues)
        {
            if (queue.Owner is QueueOwner.Broken or QueueOwner.Stalled or QueueOwner.Erasing)
            {
                queue.Close();
            }
        }

        return Array.TrueForAll(_queues, static queue => queue.Owner == QueueOwner.Absent);
    }

    /// <summary>The queue is no more the caller's. Returns whether the supervisor should look at once.</summary>
    private bool GiveAway(PooledQueue queue, AcceleratorError outcome)
    {
        switch (outcome)
        {
            case AcceleratorError.Deadline:
                queue.StalledSince = _time.GetTimestamp();
                queue.Owner = QueueOwner.Stalled;
                return false;
            case AcceleratorError.DeviceGone:
                queue.Owner = QueueOwner.Broken;
                return true;
            case AcceleratorError.Protocol or AcceleratorError.WrongResult:
                Quarantine(outcome);
                queue.Owner = QueueOwner.Broken;
                return true;
            default:
                if (queue.EraseGeneration != _eraseGeneration)
                {
                    queue.Owner = QueueOwner.Erasing;
                    return true;
                }

                Rest(queue);
                return false;
        }
    }

    /// <summary>The reason before the flag: whoever sees the flag sees why.</summary>
    private void Quarantine(AcceleratorError reason)
    {
        _quarantineReason = (int)reason;
        _isQuarantined = true;
    }

    private void BeginQuarantine()
    {
        var reason = (AcceleratorError)Interlocked.Exchange(ref _quarantineReason, 0);
        if (reason == AcceleratorError.None)
        {
            return;
        }

        _isQuarantined = true;
        _quarantinedSince = _time.GetTimestamp();
        if (_isInQuarantine)
        {
            // The other operations that were in flight: one incident, which ends a little later.
            return;
        }

        // Each quarantine doubles, unless a hundred operations went well since the last.
        long operationCount = _queues.Sum(static queue => queue.OperationCount);
        bool wentWell = operationCount - _operationCountAtQuarantine > 100;
        _operationCountAtQuarantine = operationCount;
        _quarantine = wentWell || _quarantine == TimeSpan.Zero ? _options.FirstQuarantine : _quarantine * 2;
        _quarantine = _quarantine < _options.MaxQuarantine ? _quarantine : _options.MaxQuarantine;
        _isInQuarantine = true;
        _wasReady = false;
        _logger.DeviceQuarantined(Uri, reason, _quarantine.TotalSeconds);
    }

    private void EndQuarantine()
    {
        // Only after every queue is closed: a new connection is the reset. A reason that the next round will see keeps it going.
        if (_isInQuarantine && _quarantineReason == 0 && _time.GetElapsedTime(_quarantinedSince) >= _quarantine
            && Array.TrueForAll(_queues, static queue => queue.Owner == QueueOwner.Absent))
        {
            _isInQuarantine = false;
            _isQuarantined = false;
        }
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
            if (queue.IsGone || _isQuarantined || _isLeaving)
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
            Quarantine(AcceleratorError.Protocol);
            queue.Close();
        }
        else if (isEmpty.Value && !queue.IsGone)
        {
            EraseAndRest(queue, retired, generation);
        }
        else if (queue.IsGone || _time.GetElapsedTime(queue.StalledSince) > _options.StallLimit)
        {
            _logger.QueueGivenUp(Uri, queue.Number, queue.InFlight);
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
        foreach (PooledQueue queue in _queues)
        {
            if (queue.Owner != QueueOwner.Absent)
            {
                continue;
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

            ReportPresence(queue.Device);
            Rest(queue);
        }
    }

    private void ReportPresence(EmulatedDevice device)
    {
        _engineCount = device.EngineCount;
        _engineLanes = device.EngineLanes;
        _engine = device.EngineName;
        if (!_wasReady)
        {
            _wasReady = true;
            _absenceWasLogged = false;
            _logger.DeviceReady(Uri, device.EngineName, device.EngineCount, device.EngineLanes);
        }
    }

    private void ReportAbsence(LinuxException e)
    {
        if (!_absenceWasLogged && !IsReady)
        {
            _absenceWasLogged = true;
            _wasReady = false;
            _logger.DeviceAbsent(Uri, e.Message);
        }
    }

    private void ReportLoss()
    {
        if (_wasReady && !_isQuarantined && !IsReady && !_absenceWasLogged)
        {
            _wasReady = false;
            _absenceWasLogged = true;
            _logger.DeviceLost(Uri);
        }
    }

    private void ReportUnlocked()
    {
        if (!_unlockedWasLogged && Array.Exists(_queues, static queue => queue.IsUnlocked))
        {
            _unlockedWasLogged = true;
            _logger.MemoryNotLocked(Uri);
        }
    }
}
