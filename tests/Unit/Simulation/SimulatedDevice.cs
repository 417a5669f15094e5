using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Driver;
using WarpDrive.Emulator;
using WarpDrive.Emulator.Faults;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>A place where an emulated device is at times: it can vanish with its process, or say good-bye, and come back another one.</summary>
internal sealed class SimulatedDevice : IDisposable
{
    /// <summary>How long an engine sleeps that nobody wakes.</summary>
    public static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(50);

    private readonly VirtualTime _time;
    private readonly Random _random;
    private readonly List<EmulatedAccelerator> _ghosts = [];        // of processes that were killed, whose memory the driver still has mapped
    private readonly long[] _faultCounts = new long[Enum.GetValues<FaultKind>().Length];
    private readonly EngineStep[] _engineSteps;
    private readonly int _maxQueues;
    private EmulatedAccelerator? _accelerator;

    public SimulatedDevice(int number, VirtualTime time, Random random)
    {
        Number = number;
        _time = time;
        _random = random;
        IsRemote = random.Next(2) == 0;
        _maxQueues = random.Next(4) == 0 ? random.Next(1, 4) : 1024;
        _engineSteps = new EngineStep[random.Next(1, 3)];
        Endpoint = new DeviceEndpoint($"simulated:{number}", Connect);
    }

    private enum EngineStep
    {
        Fetch,
        Execute,
        Complete,
    }

    public int Number { get; }

    public DeviceEndpoint Endpoint { get; }

    /// <summary>Whether it is another process, as far as the driver can tell.</summary>
    public bool IsRemote { get; }

    /// <summary>Queues that the driver opened, in all.</summary>
    public long Opened { get; private set; }

    public bool IsThere => _accelerator is not null;

    /// <summary>Whether no engine holds an operation.</summary>
    public bool IsIdle => Array.TrueForAll(_engineSteps, static step => step == EngineStep.Fetch);

    /// <summary>Whether an engine was slowed down so much that nobody wants to wait for it.</summary>
    public bool IsStuck => _accelerator?.Engines.Any(static engine => engine.TimeToCompletion > TimeSpan.FromSeconds(10)) ?? false;

    /// <summary>Whether its engines compute fast from now on.</summary>
    public bool IsCalm { get; set; }

    public int EngineCount => _engineSteps.Length;

    /// <summary>As many queues as it can have.</summary>
    public int MaxQueues => _maxQueues;

    /// <summary>Queues that the driver has not closed, and those that it closed in this step.</summary>
    public List<ObservedQueue> Queues { get; } = [];

    /// <summary>How often each kind of fault happened in its lives.</summary>
    public long Count(FaultKind kind) => _faultCounts[(int)kind] + (_accelerator?.Faults?.Count(kind) ?? 0);

    /// <summary>It comes, and does wrong for as long as the plan says.</summary>
    public void Appear(FaultPlan? plan)
    {
        Array.Clear(_engineSteps);
        _accelerator = EmulatedAccelerator.CreateStepped(
            new EmulatorOptions { EngineCount = _engineSteps.Length, MaxQueues = _maxQueues, SelfTest = false, Faults = plan, Time = _time },
            () => new MarkingEngine(lanes: 4), NullLogger.Instance);
        if (_accelerator.Faults is { } faults)
        {
            faults.Disconnecting += HangUp;
        }
    }

    /// <summary>It is disposed and tells its clients; or its process is killed, and whatever was in flight there stays so for ever.</summary>
    public void Vanish(bool isKilled)
    {
        EmulatedAccelerator accelerator = _accelerator!;
        _accelerator = null;
        foreach (FaultKind kind in Enum.GetValues<FaultKind>())
        {
            _faultCounts[(int)kind] += accelerator.Faults?.Count(kind) ?? 0;
        }

        if (isKilled && IsRemote)
        {
            _ghosts.Add(accelerator);
            HangUp();
        }
        else
        {
            accelerator.Dispose();
        }
    }

    /// <summary>The next phase of an engine. Returns when it wants to go on, counted from now; null: nothing is to do.</summary>
    public TimeSpan? StepEngine(int number)
    {
        if (_accelerator is null)
        {
            return null;
        }

        DeviceEngine engine = _accelerator.Engines[number];
        ref EngineStep step = ref _engineSteps[number];
        TimeSpan? next = null;
        switch (step)
        {
            case EngineStep.Fetch:
                if (engine.Fetch())
                {
                    step = EngineStep.Execute;
                    next = IsCalm ? TimeSpan.FromMicroseconds(100)
                        : _random.Next(20) == 0 ? TimeSpan.FromMilliseconds(_random.Next(5, 100))
                        : TimeSpan.FromMicroseconds(_random.Next(100, 3000));
                }

                break;
            case EngineStep.Execute:
                engine.Execute();
                step = EngineStep.Complete;
                next = engine.TimeToCompletion + TimeSpan.FromMicroseconds(_random.Next(50));
                break;
            default:
                next = engine.TimeToCompletion;
                if (next == TimeSpan.Zero)
                {
                    engine.Complete();
                    step = EngineStep.Fetch;
                }

                break;
        }

        int due = _accelerator.Faults?.Step(_accelerator.OpenQueues) ?? 0;
        return due > 0 ? next ?? TimeSpan.Zero : next;
    }

    /// <summary>The device's end of connections that the driver closed.</summary>
    public void ReleaseClosed()
    {
        for (int i = Queues.Count - 1; i >= 0; i--)
        {
            if (Queues[i].IsClosed)
            {
                Queues[i].Release();
                Queues.RemoveAt(i);
            }
        }
    }

    public void Dispose()
    {
        _accelerator?.Dispose();
        _ghosts.ForEach(static ghost => ghost.Dispose());
    }

    private ObservedQueue Connect()
    {
        if (_accelerator is null)
        {
            throw new LinuxException("connect", Endpoint.Uri, Errno.ECONNREFUSED);
        }

        var queue = new ObservedQueue(_accelerator.OpenVirtualQueue(), IsRemote);
        Queues.Add(queue);
        Opened++;
        return queue;
    }

    private void HangUp()
    {
        foreach (ObservedQueue queue in Queues)
        {
            queue.IsLost = IsRemote || queue.IsLost;
        }
    }
}
