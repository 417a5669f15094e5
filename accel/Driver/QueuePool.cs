using Microsoft.Extensions.Logging;
using WarpDrive.Abi.Hpre;
using WarpDrive.Linux;

namespace WarpDrive.Driver;

/// <summary>
/// Queue pairs of several devices, each handed out for one operation at a time. A thread for each device looks for it while it
/// is absent and takes abandoned operations back. Any thread may call any member.
/// </summary>
public sealed class QueuePool : IDisposable
{
    private readonly QueuePoolOptions _options;
    private readonly ILogger _logger;
    private readonly PooledDevice[] _devices;
    private readonly DeviceSupervisor[] _supervisors;
    private readonly Lock _keysLock = new();
    private readonly Stack<int> _freeKeyNumbers = []; // under _keysLock
    private int _nextKeyNumber;                       // under _keysLock
    private int _unlockedKeyWasLogged;
    private int _isDisposed;

    /// <summary>
    /// Opens queues on every device that is there, and starts to look for those that are not.
    /// </summary>
    /// <param name="options">Limits.</param>
    /// <param name="endpoints">Devices in order of preference among equally busy ones; may be none.</param>
    /// <param name="logger">For changes of a device's state.</param>
    /// <param name="time">The clock of deadlines, quarantines and stalls.</param>
    /// <exception cref="AcceleratorException">What answers at an endpoint is no WarpDrive device, or refuses the depth.</exception>
    public QueuePool(QueuePoolOptions options, IReadOnlyList<DeviceEndpoint> endpoints, ILogger logger, TimeProvider time)
        : this(options, endpoints, logger, time, startThreads: true)
    {
    }

    private QueuePool(QueuePoolOptions options, IReadOnlyList<DeviceEndpoint> endpoints, ILogger logger, TimeProvider time, bool startThreads)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(endpoints);
        _options = options;
        _logger = logger;
        _devices = [.. endpoints.Select(endpoint => new PooledDevice(endpoint, options, logger, time))];
        foreach (PooledDevice device in _devices)
        {
            try
            {
                device.Supervise([], generation: 0);
            }
            catch (AcceleratorException e)
            {
                CloseAll();
                throw new AcceleratorException($"Device '{device.Uri}' cannot be used: {e.Message}", e);
            }
        }

        _supervisors = [.. _devices.Select(device => new DeviceSupervisor(device, options.RetryInterval, logger))];
        if (startThreads)
        {
            Array.ForEach(_supervisors, static supervisor => supervisor.Start());
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

    /// <summary>Devices of the pool, absent ones included.</summary>
    internal int DeviceCount => _devices.Length;

    /// <summary>The supervisors, whose rounds somebody else has to run when no threads were started.</summary>
    internal IReadOnlyList<DeviceSupervisor> Supervisors => _supervisors;

    /// <summary>A pool without threads: <see cref="Supervisors"/> work when they are told to, on the caller's thread.</summary>
    internal static QueuePool CreateStepped(QueuePoolOptions options, IReadOnlyList<DeviceEndpoint> endpoints, ILogger logger, TimeProvider time) =>
        new(options, endpoints, logger, time, startThreads: false);

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

    /// <summary>What there is at this moment; the numbers of a busy pool are each true, but not of the same instant.</summary>
    public PoolStatus GetStatus() => new(
        [.. _devices.Select(static device => device.GetStatus())],
        _devices.Sum(static device => device.CountSlotsInUse()),
        _devices.Sum(static device => device.RentedCount));

    /// <summary>Closes all queues. Operations that run end first: each has a deadline.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        Array.ForEach(_supervisors, static supervisor => supervisor.Dispose());
        CloseAll();
    }

    internal AcceleratorError TryPrivate(DeviceKey key, ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (!TryBegin(key, input, out PooledOperation operation, out AcceleratorError outcome))
        {
            return outcome;
        }

        outcome = AcceleratorError.DeviceGone;
        try
        {
            outcome = operation.Queue.Wait();
        }
        finally
        {
            outcome = End(operation, outcome, input, output);
        }

        return outcome;
    }

    /// <summary>
    /// Rents a queue, posts an operation there and rings. True: <see cref="TryPoll"/> until it is over, then <see cref="End"/>. False:
    /// <paramref name="refusal"/> is its outcome.
    /// </summary>
    internal bool TryBegin(DeviceKey key, ReadOnlySpan<byte> input, out PooledOperation operation, out AcceleratorError refusal)
    {
        int number = Rent(out PooledQueue? queue);
        if (queue is null)
        {
            operation = default;
            refusal = Array.Exists(_devices, static device => device.IsReady) ? AcceleratorError.Busy : AcceleratorError.NoDevice;
            return false;
        }

        operation = new PooledOperation(number, queue);
        refusal = AcceleratorError.DeviceGone;
        bool hasBegun = false;
        try
        {
            hasBegun = queue.TryBegin(key, input, out refusal);
            return hasBegun;
        }
        finally
        {
            if (!hasBegun)
            {
                Return(operation, refusal);
            }
        }
    }

    /// <summary>Looks after an operation without waiting; returns whether it is over. Its outcome is what <see cref="End"/> makes of this one.</summary>
    internal static bool TryPoll(in PooledOperation operation, out AcceleratorError outcome) => operation.Queue.TryPoll(out outcome);

    /// <summary>Checks and hands out the result, if there is one, and gives the queue back. Returns the operation's outcome.</summary>
    internal AcceleratorError End(in PooledOperation operation, AcceleratorError outcome, ReadOnlySpan<byte> input, Span<byte> output)
    {
        AcceleratorError result = AcceleratorError.DeviceGone;
        try
        {
            result = operation.Queue.End(outcome, input, output);
        }
        finally
        {
            Return(operation, result);
        }

        return result;
    }

    internal void Retire(DeviceKey key) => Array.ForEach(_supervisors, supervisor => supervisor.Retire(key));

    /// <summary>Whether any arena has a copy of a key that no operation uses any more.</summary>
    internal bool Holds(DeviceKey key) => Array.Exists(_devices, device => device.Holds(key));

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

    /// <summary>Rents a queue of the device that has the least to do; returns the device's number. Null: none has an idle queue.</summary>
    private int Rent(out PooledQueue? queue)
    {
        int best = -1;
        for (int i = 0; i < _devices.Length; i++)
        {
            if (_devices[i].HasIdleQueue && (best < 0 || _devices[i].RentedCount < _devices[best].RentedCount))
            {
                best = i;
            }
        }

        if (best >= 0 && _devices[best].TryRent(out queue))
        {
            return best;
        }

        // Its last queue was taken meanwhile: any other will do.
        for (int i = 0; i < _devices.Length; i++)
        {
            if (_devices[i].TryRent(out queue))
            {
                return i;
            }
        }

        queue = null;
        return -1;
    }

    private void Return(in PooledOperation operation, AcceleratorError outcome)
    {
        if (_devices[operation.DeviceNumber].Return(operation.Queue, outcome))
        {
            _supervisors[operation.DeviceNumber].Wake();
        }
    }

    private void CloseAll()
    {
        // Bounded by the longest deadline of operations that still run.
        TimeSpan patience = _options.DeadlineFor(RsaKeyBlock.MaxModulusBytes) + TimeSpan.FromSeconds(1);
        SpinWait.SpinUntil(() => Array.TrueForAll(_devices, static device => device.TryClose()), patience);
    }
}
