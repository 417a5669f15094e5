using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Driver;
using WarpDrive.Emulator.Faults;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>
/// The driver's pool and the emulated devices behind it, both as they are, on one thread and one clock: lanes begin and poll operations,
/// engines compute, supervisors make their rounds, devices go wrong and vanish, keys come and go, each when a seed says so. After every
/// step what has to hold is checked against a model that knows who owns what.
/// </summary>
internal sealed class PoolSimulation : IDisposable
{
    private const int MaxOperations = 120;
    private const int MaxSteps = 2500;
    private static readonly int[] ModulusSizes = [128, 256, 384, 512];
    private static readonly TimeSpan Never = TimeSpan.MaxValue;

    private readonly Random _random;
    private readonly VirtualTime _time = new();
    private readonly SimulationCounts _counts;
    private readonly QueuePool _pool;
    private readonly SimulatedDevice[] _devices;
    private readonly TimeSpan[][] _engineAt;
    private readonly List<SimulatedSupervisor> _supervisors = [];
    private readonly bool[] _isNamed;
    private readonly Dictionary<PooledDevice, BreakerModel> _breakers = [];
    private readonly List<SimulatedLane> _lanes;
    private readonly List<SimulatedKey> _keys = [];
    private readonly List<SimulatedKey> _retired = [];
    private readonly TimeSpan _end;                 // of everything that goes wrong
    private QueuePoolOptions _options;
    private TimeSpan _chaosAt;
    private int _keyCount;
    private int _supervisorCount;
    private int _operations;
    private bool _isDraining;

    public PoolSimulation(int seed, SimulationCounts counts, bool keepsText = false)
    {
        _random = new Random(seed);
        _counts = counts;
        Trace = new SimulationTrace(_time, keepsText);
        _options = DrawOptions();
        _end = _time.Now + TimeSpan.FromSeconds(Pick(1, 5, 20, 60) * (0.5 + _random.NextDouble()));
        _devices = [.. Enumerable.Range(0, Pick(1, 1, 2, 3)).Select(number => new SimulatedDevice(number, _time, _random))];
        foreach (SimulatedDevice device in _devices.Where(_ => _random.Next(8) != 0))
        {
            device.Appear(FaultPlans.Draw(_random, _end - _time.Now));
        }

        _pool = QueuePool.CreateStepped(_options, [.. _devices.Select(static device => device.Endpoint)], NullLogger.Instance, _time);
        _engineAt = [.. _devices.Select(device => new TimeSpan[device.EngineCount])];
        _isNamed = [.. _devices.Select(static _ => true)];
        FindSupervisors();
        _lanes = [.. Enumerable.Range(0, _random.Next(1, 7)).Select(static number => new SimulatedLane(number))];
        for (int i = _random.Next(1, 5); i > 0; i--)
        {
            CreateKey();
        }
    }

    public SimulationTrace Trace { get; }

    /// <summary>Runs to the end, and then until all is well again, which it has to become.</summary>
    /// <exception cref="SimulationFailure">Something does not hold.</exception>
    public void Run()
    {
        int steps = 0;
        while (_time.Now < _end && _operations < MaxOperations && steps++ < MaxSteps)
        {
            Step();
        }

        _counts.Count("steps", steps);
        _counts.Count("virtual milliseconds", (long)(_time.Now - TimeSpan.FromDays(1)).TotalMilliseconds);
        Recover();
        FillEveryQueue();
        Close();
        foreach (FaultKind kind in Enum.GetValues<FaultKind>())
        {
            _counts.Count(kind, _devices.Sum(device => device.Count(kind)));
        }

        _counts.Count("breaker openings", _breakers.Values.Sum(static breaker => breaker.Openings));
        _counts.Count("probes that closed a breaker", _breakers.Values.Sum(static breaker => breaker.Closings));
        _counts.Count("queues opened", _devices.Sum(static device => device.Opened));

        _counts.CountSeed();
    }

    public void Dispose()
    {
        _pool.Dispose();
        Array.ForEach(_devices, static device => device.Dispose());
    }

