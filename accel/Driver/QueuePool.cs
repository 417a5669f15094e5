using Microsoft.Extensions.Logging;
using WarpDrive.Abi.Hpre;
using WarpDrive.Linux;

namespace WarpDrive.Driver;

/// <summary>
/// Queue pairs of several devices, each handed out for one operation at a time. A thread of its own looks for absent
/// devices and takes abandoned operations back. Any thread may call any member.
/// </summary>
public sealed class QueuePool : IDisposable
{
    private readonly QueuePoolOptions _options;
    private readonly ILogger _logger;
    private readonly DeviceEndpoint[] _endpoints;
    private readonly PooledDevice[] _devices;
    private readonly string?[] _complaints;
    private readonly Lock _keysLock = new();
    private readonly List<DeviceKey> _retired = [];
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _supervisor;
    private int _nextKeyNumber;
    private volatile bool _isDisposed;

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
        _endpoints = [.. endpoints];
        _devices = [.. endpoints.Select(endpoint => new PooledDevice(endpoint, options, logger, time))];
        _complaints = new string?[_devices.Length];
        for (int i = 0; i < _devices.Length; i++)
        {
            try
            {
                _devices[i].Supervise([]);
            }
            catch (AcceleratorException e)
            {
                CloseAll();
                _wake.Dispose();
                throw new AcceleratorException($"Device {_endpoints[i].Uri} cannot be used: {e.Message}", e);
            }
        }

        _supervisor = new Thread(Supervise) { IsBackground = true, Name = "warp-supervisor" };
        _supervisor.Start();
    }

    /// <summary>Takes a private key into use.</summary>
    /// <param name="crtBlock">dq, dp, q, p, qinv, each half the modulus, big-endian (<see cref="RsaKeyBlock"/>). Copied; the caller zeroes its own.</param>
    /// <param name="modulusBytes">128, 256, 384 or 512.</param>
    /// <param name="faultCheck">Run on every result.</param>
    /// <exception cref="ArgumentOutOfRangeException">Another size.</exception>
    public DeviceKey CreateKey(ReadOnlySpan<byte> crtBlock, int modulusBytes, RsaFaultCheck faultCheck)
    {
        ArgumentNullException.ThrowIfNull(faultCheck);
        if (!RsaKeyBlock.IsSupportedModulus(modulusBytes))
        {
            throw new ArgumentOutOfRangeException(nameof(modulusBytes), modulusBytes, "Allowed are 128, 256, 384 and 512.");
        }

        ArgumentOutOfRangeException.ThrowIfNotEqual(crtBlock.Length, RsaKeyBlock.SizeInBytes(HpreAlgorithm.RsaCrt, modulusBytes));
        return new DeviceKey(this, Interlocked.Increment(ref _nextKeyNumber) - 1, crtBlock, modulusBytes, faultCheck);
    }

    /// <summary>What there is at this moment; the numbers of a busy pool are each true, but not of the same instant.</summary>
    public PoolStatus GetStatus() => new(
        [.. _devices.Select(static device => device.GetStatus())],
        _devices.Sum(static device => device.CountSlotsInUse()),
        _devices.Sum(static device => device.RentedCount));

    /// <summary>Closes all queues. Operations that run end first: each has a deadline.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _wake.Set();
        _supervisor.Join();
        CloseAll();
        _wake.Dispose();
    }

    internal AcceleratorError TryPrivate(DeviceKey key, ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (!TryRent(out PooledDevice? device, out PooledQueue? queue))
        {
            return Array.Exists(_devices, static d => d.IsReady) ? AcceleratorError.Busy : AcceleratorError.NoDevice;
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
        finally
        {
            if (device.Return(queue, outcome) && !_isDisposed)
            {
                _wake.Set();
            }
        }

        return outcome;
    }

    /// <summary>Whether any arena has a copy of a key that no operation uses any more.</summary>
    internal bool Holds(DeviceKey key) => Array.Exists(_devices, device => device.Holds(key));

    internal void Retire(DeviceKey key)
    {
        if (!_isDisposed)
        {
            lock (_keysLock)
            {
                _retired.Add(key);
            }

            _wake.Set();
        }
    }

    private bool TryRent(
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out PooledDevice? device,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out PooledQueue? queue)
    {
        device = null;
        foreach (PooledDevice candidate in _devices)
        {
            if (!candidate.IsQuarantined && (device is null || candidate.RentedCount < device.RentedCount))
            {
                device = candidate;
            }
        }

        if (device is not null && device.TryRent(out queue))
        {
            return true;
        }

        foreach (PooledDevice candidate in _devices)
        {
            if (candidate.TryRent(out queue))
            {
                device = candidate;
                return true;
            }
        }

        queue = null;
        return false;
    }

    private void Supervise()
    {
        var erasing = new List<DeviceKey>();
        while (!_isDisposed)
        {
            lock (_keysLock)
            {
                erasing.AddRange(_retired);
                _retired.Clear();
            }

            for (int i = 0; i < _devices.Length; i++)
            {
                try
                {
                    _devices[i].Supervise(erasing);
                    _complaints[i] = null;
                }
                catch (AcceleratorException e)
                {
                    // Something else listens there now; said once, and looked at again.
                    if (_complaints[i] != e.Message)
                    {
                        _complaints[i] = e.Message;
                        _logger.DeviceUnusable(_endpoints[i].Uri, e.Message);
                    }
                }
            }

            // A queue that was busy still holds its copy; the next round tries again.
            erasing.RemoveAll(key => !Holds(key));
            _wake.WaitOne(_options.RetryInterval);
        }
    }

    private void CloseAll()
    {
        // Bounded by the longest deadline of operations that still run.
        long end = Environment.TickCount64 + (long)(_options.DeadlineFor(RsaKeyBlock.MaxModulusBytes) + TimeSpan.FromSeconds(1)).TotalMilliseconds;
        foreach (PooledDevice device in _devices)
        {
            while (!device.TryClose() && Environment.TickCount64 < end)
            {
                _wake.WaitOne(TimeSpan.FromMilliseconds(1));
            }
        }
    }
}
