using System.Text.Json;
using WarpDrive.Driver;
using WarpDrive.Driver.Devices;
using WarpDrive.Driver.Paths;
using WarpDrive.Emulator;
using WarpDrive.Engines;
using WarpDrive.Linux;
using WarpDrive.OpenSsl;
using WarpProxy.Configuration;
using WarpProxy.Tls;

namespace WarpProxy.Offload;

/// <summary>The devices of this proxy: opened here, given keys here, asked how they are here. Nothing else in the proxy knows the driver.</summary>
internal sealed class Accelerator : IDisposable
{
    /// <summary>The longest wait for an answer when a queue is opened, which asks the device a few questions; an emulator that is alive answers each in microseconds.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    /// <summary>The reason of operations whose thread may not wait for a device.</summary>
    public const string NotOnLane = "not_on_lane";

    private static readonly TimeSpan CloseInterval = TimeSpan.FromMilliseconds(50);

    private static readonly string EmbeddedUri = new DeviceUri(DeviceKind.Embedded, "").ToString();

    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly DeviceTree _tree;              // of the start: a device that is open does not move
    private readonly IDeviceCalls _calls;
    private readonly IOperationObserver? _observer;
    private readonly QueuePool _pool;
    private readonly OperationCounters _counters = new();
    private readonly ShadowQueue _shadows;
    private readonly PathChooser _chooser = new(Environment.ProcessorCount, HandshakeLane.CountLoad, HandshakeLane.BeginDevice);
    private readonly Lock _gate = new();
    private readonly List<EmulatedAccelerator> _leaving = [];       // under _gate: devices of earlier configurations, until their queues are closed
    private readonly EngineUse _left = new();                       // under _gate: what devices did that are gone
    private volatile EmulatedAccelerator? _embedded;                // written under _gate
    private long _engineNanoseconds;                                // as it was read last
    private volatile OffloadPlan _plan;
    private OffloadOptions _options;                                // under _gate
    private long _notOnLane;

    /// <summary>Opens the devices that are there; the pool looks for the others from then on.</summary>
    /// <exception cref="BadInputException">What answers at a device's address is no such device.</exception>
    public Accelerator(OffloadOptions options, TimeProvider time, ILoggerFactory loggers)
        : this(options, options.Path != OffloadPath.Software, time, loggers)
    {
    }

    /// <summary>As above, but some keys may go another way than most.</summary>
    /// <inheritdoc cref="Accelerator(OffloadOptions, TimeProvider, ILoggerFactory)"/>
    /// <param name="options"/>
    /// <param name="opensDevices">Whether any key goes to them.</param>
    /// <param name="time"/>
    /// <param name="loggers"/>
    /// <param name="calls">What the files of the kernel's devices are opened with; null: the kernel.</param>
    /// <param name="observer">Sees every operation; null: nobody does.</param>
    public Accelerator(
        OffloadOptions options, bool opensDevices, TimeProvider time, ILoggerFactory loggers, IDeviceCalls? calls = null, IOperationObserver? observer = null)
    {
        _observer = observer;
        IReadOnlyList<DeviceUri> devices = opensDevices ? options.ParseDevices() : [];
        _loggers = loggers;
        _time = time;
        _options = options;
        _shadows = new ShadowQueue(loggers.CreateLogger<ShadowQueue>()) { Share = opensDevices ? options.Shadow : 0 };
        _tree = options.Tree;
        _calls = calls ?? KernelDeviceCalls.Instance;
        _plan = OffloadPlan.Of(options, devices.Count > 0);
        _embedded = HasEmbedded(devices) ? MakeEmbedded(options, _loggers) : null;
        try
        {
            _pool = new QueuePool(LimitsOf(options), [.. devices.Select(Endpoint)], loggers.CreateLogger<QueuePool>(), time);
        }
        catch (AcceleratorException exception)
        {
            _embedded?.Dispose();
            throw new BadInputException(exception.Message, exception);
        }
    }