    /// <summary>Whoever is first in time does what is his to do.</summary>
    private void Step()
    {
        TimeSpan first = _chaosAt;
        int kind = 0;
        int at = 0;
        int engine = 0;
        for (int i = 0; i < _lanes.Count; i++)
        {
            Consider(_lanes[i].NextAt, 1, i, 0);
        }

        for (int i = 0; i < _supervisors.Count; i++)
        {
            Consider(_supervisors[i].NextAt, 2, i, 0);
        }

        for (int i = 0; i < _devices.Length; i++)
        {
            for (int j = 0; j < _engineAt[i].Length; j++)
            {
                Consider(_engineAt[i][j], 3, i, j);
            }
        }

        _time.MoveTo(first);
        switch (kind)
        {
            case 0:
                Upset();
                break;
            case 1:
                StepLane(_lanes[at]);
                break;
            case 2:
                Supervise(_supervisors[at]);
                break;
            default:
                StepEngine(at, engine);
                break;
        }

        void Consider(TimeSpan next, int nextKind, int nextAt, int nextEngine)
        {
            if (next < first)
            {
                (first, kind, at, engine) = (next, nextKind, nextAt, nextEngine);
            }
        }
    }

    private void StepLane(SimulatedLane lane)
    {
        if (lane.Operation is null)
        {
            if (_isDraining)
            {
                lane.NextAt = Never;
                return;
            }

            Begin(lane, _keys[_random.Next(_keys.Count)]);
        }
        else if (lane.Outcome is null)
        {
            Poll(lane);
        }
        else
        {
            End(lane);
        }

        CheckAll();
    }

    /// <summary>Returns whether a device has it now.</summary>
    private bool Begin(SimulatedLane lane, SimulatedKey key)
    {
        byte[] input = new byte[key.ModulusBytes];
        _random.NextBytes(input);
        lane.Output = new byte[key.ModulusBytes];
        if (!_pool.TryBegin(key.Key, input, out PooledOperation pooled, out AcceleratorError refusal))
        {
            Trace.Add("lane refused", lane.Number, (long)refusal);
            SimulationFailure.Unless(refusal is AcceleratorError.Busy or AcceleratorError.NoDevice or AcceleratorError.Quarantined, "only what happened is reported", $"{refusal} of an operation that did not begin");
            _counts.Count(refusal);
            lane.NextAt = _time.Now + TimeSpan.FromMilliseconds(refusal != AcceleratorError.Busy ? _random.Next(10, 500) : _random.Next(2, 100));
            return false;
        }

        SimulationFailure.Unless(
            !_lanes.Exists(other => other.Operation is { } && other.Pooled.Queue == pooled.Queue),
            "a queue has one user", $"lane {lane.Number}");
        (SimulatedDevice device, ObservedQueue queue) = Find(pooled);
        Breaker(pooled.Device).Work(_time.Now);
        Trace.Add("lane begins on queue", lane.Number, (device.Number * 1024) + queue.Number);
        _operations++;
        lane.Operation = new SimulatedOperation(key, key.Block, input, _time.Now + pooled.Device.Options.DeadlineFor(key.ModulusBytes));
        lane.Pooled = pooled;
        lane.Queue = queue;
        key.Users++;
        queue.Observe(lane.Operation);
        lane.NextAt = NextPoll(lane.Operation);
        WakeEngines(device.Number);
        return true;
    }

    private void Poll(SimulatedLane lane)
    {
        SimulatedOperation operation = lane.Operation!;
        ObservedQueue queue = lane.Queue!;
        bool mustBeOver = _time.Now >= operation.Deadline || queue.IsGone;
        bool isOver = QueuePool.TryPoll(lane.Pooled, out AcceleratorError outcome);
        SimulationFailure.Unless(isOver || !mustBeOver, "operations end within their deadline", $"lane {lane.Number}, {_time.Now - operation.Deadline} after it");
        if (!isOver)
        {
            lane.NextAt = NextPoll(operation);
            return;
        }

        Trace.Add("lane over", lane.Number, (long)outcome);
        lane.Outcome = outcome;
        queue.Look();
        if (outcome == AcceleratorError.Deadline)
        {
            SimulationFailure.Unless(_time.Now >= operation.Deadline, "only what happened is reported", $"lane {lane.Number}, {operation.Deadline - _time.Now} before the deadline");
        }

        if (outcome == AcceleratorError.DeviceGone)
        {
            SimulationFailure.Unless(queue.IsGone || queue.IsStopped, "only what happened is reported", $"lane {lane.Number}, the device is there");
        }

        // Seldom it loses the processor between the poll and the end.
        lane.NextAt = _random.Next(16) == 0 ? _time.Now + TimeSpan.FromMilliseconds(_random.Next(1000)) : _time.Now;
    }

