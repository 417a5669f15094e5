using Microsoft.Extensions.Logging;

namespace WarpDrive.Driver;

/// <summary>
/// The thread that looks after one device: opens its queues when it is there, closes what is broken, takes abandoned
/// operations back, erases keys. A device that hangs holds up its own supervisor and nobody else.
/// </summary>
internal sealed class DeviceSupervisor : IDisposable
{
    private readonly PooledDevice _device;
    private readonly TimeSpan _interval;
    private readonly ILogger _logger;
    private readonly object _gate = new();
    private readonly List<DeviceKey> _retired = []; // under _gate
    private readonly Thread _thread;
    private bool _isAsked;                          // under _gate
    private bool _isStopping;                       // under _gate
    private string? _complaint;

    /// <summary>Starts the thread.</summary>
    public DeviceSupervisor(PooledDevice device, TimeSpan interval, ILogger logger)
    {
        _device = device;
        _interval = interval;
        _logger = logger;
        _thread = new Thread(Run) { IsBackground = true, Name = "warp-supervisor" };
        _thread.Start();
    }

    /// <summary>Has it look at once. Any thread.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            _isAsked = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Has it erase a key that no operation uses any more. Any thread.</summary>
    public void Retire(DeviceKey key)
    {
        lock (_gate)
        {
            _retired.Add(key);
            _device.EraseGeneration++;
            _isAsked = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Ends the thread after its round.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isStopping = true;
            Monitor.Pulse(_gate);
        }

        _thread.Join();
    }

    private void Run()
    {
        var erasing = new List<DeviceKey>();
        while (Wait(erasing, out int generation))
        {
            try
            {
                _device.Supervise(erasing, generation);
                _complaint = null;
            }
#pragma warning disable CA1031 // Whatever is wrong with a device, the process serves on in software.
            catch (Exception e)
#pragma warning restore CA1031
            {
                // Said once, and looked at again.
                if (_complaint != e.Message)
                {
                    _complaint = e.Message;
                    _logger.DeviceUnusable(_device.Uri, e.Message);
                }
            }

            // A queue that was busy still holds its copy, and comes to the next round.
            erasing.RemoveAll(key =>
            {
                bool isErased = !_device.Holds(key);
                if (isErased)
                {
                    key.ErasedOnDevice();
                }

                return isErased;
            });
        }
    }

    /// <summary>Sleeps until the next round; returns false when it is the end.</summary>
    private bool Wait(List<DeviceKey> erasing, out int generation)
    {
        lock (_gate)
        {
            if (!_isAsked && !_isStopping)
            {
                Monitor.Wait(_gate, _interval);
            }

            _isAsked = false;
            erasing.AddRange(_retired);
            _retired.Clear();
            generation = _device.EraseGeneration;
            return !_isStopping;
        }
    }
}