    /// <summary>
    /// Takes other devices and limits into use, while operations run: devices that are no longer configured end what they have, new ones are opened. Keys
    /// stay valid; which way each goes is not changed here.
    /// </summary>
    /// <param name="options">Of another configuration.</param>
    /// <param name="opensDevices">Whether any key goes to them.</param>
    public void Configure(OffloadOptions options, bool opensDevices)
    {
        lock (_gate)
        {
            IReadOnlyList<DeviceUri> devices = opensDevices ? options.ParseDevices() : [];
            EmulatedAccelerator? earlier = _embedded;
            if (earlier is null || !HasEmbedded(devices) || options.Engine != _options.Engine || options.Engines != _options.Engines)
            {
                if (earlier is not null)
                {
                    // The new one has the same name: the pool lets go of the old one first.
                    _leaving.Add(earlier);
                    _pool.Configure(LimitsOf(options), [.. devices.Where(static device => device.Kind != DeviceKind.Embedded).Select(Endpoint)]);
                    _ = CloseAsync(earlier);
                }

                _embedded = HasEmbedded(devices) ? MakeEmbedded(options, _loggers) : null;
            }

            _pool.Configure(LimitsOf(options), [.. devices.Select(Endpoint)]);
            _options = options;
            _shadows.Share = devices.Count > 0 ? options.Shadow : 0;
            _plan = OffloadPlan.Of(options, devices.Count > 0);
        }
    }

    /// <summary>Finds what can be told of the devices without opening them: sockets that can be none, hardware that computes something else.</summary>
    /// <exception cref="BadInputException">With a line for each device.</exception>
    public static void CheckDevices(OffloadOptions options)
    {
        List<string> problems = [];
        foreach (DeviceUri device in options.ParseDevices().Where(static device => device.Kind != DeviceKind.Embedded))
        {
            try
            {
                FindEndpoint(device, null, options.Tree, KernelDeviceCalls.Instance);
            }
            catch (AcceleratorException exception)
            {
                problems.Add(exception.Message);
            }
        }

        if (problems.Count > 0)
        {
            throw new BadInputException(string.Join(Environment.NewLine, problems));
        }
    }

    /// <summary>How queues of a device are opened.</summary>
    /// <param name="device">Not none.</param>
    /// <param name="embedded">The device in this process, which another configuration may replace; null when there is none.</param>
    /// <param name="tree">Where the kernel's devices are.</param>
    /// <param name="calls">What their files are opened with.</param>
    /// <exception cref="AcceleratorException">It can be no device.</exception>
    public static DeviceEndpoint FindEndpoint(DeviceUri device, EmulatedAccelerator? embedded, DeviceTree tree, IDeviceCalls calls) => device.Kind switch
    {
        DeviceKind.Embedded => new DeviceEndpoint(device.ToString(), embedded!.OpenQueue) { ReadWork = modulusBytes => ReadWork(embedded, modulusBytes) },
        DeviceKind.Uacce => UacceEndpoint.Create(device.ToString(), tree, calls),
        DeviceKind.Mdev => MdevEndpoint.Create(device.ToString(), tree, calls),
        _ => DeviceEndpoint.ForEmulator(device.ToString(), ConnectTimeout),
    };

    /// <summary>The embedded device of a section.</summary>
    public static EmulatedAccelerator MakeEmbedded(OffloadOptions options, ILoggerFactory loggers) => new(
        new EmulatorOptions { EngineCount = options.Engines ?? OffloadOptions.DefaultEngines }, EngineChoice.Make(options.Engine), loggers.CreateLogger<EmulatedAccelerator>());

    /// <summary>Every device, in the order of configuration.</summary>
    public IReadOnlyList<DeviceSnapshot> Devices => [.. _pool.GetStatus().Devices.Select(Snapshot)];