    private void End(SimulatedLane lane)
    {
        SimulatedOperation operation = lane.Operation!;
        AcceleratorError polled = lane.Outcome!.Value;
        AcceleratorError outcome = QueuePool.End(lane.Pooled, polled, operation.Input, lane.Output);
        Trace.Add("lane ends", lane.Number, (long)outcome);
        CheckOutcome(lane, operation, outcome);
        Breaker(lane.Pooled.Device).Look(lane.Pooled.Device.GetStatus().Breaker, _time.Now);
        SimulationFailure.Unless(
            outcome is not (AcceleratorError.WrongResult or AcceleratorError.Protocol) || lane.Pooled.Device.GetStatus().Breaker.State != BreakerState.Closed,
            "devices that are wrong get no work", $"lane {lane.Number}");

        if (outcome != AcceleratorError.None || _retired.Count > 0)
        {
            WakeSupervisors();
        }

        _counts.Count(outcome);
        lane.Last = outcome;
        operation.Key!.Users--;
        lane.Operation = null;
        lane.Outcome = null;
        lane.NextAt = _time.Now + _random.Next(10) switch
        {
            0 => TimeSpan.FromMilliseconds(_random.Next(2000)),
            < 4 => TimeSpan.FromMilliseconds(_random.Next(20)),
            _ => TimeSpan.FromMicroseconds(_random.Next(1000)),
        };
    }

    private static void CheckOutcome(SimulatedLane lane, SimulatedOperation operation, AcceleratorError outcome)
    {
        bool isRight = operation.IsReaped && operation.Error == 0 && operation.IsRight(operation.Output);
        bool isTrue = outcome switch
        {
            AcceleratorError.None => isRight,
            AcceleratorError.WrongResult => operation.IsReaped && operation.Error == 0 && !isRight,
            AcceleratorError.DeviceError => operation.IsReaped && operation.Error != 0,
            AcceleratorError.Deadline or AcceleratorError.DeviceGone => !operation.IsReaped,
            _ => false,     // the emulated device keeps to its protocol whatever its plan says
        };
        SimulationFailure.Unless(
            isTrue, "only what happened is reported",
            $"lane {lane.Number}, {outcome} of an operation that is {(operation.IsReaped ? "reaped" : "in flight")}, error {operation.Error}, {(isRight ? "right" : "not right")}");
        SimulationFailure.Unless(
            outcome == AcceleratorError.None ? operation.IsRight(lane.Output) : !lane.Output.AsSpan().ContainsAnyExcept((byte)0),
            "answers are right or absent", $"lane {lane.Number}, {outcome}");
    }

    private TimeSpan NextPoll(SimulatedOperation operation)
    {
        TimeSpan next = _time.Now + (_random.Next(20) == 0
            ? TimeSpan.FromMilliseconds(_random.Next(3000))
            : TimeSpan.FromMicroseconds(_random.Next(20, 10_000)));

        // A thread that waits wakes at the deadline, unless it does not get the processor.
        return next > operation.Deadline && operation.Deadline > _time.Now && _random.Next(4) != 0 ? operation.Deadline : next;
    }

    private void Supervise(SimulatedSupervisor supervisor)
    {
        bool goesOn = supervisor.Supervisor.Round();
        Trace.Add("round of", supervisor.Number, goesOn ? 1 : 0);
        supervisor.NextAt = IsAnyProbing() ? _time.Now + TimeSpan.FromMilliseconds(20 * _random.NextDouble()) : _time.Now + (_options.RetryInterval * (_random.Next(10) == 0 ? 1 + (4 * _random.NextDouble()) : 1));
        if (!goesOn)
        {
            _supervisors.Remove(supervisor);
        }

        CheckAll();
        CheckErased();
        WakeEngines();
    }

    /// <summary>A supervisor may have rung for a probe.</summary>
    private void WakeEngines()
    {
        for (int i = 0; i < _devices.Length; i++)
        {
            if (_devices[i].Queues.Exists(static queue => queue.InFlight > 0))
            {
                WakeEngines(i);
            }
        }
    }

