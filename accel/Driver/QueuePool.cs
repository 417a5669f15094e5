using Microsoft.Extensions.Logging;
using WarpDrive.Abi.Hpre;
using WarpDrive.Linux;

namespace WarpDrive.Driver;

/// <summary>
/// Queue pairs of several devices, each handed out for one operation at a time. A thread for each device looks for it while it
/// is absent and takes abandoned operations back. Any thread may call any member.
/// </summary>
public sealed partial class QueuePool : IDisposable
{
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly bool _startsThreads;
    private readonly Lock _changeLock = new();
    private readonly List<PooledDevice> _replaced = [];   // under _changeLock: no longer named; they work until those that came instead were tried
    private readonly List<PooledDevice> _leaving = [];    // under _changeLock: they get no work, and close
    private readonly Lock _keysLock = new();
    private readonly Stack<int> _freeKeyNumbers = [];     // under _keysLock
    private PooledDevice[] _named = [];                   // under _changeLock: those of the configuration, in its order
    private volatile PooledDevice[] _devices = [];        // that get work: read by every operation; replaced whole, never changed
    private int _nextKeyNumber;                           // under _keysLock
    private int _unlockedKeyWasLogged;
    private string? _complaint;                           // the last that was logged
    private bool _isDisposed;                             // under _changeLock

    /// <summary>
    /// Opens queues on every device that is there and knows the right answers, and starts to look for those that are not there.
    /// </summary>
    /// <param name="options">Limits.</param>
    /// <param name="endpoints">Devices in order of preference among equally busy ones; may be none.</param>
    /// <param name="logger">For changes of a device's state.</param>
    /// <param name="time">The clock of deadlines, quarantines and stalls.</param>
    /// <exception cref="AcceleratorException">What answers at an endpoint is no WarpDrive device, or refuses the depth.</exception>
    public QueuePool(QueuePoolOptions options, IReadOnlyList<DeviceEndpoint> endpoints, ILogger logger, TimeProvider time)
        : this(options, endpoints, logger, time, startsThreads: true)
    {
    }

