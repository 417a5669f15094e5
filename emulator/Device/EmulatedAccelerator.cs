using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Extensions.Logging;
using WarpDrive.Abi.Device;
using WarpDrive.Abi.Vfio;
using WarpDrive.Emulator.Faults;
using WarpDrive.Engines;
using WarpDrive.Linux;

namespace WarpDrive.Emulator;

/// <summary>
/// An RSA accelerator in software, as accel/README.md describes it: queues that clients open, engines that serve them all.
/// Any thread may call any member; who disposes it must have no call of its queues under way.
/// </summary>
public sealed class EmulatedAccelerator : IDisposable
{
    private readonly EmulatorOptions _options;
    private readonly ILogger _logger;
    private readonly Scheduler _scheduler;
    private readonly List<DeviceEngine> _engines = [];
    private readonly List<Thread> _threads = [];
    private readonly Lock _lock = new();
    private readonly bool[] _numbersInUse;
    private readonly byte[] _engineName = new byte[ControlRegister.EngineNameSizeInBytes];
    private int _schedulingWasRefused;    // 1: said, and not again
    private bool _disposed;

    /// <summary>
    /// Creates the engines that were chosen, tests them and starts their threads. Should the SIMD engine give a wrong answer, the
    /// device computes without it.
    /// </summary>
    /// <param name="options">Limits.</param>
    /// <param name="choice">Which engine computes what.</param>
    /// <param name="logger">For starts and failures; nothing is logged per operation.</param>
    /// <exception cref="ArgumentException">An option is not allowed; the message says which and what is.</exception>
    /// <exception cref="LinuxException">No memory or descriptor left.</exception>
    public EmulatedAccelerator(EmulatorOptions options, EngineChoice choice, ILogger logger)
        : this(options, null, choice ?? throw new ArgumentNullException(nameof(choice)), logger, startThreads: true)
    {
    }

    /// <summary>Creates the engines, tests them and starts their threads.</summary>
    /// <param name="options">Limits.</param>
    /// <param name="createEngine">Called once for each engine; the accelerator disposes what it returns.</param>
    /// <param name="logger">For starts and failures; nothing is logged per operation.</param>
    /// <exception cref="ArgumentException">An option is not allowed; the message says which and what is.</exception>
    /// <exception cref="LinuxException">No memory or descriptor left.</exception>
    public EmulatedAccelerator(EmulatorOptions options, Func<IRsaEngine> createEngine, ILogger logger)
        : this(options, createEngine ?? throw new ArgumentNullException(nameof(createEngine)), null, logger, startThreads: true)
    {
    }

    private EmulatedAccelerator(
        EmulatorOptions options, Func<IRsaEngine>? createEngine, EngineChoice? choice, ILogger logger, bool startThreads)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(logger);
        EngineChoice = choice;
        if (options.Validate().FirstOrDefault() is string refusal)
        {
            throw new ArgumentException(refusal, nameof(options));
        }

        _options = options;
        _scheduler = new Scheduler(options.LongestSleep);
        _logger = logger;
        Faults = options.Faults is { } plan ? new FaultInjector(plan, options.Time, logger) : null;
        Mappings = new MappingBudget(options.MaxTotalMappedBytes);
        _numbersInUse = new bool[options.MaxQueues];
        if (choice is { Failure: { } failure })
        {
            _logger.EngineFailedSelfTest(0, "simd", failure);
        }