    /// <summary>A doorbell wakes an engine that sleeps, but not one that does not poll.</summary>
    private void WakeEngines(int device)
    {
        for (int i = 0; i < _engineAt[device].Length; i++)
        {
            TimeSpan soon = _time.Now + TimeSpan.FromMicroseconds(_random.Next(500));
            TimeSpan next = _engineAt[device][i];
            _engineAt[device][i] = next < soon || next > _time.Now + SimulatedDevice.LongestSleep ? next : soon;
        }
    }

    /// <summary>The supervisor of a device that answers a probe sleeps no longer than that takes.</summary>
    private bool IsAnyProbing() => _pool.GetStatus().Devices.Any(static device => device.State == DeviceState.Probing);

    private BreakerModel Breaker(PooledDevice device)
    {
        if (!_breakers.TryGetValue(device, out BreakerModel? model))
        {
            _breakers.Add(device, model = new BreakerModel());
        }

        return model;
    }

    /// <summary>Those of devices that the pool has taken into use since.</summary>
    private void FindSupervisors()
    {
        foreach (DeviceSupervisor supervisor in _pool.Supervisors)
        {
            if (!supervisor.Ended.IsCompleted && !_supervisors.Exists(known => known.Supervisor == supervisor))
            {
                _supervisors.Add(new SimulatedSupervisor(_supervisorCount++, supervisor) { NextAt = _time.Now + TimeSpan.FromMilliseconds(_random.Next(300)) });
            }
        }
    }

    /// <summary>Keys that no arena is said to hold any more are in none.</summary>
    private void CheckErased()
    {
        for (int i = _retired.Count - 1; i >= 0; i--)
        {
            if (!_pool.Holds(_retired[i].Key))
            {
                CheckErased(_retired[i]);
                _retired.RemoveAt(i);
            }
        }
    }

    private void CheckErased(SimulatedKey key)
    {
        Trace.Add("key erased", key.Number, 0);
        _counts.Count("keys erased");
        foreach (SimulatedDevice device in _devices)
        {
            foreach (ObservedQueue queue in device.Queues)
            {
                SimulationFailure.Unless(
                    queue.IsClosed || !queue.Contains(key.Block.AsSpan(0, 32)), "retired keys are erased", $"key {key.Number} is in queue {queue.Number} of device {device.Number}");
            }
        }
    }

    /// <summary>They were asked to look at once, and do when they get the processor.</summary>
    private void WakeSupervisors()
    {
        foreach (SimulatedSupervisor supervisor in _supervisors)
        {
            TimeSpan soon = _time.Now + TimeSpan.FromMilliseconds(_random.Next(10) == 0 ? _random.Next(500) : _random.NextDouble());
            supervisor.NextAt = supervisor.NextAt < soon ? supervisor.NextAt : soon;
        }
    }

    private void StepEngine(int number, int engine)
    {
        SimulatedDevice device = _devices[number];
        TimeSpan? pause = device.StepEngine(engine);
        if (pause is null)
        {
            // Idle engines sleep; faults have their time also then.
            _engineAt[number][engine] = _time.Now + (SimulatedDevice.LongestSleep * _random.NextDouble());
        }
        else
        {
            Trace.Add("engine works", (number * 16) + engine, pause.Value.Ticks);
            _engineAt[number][engine] = _time.Now + pause.Value;
            CheckMemory();
        }
    }

    /// <summary>Something happens that nobody asked for.</summary>
    private void Upset()
    {
        SimulatedDevice device = _devices[_random.Next(_devices.Length)];
        int what = _random.Next(10);
        Trace.Add("upset", device.Number, what);
        switch (what)
        {
            case 0 when device.IsThere:
                bool isKilled = _random.Next(2) == 0;
                _counts.Count(isKilled ? "devices killed" : "devices that said good-bye");
                device.Vanish(isKilled);
                break;
            case 0 or 1 or 2 when !device.IsThere:
                device.Appear(FaultPlans.Draw(_random, _end - _time.Now));
                break;
            case 3:
                _counts.Count("engines that stopped polling");
                TimeSpan until = _time.Now + TimeSpan.FromMilliseconds(_random.Next(3000));
                Array.Fill(_engineAt[device.Number], until);
                break;
            case 4 or 5:
                RetireKey();
                break;
            case 6 when _keys.Count < 8:
                CreateKey();
                break;
            case 7 when _random.Next(2) == 0:
                Configure();
                break;
            default:
                device.ReleaseClosed();
                break;
        }

        double span = (_end - TimeSpan.FromDays(1)).TotalMilliseconds / 10;
        _chaosAt = _time.Now + TimeSpan.FromMilliseconds(_random.NextDouble() * Math.Min(span, 1000));
        CheckAll();
    }