    private QueuePool(QueuePoolOptions options, IReadOnlyList<DeviceEndpoint> endpoints, ILogger logger, TimeProvider time, bool startsThreads)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(endpoints);
        _logger = logger;
        _time = time;
        _startsThreads = startsThreads;
        _devices = _named = [.. endpoints.Select(endpoint => new PooledDevice(endpoint, options, logger, time))];
        Array.ForEach(_named, Start);
        foreach (PooledDevice device in _named)
        {
            // Without threads the probes need whoever steps the devices.
            if (_startsThreads)
            {
                device.Supervisor!.Tried.Wait();
            }

            if (device.Supervisor!.Tried is { IsCompleted: true, Result: { } problem })
            {
                Dispose();
                throw new AcceleratorException($"Device '{device.Uri}' cannot be used: {problem.Message}", problem);
            }
        }
    }

    /// <summary>Keys taken into use that some device has not erased yet.</summary>
    public int KeyCount
    {
        get
        {
            lock (_keysLock)
            {
                return _nextKeyNumber - _freeKeyNumbers.Count;
            }
        }
    }

    /// <summary>Where keys are kept here; it outlives the pool, as keys may.</summary>
    internal SecretArena Secrets { get; } = new();

    /// <summary>The supervisors of every device that may have queues open; somebody else has to run their rounds when no threads were started.</summary>
    internal IReadOnlyList<DeviceSupervisor> Supervisors
    {
        get
        {
            lock (_changeLock)
            {
                return [.. All().Select(static device => device.Supervisor!)];
            }
        }
    }

    /// <summary>A pool without threads: <see cref="Supervisors"/> work when they are told to, on the caller's thread.</summary>
    internal static QueuePool CreateStepped(QueuePoolOptions options, IReadOnlyList<DeviceEndpoint> endpoints, ILogger logger, TimeProvider time) =>
        new(options, endpoints, logger, time, startsThreads: false);

    /// <summary>Takes a private key into use.</summary>
    /// <param name="crtBlock">dq, dp, q, p, qinv, each half the modulus, big-endian (<see cref="RsaKeyBlock"/>). Copied; the caller zeroes its own.</param>
    /// <param name="modulusBytes">128, 256, 384 or 512.</param>
    /// <param name="faultCheck">Run on every result.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another size.</exception>
    /// <exception cref="LinuxException">No memory.</exception>
    public DeviceKey CreateKey(ReadOnlySpan<byte> crtBlock, int modulusBytes, RsaFaultCheck faultCheck)
    {
        ArgumentNullException.ThrowIfNull(faultCheck);
        if (!RsaKeyBlock.IsSupportedModulus(modulusBytes))
        {
            throw new ArgumentOutOfRangeException(nameof(modulusBytes), modulusBytes, "Allowed are 128, 256, 384 and 512.");
        }

        ArgumentOutOfRangeException.ThrowIfNotEqual(crtBlock.Length, RsaKeyBlock.SizeInBytes(HpreAlgorithm.RsaCrt, modulusBytes));
        var key = new DeviceKey(this, TakeKeyNumber(), crtBlock, modulusBytes, faultCheck);
        if (!key.IsLocked && Interlocked.Exchange(ref _unlockedKeyWasLogged, 1) == 0)
        {
            _logger.KeyNotLocked();
        }

        return key;
    }

    /// <summary>
    /// Changes devices and limits while operations run. A device that stays keeps its queues, unless their number or depth changes: then it is
    /// opened anew. New ones are opened in the background, where one that cannot be used is logged. Those that are no longer named, or opened
    /// anew, get no more work as soon as the new ones were tried, at once if there is none; their queues are closed as operations return them.
    /// Keys stay valid.
    /// </summary>
    /// <param name="options">Limits.</param>
    /// <param name="endpoints">As for the constructor. A device is the same when its URI is.</param>
    /// <exception cref="ObjectDisposedException">The pool is disposed.</exception>
    public void Configure(QueuePoolOptions options, IReadOnlyList<DeviceEndpoint> endpoints)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(endpoints);
        lock (_changeLock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            PooledDevice[] earlier = _named;
            _named = [.. endpoints.Select(endpoint => Array.Find(earlier, device => device.Uri == endpoint.Uri && device.Options.HasQueuesOf(options))
                ?? new PooledDevice(endpoint, options, _logger, _time))];
            PooledDevice[] added = [.. _named.Except(earlier)];
            PooledDevice[] removed = [.. earlier.Except(_named)];
            foreach (PooledDevice kept in _named.Intersect(earlier))
            {
                kept.Options = options;
            }

            _replaced.AddRange(removed);
            Array.ForEach(added, Start);
            _devices = [.. _named, .. _replaced];
            _ = ReplaceAsync(added, removed);
        }
    }

    /// <summary>What there is at this moment; the numbers of a busy pool are each true, but not of the same instant.</summary>
    public PoolStatus GetStatus()
    {
        lock (_changeLock)
        {
            return new(
                [.. _named.Select(static device => device.GetStatus())],
                All().Sum(static device => device.CountSlotsInUse()),
                All().Sum(static device => device.RentedCount),
                All().Sum(static device => device.CountQueuesInUse()),
                KeyCount);
        }
    }

    /// <summary>Closes all queues. Operations that run end first: each has a deadline.</summary>
    public void Dispose()
    {
        PooledDevice[] devices;
        lock (_changeLock)
        {
            _isDisposed = true;
            devices = [.. All()];
        }

        Array.ForEach(devices, static device => device.Supervisor!.Leave());
        if (!_startsThreads)
        {
            Array.ForEach(devices, static device => device.Supervisor!.Round());
            return;
        }

        // Bounded by the longest deadline of operations that still run. A queue that is never returned is never closed.
        TimeSpan patience = devices.Select(static device => device.Options.DeadlineFor(RsaKeyBlock.MaxModulusBytes)).DefaultIfEmpty().Max() + TimeSpan.FromSeconds(1);
        Task.WaitAll([.. devices.Select(static device => device.Supervisor!.Ended)], patience);
    }

    internal AcceleratorError TryPrivate(DeviceKey key, ReadOnlySpan<byte> input, Span<byte> output, OperationTimeline? timeline)
    {
        PooledDevice[] devices = _devices;
        return TryRent(devices, key.ModulusBytes, out PooledOperation operation)
            ? Run(operation with { Timeline = timeline }, key, input, output)
            : FindObstacle(devices);
    }

    /// <summary>From posting to the checked result, on the queue that was rented for it.</summary>
    private AcceleratorError Run(in PooledOperation operation, DeviceKey key, ReadOnlySpan<byte> input, Span<byte> output)
    {
        try
        {
            return TryBegin(operation, key, input, out AcceleratorError outcome) ? WaitAndEnd(operation, input, output) : outcome;
        }
#pragma warning disable CA1031 // Whatever fails on the way to a device, the operation has software.
        catch (Exception e)
#pragma warning restore CA1031
        {
            // Said once, not for each operation.
            if (Interlocked.Exchange(ref _complaint, e.Message) != e.Message)
            {
                _logger.OperationFailed(e.Message);
            }

            return AcceleratorError.Failed;
        }
    }

    /// <summary>
    /// Rents a queue, posts an operation there and rings. True: <see cref="TryPoll"/> until it is over, then <see cref="End"/>. False:
    /// <paramref name="refusal"/> is its outcome.
    /// </summary>
    internal bool TryBegin(DeviceKey key, ReadOnlySpan<byte> input, out PooledOperation operation, out AcceleratorError refusal)
    {
        PooledDevice[] devices = _devices;
        if (!TryRent(devices, key.ModulusBytes, out operation))
        {
            refusal = FindObstacle(devices);
            return false;
        }

        return TryBegin(operation, key, input, out refusal);
    }

    /// <summary>Posts an operation on the queue that was rented for it; gives the queue back when that fails.</summary>
    private static bool TryBegin(in PooledOperation operation, DeviceKey key, ReadOnlySpan<byte> input, out AcceleratorError refusal)
    {
        refusal = AcceleratorError.DeviceGone;
        bool hasBegun = false;
        try
        {
            hasBegun = operation.Queue.TryBegin(key, input, operation.Device.Uri, operation.Timeline, out refusal);
            return hasBegun;
        }
        finally
        {
            if (!hasBegun)
            {
                operation.Device.Return(operation.Queue, refusal);
            }
        }
    }

    /// <summary>Looks after an operation without waiting; returns whether it is over. Its outcome is what <see cref="End"/> makes of this one.</summary>
    internal static bool TryPoll(in PooledOperation operation, out AcceleratorError outcome) => operation.Queue.TryPoll(out outcome);

    /// <summary>Checks and hands out the result, if there is one, and gives the queue back. Returns the operation's outcome.</summary>
    internal static AcceleratorError End(in PooledOperation operation, AcceleratorError outcome, ReadOnlySpan<byte> input, Span<byte> output)
    {
        AcceleratorError result = AcceleratorError.DeviceGone;
        try
        {
            result = operation.Queue.End(outcome, input, output);
        }
        finally
        {
            operation.Device.Learn(operation.Meter, result);
            operation.Device.Return(operation.Queue, result);
        }

        return result;
    }

    /// <summary>Has every device erase a key that no operation uses any more.</summary>
    internal void Retire(DeviceKey key)
    {
        PooledDevice[] holders;
        lock (_changeLock)
        {
            // A device that comes later never sees the key.
            holders = [.. All()];
        }

        // One more, for this call: the number is free when the last of them is done, also when there is no device.
        key.BeginErase(holders.Length + 1);
        Array.ForEach(holders, device => device.Supervisor!.Retire(key));
        key.ErasedOnDevice();
    }

    /// <summary>Whether any arena has a copy of a key that no operation uses any more.</summary>
    internal bool Holds(DeviceKey key)
    {
        lock (_changeLock)
        {
            return All().Any(device => device.Holds(key));
        }
    }

    internal void FreeKeyNumber(int number)
    {
        lock (_keysLock)
        {
            _freeKeyNumbers.Push(number);
        }
    }

    private int TakeKeyNumber()
    {
        lock (_keysLock)
        {
            return _freeKeyNumbers.TryPop(out int number) ? number : _nextKeyNumber++;
        }
    }

    private void Start(PooledDevice device)
    {
        device.Supervisor = new DeviceSupervisor(device, _logger);
        if (_startsThreads)
        {
            device.Supervisor.Start();
        }
        else
        {
            device.Supervisor.Round();
        }
    }

    /// <summary>Every device that may have queues open. Under the lock.</summary>
    private IEnumerable<PooledDevice> All() => [.. _named, .. _replaced, .. _leaving];

    /// <summary>Lets devices go when those that came with the same change were tried, and forgets them when they are closed.</summary>
    private async Task ReplaceAsync(PooledDevice[] added, PooledDevice[] removed)
    {
        foreach (PooledDevice device in added)
        {
            if (await device.Supervisor!.Tried.ConfigureAwait(false) is { } problem)
            {
                _logger.DeviceUnusable(device.Uri, problem.Message);
            }
        }

        lock (_changeLock)
        {
            Array.ForEach(removed, device => _replaced.Remove(device));
            _leaving.AddRange(removed);
            _devices = [.. _named, .. _replaced];
        }

        foreach (PooledDevice device in removed)
        {
            device.Supervisor!.Leave();
        }

        foreach (PooledDevice device in removed)
        {
            await device.Supervisor!.Ended.ConfigureAwait(false);
            _logger.DeviceRemoved(device.Uri);
            lock (_changeLock)
            {
                _leaving.Remove(device);
            }
        }
    }
}
