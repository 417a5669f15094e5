using Microsoft.Extensions.Logging;
using WarpDrive.Abi.Hpre;
using WarpDrive.Driver.VfioUser;
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
    /// <param name="time">The clock of quarantines and stalls.</param>
    /// <exception cref="AcceleratorException">What answers at an endpoint is no WarpDrive device, or refuses the depth.</exception>
    public QueuePool(QueuePoolOptions options, IReadOnlyList<DeviceEndpoint> endpoints, ILogger logger, TimeProvider time)
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
        int number = Rent(out PooledQueue? queue);
        if (queue is null)
        {
            return Array.Exists(_devices, static device => device.IsReady) ? AcceleratorError.Busy : AcceleratorError.NoDevice;
        }

        AcceleratorError outcome = AcceleratorError.DeviceGone;
        try
        {
            outcome = queue.Run(key, input, output);
        }
        catch (LinuxException)
        {
            // A new key needed memory or a mapping that was refused. The queue starts anew.
        }
        catch (VfioUserProtocolException)
        {
            outcome = AcceleratorError.Protocol;
        }
        finally
        {
            if (_devices[number].Return(queue, outcome))
            {
                _supervisors[number].Wake();
            }
        }

        return outcome;
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

    private void CloseAll()
    {
        // Bounded by the longest deadline of operations that still run.
        TimeSpan patience = _options.DeadlineFor(RsaKeyBlock.MaxModulusBytes) + TimeSpan.FromSeconds(1);
        SpinWait.SpinUntil(() => Array.TrueForAll(_devices, static device => device.TryClose()), patience);
    }
}