    /// <summary>Other limits, and other devices out of those that there are, maybe none.</summary>
    private void Configure()
    {
        _counts.Count("configurations");
        QueuePoolOptions options = DrawOptions();
        options = _random.Next(2) == 0 ? options : new QueuePoolOptions
        {
            QueuesPerDevice = _options.QueuesPerDevice,
            Depth = _options.Depth,
            Deadline = options.Deadline,
            StallLimit = options.StallLimit,
            Breaker = options.Breaker,
            KnownAnswers = options.KnownAnswers,
        };
        Configure(options, [.. _devices.Select(_ => _random.Next(3) != 0)]);
    }

    private void Configure(QueuePoolOptions options, bool[] isNamed)
    {
        isNamed.CopyTo(_isNamed, 0);
        _options = options;
        _pool.Configure(options, [.. _devices.Where(device => isNamed[device.Number]).Select(static device => device.Endpoint)]);
        FindSupervisors();
        WakeSupervisors();
    }

    private QueuePoolOptions DrawOptions() => new()
    {
        QueuesPerDevice = _random.Next(1, 4),
        Depth = 2 << _random.Next(4),
        Deadline = TimeSpan.FromMilliseconds(Pick(5, 20, 50, 200)),
        StallLimit = TimeSpan.FromMilliseconds(Pick(100, 1000)),
        KnownAnswers = MarkingAnswers.All,
        Breaker = new CircuitBreakerOptions
        {
            Seed = _random.Next(),
            MaxUnanswered = Pick(2, 8),
            MinOperations = Pick(4, 10),
            FirstBackOff = TimeSpan.FromMilliseconds(Pick(200, 1000)),
            MaxBackOff = TimeSpan.FromSeconds(10),
        },
    };

    private void CreateKey()
    {
        _keys.Add(new SimulatedKey(_pool, _keyCount++, ModulusSizes[_random.Next(ModulusSizes.Length)], _random));
        _counts.Count("keys");
    }

    private void RetireKey()
    {
        SimulatedKey key = _keys[_random.Next(_keys.Count)];
        if (key.Users > 0 || (_keys.Count == 1 && !_isDraining))
        {
            return;
        }

        _keys.Remove(key);
        _retired.Add(key);
        key.Dispose();
        Trace.Add("key retired", key.Number, 0);
        WakeSupervisors();
    }

    /// <summary>After every step of the driver: its counters are the model's, and memory is as it should be.</summary>
    private void CheckAll()
    {
        CheckMemory();
        PoolStatus status = _pool.GetStatus();
        int inFlight = 0;
        int open = 0;
        foreach (SimulatedDevice device in _devices)
        {
            foreach (ObservedQueue queue in device.Queues)
            {
                open += queue.IsClosed ? 0 : 1;
                inFlight += queue.InFlight;
            }
        }

        foreach (SimulatedSupervisor supervisor in _supervisors)
        {
            PooledDevice device = supervisor.Supervisor.Device;
            Breaker(device).Look(device.GetStatus().Breaker, _time.Now);
        }

        // Queues of a device that leaves are in no status.
        int named = status.Devices.Sum(static device => device.QueueCount);
        SimulationFailure.Unless(
            _supervisors.Count == status.Devices.Count ? named == open : named <= open, "counters are true", $"{open} queues are open; the pool says {named}");
        int underWay = _lanes.Count(static lane => lane.Operation is not null);
        SimulationFailure.Unless(status.SlotsInUse == inFlight, "counters are true", $"{inFlight} slots are in flight; the pool says {status.SlotsInUse}");
        SimulationFailure.Unless(status.OperationsInFlight == underWay, "counters are true", $"{underWay} operations are under way; the pool says {status.OperationsInFlight}");
    }

    private void CheckMemory()
    {
        foreach (SimulatedDevice device in _devices)
        {
            foreach (ObservedQueue queue in device.Queues)
            {
                queue.Look();
            }
        }
    }