        try
        {
            AddEngines(CreateUsableEngines(createEngine));
            if (startThreads)
            {
                StartThreads();
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes that each engine locks at most.</summary>
    public static long LockedBytesPerEngine => SimdEngine.LockedBytes + DeviceEngine.LockedBytes;

    /// <summary>What computes, for people; also when it failed its test.</summary>
    public string EngineName { get; private set; } = "";

    /// <summary>The most operations that one engine computes together.</summary>
    public int EngineLanes { get; private set; } = 1;

    /// <summary>Engines that serve the queues: those that passed their test.</summary>
    public int EngineCount => _engines.Count;

    /// <summary>Queues that are open.</summary>
    public int QueueCount => _scheduler.Queues.Length;

    /// <summary>Operations that ended with a result, since the start.</summary>
    public long OperationsCompleted => _engines.Sum(engine => engine.Completed);

    /// <summary>Operations that ended with an error, since the start.</summary>
    public long OperationErrors => _engines.Sum(engine => engine.Errors);

    /// <summary>The engine's name as the control registers hold it: UTF-8, padded with zeros.</summary>
    internal ReadOnlySpan<byte> EngineNameRegister => _engineName;

    /// <summary>Bytes of clients' memory that are mapped now.</summary>
    public long MappedBytes => Mappings.MappedBytes;

    /// <summary>What is left of the bytes that queues may map.</summary>
    internal MappingBudget Mappings { get; }

    /// <summary>What goes wrong on purpose; null: nothing.</summary>
    internal FaultInjector? Faults { get; }

    /// <summary>The open queues at this moment.</summary>
    internal IReadOnlyList<VirtualQueue> OpenQueues => _scheduler.Queues;

    /// <summary>Whether the engines are to end.</summary>
    internal bool IsStopping => _scheduler.IsStopping;

    /// <summary>The engines, to be stepped by hand when no threads were started.</summary>
    internal IReadOnlyList<DeviceEngine> Engines => _engines;

    /// <summary>Which engine computes what, and why; null when the engines were not chosen but given.</summary>
    public EngineChoice? EngineChoice { get; private set; }

    /// <summary>How many batches had how many operations, since the start; kinds of operation of which there was none are left out.</summary>
    public IReadOnlyList<BatchHistogram> GetBatchHistograms() => BatchCounts.Sum(_engines.Select(engine => engine.Batches));

    /// <summary>Processor time that the engines have used for operations with keys of one size, since the start, and how many operations these were.</summary>
    /// <param name="modulusBytes">128, 256, 384 or 512.</param>
    public (long Operations, long Nanoseconds) GetWork(int modulusBytes) => EngineWork.Sum(_engines, modulusBytes);

    /// <summary>All processor time of the engines' threads, looking for work included, until the last batch of each.</summary>
    public long GetThreadNanoseconds() => _engines.Sum(static engine => engine.Work.ThreadNanoseconds);

    /// <summary>Opens a queue pair; disposing it frees it.</summary>
    /// <exception cref="LinuxException">ENOSPC: <see cref="EmulatorOptions.MaxQueues"/> are open; ENODEV: the accelerator is disposed; or no memory or descriptor left.</exception>
    public IVfioDevice OpenQueue() => OpenVirtualQueue();

    /// <summary>Stops the engines after what they hold, and closes every queue: its stop words become 1.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        _scheduler.Stop();
        foreach (Thread thread in _threads)
        {
            thread.Join();
        }

        foreach (VirtualQueue queue in _scheduler.Queues)
        {
            queue.GiveUp();
            queue.Dispose();
        }

        foreach (DeviceEngine engine in _engines)
        {
            engine.Dispose();
        }

        Faults?.Dispose();
        _scheduler.Dispose();
    }

    /// <summary>An accelerator without threads: <see cref="Engines"/> work when they are told to, on the caller's thread.</summary>
    internal static EmulatedAccelerator CreateStepped(EmulatorOptions options, Func<IRsaEngine> createEngine, ILogger logger) =>
        new(options, createEngine, null, logger, startThreads: false);

    /// <summary>One pass of the first engine on the caller's thread: fetch a batch, execute, complete. Returns whether anything was posted.</summary>
    internal bool Step() => _engines[0].Step();

    /// <summary><see cref="OpenQueue"/>, with what the device's own server needs besides.</summary>
    internal VirtualQueue OpenVirtualQueue()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                throw new LinuxException("open queue", "accelerator that has ended", Errno.ENODEV);
            }

            int number = Array.IndexOf(_numbersInUse, false);
            if (number < 0)
            {
                throw new LinuxException("open queue", $"all {_options.MaxQueues} are open", Errno.ENOSPC);
            }

            var queue = new VirtualQueue(this, number, _options);
            try
            {
                _scheduler.Add(queue);
            }
            catch
            {
                queue.Release();
                throw;
            }

            _numbersInUse[number] = true;
            if (EngineCount == 0)
            {
                queue.GiveUp();
            }

