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
    private readonly DeviceEndpoint _endpoint;
    private readonly QueuePoolOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly PooledQueue[] _queues;
    private readonly IndexStack _idle;
    private readonly List<PooledQueue> _drained = [];
    private int _rentedCount;
    private int _quarantineReason; // an AcceleratorError that the supervisor has not seen yet
    private int _isQuarantined;
    private long _quarantinedSince;
    private TimeSpan _quarantine;
    private long _operationCountAtQuarantine;
    private bool _wasReady;
    private bool _absenceWasLogged;
    private string? _engine;
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
            _queues[i] = new PooledQueue(i, options);
        }
    }

    public int RentedCount => Volatile.Read(ref _rentedCount);

    public bool IsQuarantined => Volatile.Read(ref _isQuarantined) != 0;

    /// <summary>Whether any queue is open.</summary>
    public bool IsReady => !IsQuarantined && Array.Exists(_queues, static queue => queue.Owner is QueueOwner.Idle or QueueOwner.Operation or QueueOwner.Stalled);

    public bool TryRent([NotNullWhen(true)] out PooledQueue? queue)
    {
        queue = null;
        if (IsQuarantined || !_idle.TryPop(out int number))
        {
            return false;
        }

        queue = _queues[number];
        queue.Owner = QueueOwner.Operation;
        Interlocked.Increment(ref _rentedCount);
        return true;
    }

    /// <summary>Takes a queue back from an operation. Returns whether the supervisor should look at once.</summary>
    public bool Return(PooledQueue queue, AcceleratorError outcome)
    {
        Interlocked.Decrement(ref _rentedCount);
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
                Volatile.Write(ref _quarantineReason, (int)outcome);
                Volatile.Write(ref _isQuarantined, 1);
                queue.Owner = QueueOwner.Broken;
                return true;
            default:
                queue.Owner = QueueOwner.Idle;
                _idle.Push(queue.Number);
                return false;
        }
    }

    /// <summary>
    /// One round of the supervisor: closes what is broken, takes abandoned operations back, opens what is absent.
    /// </summary>
    /// <param name="retired">Keys to erase from idle queues.</param>
    /// <exception cref="AcceleratorException">What answers is no WarpDrive device; thrown each time.</exception>
    public void Supervise(IReadOnlyList<DeviceKey> retired)
    {
        BeginQuarantine();
        if (retired.Count > 0 || IsQuarantined || Array.Exists(_queues, static queue => queue.Owner == QueueOwner.Idle && queue.IsGone))
        {
            SortIdle(retired);
        }

        foreach (PooledQueue queue in _queues)
        {
            if (queue.Owner == QueueOwner.Stalled)
            {
                Recover(queue);
            }
            else if (queue.Owner == QueueOwner.Broken)
            {
                queue.Close();
            }
        }

        EndQuarantine();
        if (!IsQuarantined)
        {
            OpenAbsent();
        }

        ReportLoss();
    }

    public DeviceStatus GetStatus()
    {
        int open = _queues.Count(static queue => queue.Owner != QueueOwner.Absent);
        DeviceState state = IsQuarantined ? DeviceState.Quarantined : IsReady ? DeviceState.Ready : DeviceState.Absent;
        return new DeviceStatus(
            _endpoint.Uri, state, Volatile.Read(ref _engine), _engineCount, _engineLanes, open, _queues.Sum(static queue => queue.OperationCount));
    }

    /// <summary>Whether any arena still has a copy of the key. Right only for keys that no operation uses any more.</summary>
    public bool Holds(DeviceKey key) => Array.Exists(_queues, queue => queue.Holds(key));

    public int CountSlotsInUse() => _queues.Sum(static queue => queue.InFlight);

    /// <summary>Closes all queues that no operation uses; returns whether that were all. After this nothing is rented any more.</summary>
    public bool TryClose()
    {
        Volatile.Write(ref _isQuarantined, 1);
        SortIdle([]);
        foreach (PooledQueue queue in _queues)
        {
            if (queue.Owner is QueueOwner.Broken or QueueOwner.Stalled)
            {
                queue.Close();
            }
        }

        return Array.TrueForAll(_queues, static queue => queue.Owner == QueueOwner.Absent);
    }

    private void BeginQuarantine()
    {
        var reason = (AcceleratorError)Interlocked.Exchange(ref _quarantineReason, 0);
        if (reason == AcceleratorError.None)
        {
            return;
        }

        // Each quarantine doubles, unless a hundred operations went well since the last.
        long operationCount = _queues.Sum(static queue => queue.OperationCount);
        bool wentWell = operationCount - _operationCountAtQuarantine > 100;
        _operationCountAtQuarantine = operationCount;
        _quarantine = wentWell || _quarantine == TimeSpan.Zero ? _options.FirstQuarantine : _quarantine * 2;
        _quarantine = _quarantine < _options.MaxQuarantine ? _quarantine : _options.MaxQuarantine;
        _quarantinedSince = _time.GetTimestamp();
        _wasReady = false;
        _logger.DeviceQuarantined(_endpoint.Uri, reason, _quarantine.TotalSeconds);
    }

    private void EndQuarantine()
    {
        // Only after every queue is closed: a new connection is the reset.
        if (IsQuarantined && _time.GetElapsedTime(_quarantinedSince) >= _quarantine
            && Array.TrueForAll(_queues, static queue => queue.Owner == QueueOwner.Absent))
        {
            Volatile.Write(ref _isQuarantined, 0);
        }
    }

    private void SortIdle(IReadOnlyList<DeviceKey> retired)
    {
        // For a moment no queue is idle, and operations that come meanwhile run in software.
        while (_idle.TryPop(out int number))
        {
            _drained.Add(_queues[number]);
        }

        foreach (PooledQueue queue in _drained)
        {
            if (queue.IsGone || IsQuarantined)
            {
                queue.Close();
                continue;
            }

            foreach (DeviceKey key in retired)
            {
                queue.Erase(key);
            }

            _idle.Push(queue.Number);
        }

        _drained.Clear();
    }

    private void Recover(PooledQueue queue)
    {
        bool? isEmpty = queue.TryReapAbandoned();
        if (isEmpty == true && !queue.IsGone)
        {
            queue.Owner = QueueOwner.Idle;
            _idle.Push(queue.Number);
        }
        else if (isEmpty is null || queue.IsGone || _time.GetElapsedTime(queue.StalledSince) > _options.StallLimit)
        {
            _logger.QueueGivenUp(_endpoint.Uri, queue.Number, queue.InFlight);
            queue.Close();
        }
    }

    private void OpenAbsent()
    {
        foreach (PooledQueue queue in _queues)
        {
            if (queue.Owner != QueueOwner.Absent)
            {
                continue;
            }

            try
            {
                queue.Open(_endpoint);
            }
            catch (LinuxException e)
            {
                // The others would fail alike; the next round tries again.
                ReportAbsence(e);
                break;
            }

            ReportPresence(queue);
            queue.Owner = QueueOwner.Idle;
            _idle.Push(queue.Number);
        }
    }

    private void ReportPresence(PooledQueue queue)
    {
        if (_wasReady)
        {
            return;
        }

        EmulatedDevice device = queue.Device;
        _engineCount = device.EngineCount;
        _engineLanes = device.EngineLanes;
        Volatile.Write(ref _engine, device.EngineName);
        _wasReady = true;
        _absenceWasLogged = false;
        _logger.DeviceReady(_endpoint.Uri, device.EngineName, device.EngineCount, device.EngineLanes);
        if (!queue.IsLocked)
        {
            _logger.MemoryNotLocked(_endpoint.Uri);
        }
    }

    private void ReportAbsence(LinuxException e)
    {
        if (!_absenceWasLogged && !IsReady)
        {
            _absenceWasLogged = true;
            _wasReady = false;
            _logger.DeviceAbsent(_endpoint.Uri, e.Message);
        }
    }

    private void ReportLoss()
    {
        if (_wasReady && !IsQuarantined && !IsReady && !_absenceWasLogged)
        {
            _wasReady = false;
            _absenceWasLogged = true;
            _logger.DeviceLost(_endpoint.Uri);
        }
    }
}