    /// <summary>Nothing goes wrong any more: every device has to get work again.</summary>
    private void Recover()
    {
        _isDraining = true;
        _chaosAt = Never;
        _time.MoveTo(_end);
        if (Array.Exists(_isNamed, static isNamed => !isNamed))
        {
            Configure(_options, [.. _devices.Select(static _ => true)]);
        }

        foreach (SimulatedLane lane in _lanes)
        {
            lane.NextAt = lane.NextAt < _time.Now ? lane.NextAt : _time.Now;
        }

        for (int i = 0; i < _devices.Length; i++)
        {
            _devices[i].IsCalm = true;
            if (_devices[i].IsStuck)
            {
                _devices[i].Vanish(isKilled: false);
            }

            if (!_devices[i].IsThere)
            {
                _devices[i].Appear(null);
            }

            Array.Fill(_engineAt[i], _time.Now);
        }

        TimeSpan patience = _time.Now + TimeSpan.FromMinutes(2);
        while (_lanes.Exists(static lane => lane.Operation is not null) || _supervisors.Count > _devices.Length || !_devices.All(HasAllQueues))
        {
            SimulationFailure.Unless(_time.Now < patience, "devices that are well get work again", Describe());
            Array.ForEach(_devices, static device => device.ReleaseClosed());
            Step();
        }
    }

    private string Describe() => string.Join("; ", _pool.GetStatus().Devices);

    private bool HasAllQueues(SimulatedDevice device)
    {
        DeviceStatus status = _pool.GetStatus().Devices[device.Number];    // all are named by now
        return status.State == DeviceState.Ready && status.QueueCount == Math.Min(_options.QueuesPerDevice, device.MaxQueues)
            && device.IsIdle && device.Queues.TrueForAll(static queue => queue is { IsClosed: false, IsGone: false, IsStopped: false, InFlight: 0 });
    }

    /// <summary>Every queue takes one operation and no more, and answers it: none was lost, none is there twice.</summary>
    private void FillEveryQueue()
    {
        // The supervisors' last rounds: a queue may wait for them, emptied or with a key to erase.
        _supervisors.ToList().ForEach(Supervise);

        int expected = _devices.Sum(device => Math.Min(_options.QueuesPerDevice, device.MaxQueues));
        int found = 0;
        for (bool hasBegun = true; hasBegun && found <= expected; found += hasBegun ? 1 : 0)
        {
            var lane = new SimulatedLane(_lanes.Count);
            hasBegun = Begin(lane, _keys[0]);
            _lanes.Add(lane);
        }

        SimulationFailure.Unless(found == expected, "no queue is lost", $"{found} operations find a queue; there are {expected}");
        while (_lanes.Exists(static lane => lane.Operation is not null))
        {
            Step();
        }

        foreach (SimulatedLane lane in _lanes.TakeLast(found + 1).SkipLast(1))
        {
            SimulationFailure.Unless(lane.Last == AcceleratorError.None, "devices that are well answer", $"lane {lane.Number}: {lane.Last}");
        }
    }

    /// <summary>At the end nothing is left: no slot, no operation, no key, no queue.</summary>
    private void Close()
    {
        while (_keys.Count > 0)
        {
            RetireKey();
        }

        _supervisors.ToList().ForEach(Supervise);

        SimulationFailure.Unless(_retired.Count == 0 && _pool.KeyCount == 0, "retired keys are erased", $"{_pool.KeyCount} keys are left");
        PoolStatus status = _pool.GetStatus();
        SimulationFailure.Unless(status is { SlotsInUse: 0, OperationsInFlight: 0 }, "nothing is left at the end", status.ToString());
        _pool.Dispose();
        CheckAll();
        foreach (SimulatedDevice device in _devices)
        {
            SimulationFailure.Unless(device.Queues.TrueForAll(static queue => queue.IsClosed), "nothing is left at the end", $"queues of device {device.Number}");
            device.ReleaseClosed();
        }
    }

    private (SimulatedDevice Device, ObservedQueue Queue) Find(in PooledOperation pooled)
    {
        foreach (SimulatedDevice device in _devices)
        {
            foreach (ObservedQueue queue in device.Queues)
            {
                if (!queue.IsClosed && queue.Is(pooled.Queue.Device))
                {
                    return (device, queue);
                }
            }
        }

        throw new SimulationFailure("operations go to open queues", pooled.ToString());
    }

    private int Pick(params ReadOnlySpan<int> choices) => choices[_random.Next(choices.Length)];
}