            _logger.QueueOpened(number);
            return queue;
        }
    }

    /// <summary>Wakes an engine that sleeps.</summary>
    internal void Wake() => _scheduler.Wake();

    /// <summary>Takes a queue from the engines; returns false when it was taken already.</summary>
    internal bool Withdraw(VirtualQueue queue) => _scheduler.Remove(queue);

    /// <summary>The number of a closed queue may be given again.</summary>
    internal void FreeNumber(int number)
    {
        lock (_lock)
        {
            _numbersInUse[number] = false;
        }

        _logger.QueueClosed(number);
    }

    /// <summary>Creates engines and leaves out those that fail their test; if it is the chosen SIMD engine, all of its kind.</summary>
    private List<IRsaEngine> CreateUsableEngines(Func<IRsaEngine>? createEngine)
    {
        var usable = new List<IRsaEngine>();
        try
        {
            for (int number = 0; number < _options.EngineCount; number++)
            {
                IRsaEngine engine = createEngine is null ? EngineChoice!.CreateEngine() : createEngine();
                if (number == 0)
                {
                    EngineName = engine.Name;
                    EngineLanes = Math.Max(engine.Lanes, 1);
                    SetNameRegister();
                }

                if (!_options.SelfTest || PassesSelfTest(engine, out string? failure))
                {
                    usable.Add(engine);
                    continue;
                }

                _logger.EngineFailedSelfTest(number, engine.Name, failure);
                engine.Dispose();
                if (EngineChoice is { UsesSimd: true })
                {
                    usable.ForEach(engine => engine.Dispose());
                    EngineChoice = EngineChoice.WithoutSimd(failure);
                    return CreateUsableEngines(createEngine);
                }
            }

            return usable;
        }
        catch
        {
            usable.ForEach(engine => engine.Dispose());
            throw;
        }
    }

    private void AddEngines(List<IRsaEngine> usable)
    {
        try
        {
            while (usable.Count > _engines.Count)
            {
                int number = _engines.Count;
                _engines.Add(new DeviceEngine(_scheduler, usable[number], number, usable.Count, _options.SpinTime, Faults, _options.Time, _logger));
            }
        }
        catch
        {
            // Those that became device engines are disposed with them.
            usable.Skip(_engines.Count).ToList().ForEach(engine => engine.Dispose());
            throw;
        }

        if (_engines.Count == 0)
        {
            _logger.NoEngineLeft(_options.EngineCount);
            return;
        }

        _logger.Started(EngineName, _engines.Count, EngineLanes);
        if (EngineChoice is not null)
        {
            _logger.EngineChosen(EngineChoice.Asked, EngineChoice.Source, EngineChoice);
        }

        if (!_engines.TrueForAll(engine => engine.IsMemoryLocked))
        {
            _logger.MemoryNotLocked();
        }
    }

    private static bool PassesSelfTest(IRsaEngine engine, [NotNullWhen(false)] out string? failure)
    {
        try
        {
            return EngineSelfTest.Run(engine, out failure);
        }
#pragma warning disable CA1031 // Whatever it throws, it is not used.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            failure = thrown.Message;
            return false;
        }
    }

    /// <summary>Cuts a name that is too long behind a whole character.</summary>
    private void SetNameRegister() =>
        Encoding.UTF8.GetEncoder().Convert(EngineName, _engineName, flush: true, out _, out _, out _);

    private void StartThreads()
    {
        for (int number = 0; number < _engines.Count; number++)
        {
            DeviceEngine engine = _engines[number];
            var thread = new Thread(() => RunEngine(engine)) { Name = $"warp-engine-{number}", IsBackground = true };
            thread.Start();
            _threads.Add(thread);
        }
    }

    /// <summary>
    /// The body of an engine's thread. It inherits the policy of whoever started the accelerator; under SCHED_BATCH, right for threads
    /// that hand work to each other, an engine that is rung for would wait until the one who rang has used up its slice.
    /// </summary>
    private void RunEngine(DeviceEngine engine)
    {
        if (!ThreadScheduling.TryChange(SchedulingPolicy.Batch, SchedulingPolicy.Other, out LinuxException? refusal)
            && Interlocked.Exchange(ref _schedulingWasRefused, 1) == 0)
        {
            _logger.EngineSchedulingRefused(refusal.Message);
        }

        engine.Run();
    }
}
