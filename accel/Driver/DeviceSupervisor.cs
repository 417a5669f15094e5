using Microsoft.Extensions.Logging;

namespace WarpDrive.Driver;

/// <summary>
/// Looks after one device, round by round, normally on a thread of its own: opens its queues when it is there, closes what is broken,
/// takes abandoned operations back, erases keys. A device that hangs holds up its own supervisor and nobody else.
/// </summary>
internal sealed class DeviceSupervisor : IDisposable
{
    private readonly PooledDevice _device;
    private readonly TimeSpan _interval;
    private readonly ILogger _logger;
    private readonly object _gate = new();
    private readonly List<DeviceKey> _retired = []; // under _gate
    private readonly List<DeviceKey> _erasing = []; // of the rounds
    private Thread? _thread;
    private bool _isAsked;                          // under _gate
    private bool _isStopping;                       // under _gate
    private string? _complaint;

    /// <summary>Creates a supervisor that waits for <see cref="Start"/>, or for somebody who calls <see cref="Round"/>.</summary>
    public DeviceSupervisor(PooledDevice device, TimeSpan interval, ILogger logger)
    {
        _device = device;
        _interval = interval;
        _logger = logger;
    }

    /// <summary>Starts the thread, which runs a round when it is woken and when the interval is over.</summary>
    public void Start()
    {
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

    /// <summary>One round. Not for two threads at once: the thread's, when there is one.</summary>
    public void Round()
    {
        int generation;
        lock (_gate)
        {
            _isAsked = false;
            _erasing.AddRange(_retired);
            _retired.Clear();
            generation = _device.EraseGeneration;
        }

        try
        {
            _device.Supervise(_erasing, generation);
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
        _erasing.RemoveAll(key =>
        {
            bool isErased = !_device.Holds(key);
            if (isErased)
            {
                key.ErasedOnDevice();
            }

            return isErased;
        });
    }

    /// <summary>Ends the thread after its round.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isStopping = true;
            Monitor.Pulse(_gate);
        }

        _thread?.Join();
    }

    private void Run()
    {
        while (Wait())
        {
            Round();
        }
    }

    /// <summary>Sleeps until the next round; returns false when it is the end.</summary>
    private bool Wait()
    {
        lock (_gate)
        {
            if (!_isAsked && !_isStopping)
            {
                Monitor.Wait(_gate, _interval);
            }

            return !_isStopping;
        }
    }
}