    /// <summary>Operations so far.</summary>
    public OperationSnapshot Operations
    {
        get
        {
            OperationCounts counts = _counters.Snapshot();
            Dictionary<string, long> fallback = ByName(counts.Fallback);
            if (Interlocked.Read(ref _notOnLane) is > 0 and long notOnLane)
            {
                fallback[NotOnLane] = notOnLane;
            }

            return new OperationSnapshot(counts.Device, counts.Software + counts.Fallback.Values.Sum(), fallback)
            {
                Failed = ByName(counts.Failed),
                Shadow = ReadShadow(),
                Choices = counts.Choices.Where(static one => one.Value > 0).ToDictionary(static one => NameOf(one.Key), static one => one.Value),
            };
        }
    }

    /// <summary>The way of keys, as configured now.</summary>
    public OffloadPlan Plan => _plan;

    /// <summary>What is expected of each path now, by key size; of the path <c>auto</c>.</summary>
    public IReadOnlyList<PathStatus> Paths => _pool.GetPaths(_chooser);

    /// <summary>Keys that devices may have: those in use, and those that a device has not erased yet.</summary>
    public int KeyCount => _pool.KeyCount;

    /// <summary>Slots that belong to a device now, abandoned ones included.</summary>
    public int SlotsInUse => _pool.GetStatus().SlotsInUse;

    /// <summary>Queues that are neither idle nor closed now.</summary>
    public int QueuesInUse => _pool.GetStatus().QueuesInUse;

    /// <summary>Operations that a lane waits for now.</summary>
    public int OperationsInFlight => _pool.GetStatus().OperationsInFlight;

    /// <summary>What the engines of the embedded device, and of those before it, did since the start. False while the devices are being changed.</summary>
    public bool TryReadEngines(EngineUse use)
    {
        if (!_gate.TryEnter())
        {
            return false;
        }

        try
        {
            use.CopyFrom(_left);
            foreach (EmulatedAccelerator device in _leaving)
            {
                use.Add(device);
            }

            if (_embedded is { } embedded)
            {
                use.Add(embedded);
            }

            return true;
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <summary>Makes a key whose operations take the configured way.</summary>
    /// <param name="key">RSA; stays the caller's, who may dispose it afterwards.</param>
    /// <param name="path">The way.</param>
    /// <param name="fallback">What computes when no device does.</param>
    /// <exception cref="OpenSslException">The key has an unusual shape.</exception>
    public OffloadedRsaKey Offload(PrivateKey key, OffloadPath path, OffloadFallback fallback)
    {
        ArgumentNullException.ThrowIfNull(key);

        // Where software computes everything, OpenSSL has the key: it is quicker when it need not be brought each time.
        SoftwareRsaKey software = _plan.RequiresLockedMemory || fallback == OffloadFallback.None ? SoftwareRsaKey.CreateOutsideOpenSsl(key)
            : path == OffloadPath.Software ? SoftwareRsaKey.CreateByOpenSsl(key)
            : new SoftwareRsaKey(key);
        return path == OffloadPath.Software ? new(software, null, _counters, BeginSoftwareOperation) { Observer = _observer }
            : fallback != OffloadFallback.Software
                ? new(software, _pool, _counters, BeginSoftwareOperation) { HasFallback = false, Observer = _observer, BeginDevice = HandshakeLane.BeginDevice }
            : path == OffloadPath.Auto ? new(software, _pool, _counters, BeginOperation, _chooser) { Observer = _observer, Shadow = _shadows }
            : new(software, _pool, _counters, BeginOperation)
            {
                Observer = _observer,
                BeginDevice = HandshakeLane.BeginDevice,
                Comparison = path == OffloadPath.Compare ? new PathComparison(_options.CompareShare) : null,
                Shadow = _shadows,
            };
    }

    /// <summary>For people: what computes.</summary>
    public string Describe() => Devices is { Count: > 0 } devices ? string.Join(", ", devices) : "software, no device";

    /// <inheritdoc/>
    public void Dispose()
    {
        _shadows.Dispose();
        _pool.Dispose();
        lock (_gate)
        {
            _embedded?.Dispose();
            _leaving.ForEach(static device => device.Dispose());
            _leaving.Clear();
        }
    }

    private static bool HasEmbedded(IReadOnlyList<DeviceUri> devices) => devices.Any(static device => device.Kind == DeviceKind.Embedded);

    private static QueuePoolOptions LimitsOf(OffloadOptions options) =>
        new() { Depth = options.Depth, QueuesPerDevice = options.QueuesPerDevice, Deadline = options.Deadline, Breaker = options.Breaker.Build() };

    /// <summary>Ends a device of ours when the pool has closed its queues.</summary>
    private async Task CloseAsync(EmulatedAccelerator device)
    {
        while (device.QueueCount > 0)
        {
            await Task.Delay(CloseInterval, _time);
        }

        bool isLast;
        lock (_gate)
        {
            isLast = _leaving.Remove(device);
            if (isLast)
            {
                _left.Add(device);
            }
        }

        if (isLast)
        {
            device.Dispose();
        }
    }

    /// <summary>At the start of each operation: whether its thread may wait for a device. Only lanes may; the thread pool computes itself.</summary>
    private bool BeginOperation()
    {
        if (HandshakeLane.CurrentHandshake is { } handshake)
        {
            handshake.PrivateKeyUsed();
            return true;
        }

        Interlocked.Increment(ref _notOnLane);
        return false;
    }

    /// <summary>As above, of keys that only software has, or only a device: any thread computes, or waits.</summary>
    private static bool BeginSoftwareOperation()
    {
        HandshakeLane.CurrentHandshake?.PrivateKeyUsed();
        return true;
    }

    private Dictionary<string, long> ReadShadow()
    {
        Dictionary<string, long> counts = Enum.GetValues<ShadowOutcome>().ToDictionary(static outcome => outcome.ToString().ToLowerInvariant(), _shadows.Count);
        counts["dropped"] = _shadows.DroppedCount;
        return counts.Values.Any(static count => count > 0) ? counts : [];
    }

    private static Dictionary<string, long> ByName(IReadOnlyDictionary<AcceleratorError, long> counts) => counts.Where(static reason => reason.Value > 0)
        .ToDictionary(static reason => JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.Key.ToString()), static reason => reason.Value);

    private static string NameOf(PathDecision decision) => decision switch
    {
        PathDecision.Device => "auto_device",
        PathDecision.Software => "auto_software",
        _ => "overflow",
    };

    /// <summary>What the embedded device's engines, threads of this process, have used of its processors.</summary>
    private static ProcessorWork ReadWork(EmulatedAccelerator embedded, int modulusBytes)
    {
        (long operations, long nanoseconds) = embedded.GetWork(modulusBytes);
        return new ProcessorWork(operations, nanoseconds);
    }

    private DeviceSnapshot Snapshot(DeviceStatus device)
    {
        var snapshot = new DeviceSnapshot(
            device.Uri, device.State.ToString().ToLowerInvariant(), device.Engine, device.EngineCount, device.QueueCount, device.OperationCount)
        {
            Breaker = BreakerSnapshot.Of(device.Breaker),
        };
        return device.Uri == EmbeddedUri && _embedded is { EngineChoice: { } choice }
            ? snapshot with
            {
                EngineChoice = EngineChoiceSnapshot.Of(choice),
                Batches = [.. _embedded.GetBatchHistograms().Select(BatchSnapshot.Of)],
                ProcessorSeconds = ReadEngineNanoseconds() / 1e9,
            }
            : snapshot;
    }

    private long ReadEngineNanoseconds()
    {
        var use = new EngineUse();
        if (!TryReadEngines(use))
        {
            return Volatile.Read(ref _engineNanoseconds);
        }

        Volatile.Write(ref _engineNanoseconds, use.ThreadNanoseconds);
        return use.ThreadNanoseconds;
    }

    private DeviceEndpoint Endpoint(DeviceUri device) => FindEndpoint(device, _embedded, _tree, _calls);
}
