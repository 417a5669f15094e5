using Microsoft.Extensions.Logging;
using WarpDrive.Linux;

namespace WarpDrive.Driver;

/// <summary>
/// Looks after one device, round by round, normally on a thread of its own: opens its queues when it is there, closes what is broken,
/// takes abandoned operations back, erases keys; and at the end closes them all. A device that hangs holds up its own supervisor and
/// nobody else.
/// </summary>
internal sealed class DeviceSupervisor
{
    private readonly PooledDevice _device;
    private readonly ILogger _logger;
    private readonly object _gate = new();
    private readonly List<DeviceKey> _retired = []; // under _gate
    private readonly List<DeviceKey> _erasing = []; // of the rounds

    // What waits for them goes on within the round, for which it is short: so the pool needs no other thread, and a simulation of it none at all.
    private readonly TaskCompletionSource<AcceleratorException?> _tried = new();
    private readonly TaskCompletionSource _ended = new();
    private bool _isAsked;                          // under _gate
    private bool _isLeaving;                        // under _gate
    private bool _hasEnded;                         // under _gate
    private string? _complaint;

    /// <summary>Creates a supervisor that waits for <see cref="Start"/>, or for somebody who calls <see cref="Round"/>.</summary>
    public DeviceSupervisor(PooledDevice device, ILogger logger)
    {
        _device = device;
        _logger = logger;
    }

    /// <summary>What it looks after.</summary>
    public PooledDevice Device => _device;

    /// <summary>Ends with the first round, the probe included, whether the device is there or not. Its result says why what answers cannot be used, then or later.</summary>
    public Task<AcceleratorException?> Tried => _tried.Task;

    /// <summary>Ends when every queue is closed after <see cref="Leave"/>.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Starts the thread, which runs a round at once, when it is woken and when the interval is over.</summary>
    public void Start() => new Thread(Run) { IsBackground = true, Name = "warp-supervisor" }.Start();

    /// <summary>Has it look at once. Any thread.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            _isAsked = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Has it erase a key that no operation uses any more. Any thread, at any time.</summary>
    public void Retire(DeviceKey key)
    {
        lock (_gate)
        {
            if (!_hasEnded)
            {
                _retired.Add(key);
                _device.EraseGeneration++;
                _isAsked = true;
                Monitor.Pulse(_gate);
                return;
            }
        }

        // Every arena is zeroed and gone.
        key.ErasedOnDevice();
    }

    /// <summary>
    /// Has the device get no work from now on, and its queues closed as operations return them. Does not wait: each operation has a
    /// deadline. Any thread.
    /// </summary>
    public void Leave()
    {
        _device.BeginLeave();
        lock (_gate)
        {
            _isLeaving = true;
            _isAsked = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>
    /// One round; returns false when it was the last. Not for two threads at once: the thread's, when there is one.
    /// </summary>
    public bool Round()
    {
        int generation;
        bool isLeaving;
        lock (_gate)
        {
            _isAsked = false;
            _erasing.AddRange(_retired);
            _retired.Clear();
            generation = _device.EraseGeneration;
            isLeaving = _isLeaving;
        }

        if (isLeaving && _device.TryClose())
        {
            End();
            return false;
        }

        if (!isLeaving)
        {
            AcceleratorException? problem = Look(generation);
            if (!_device.IsProbing)
            {
                _tried.TrySetResult(problem);
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
        return true;
    }

    private void Run()
    {
        while (Round())
        {
            if (_device.IsProbing)
            {
                WaitForProbe();
                continue;
            }

            lock (_gate)
            {
                if (!_isAsked)
                {
                    Monitor.Wait(_gate, _device.RoundInterval);
                }
            }
        }
    }

    /// <summary>Returns why the device cannot be used.</summary>
    private AcceleratorException? Look(int generation)
    {
        try
        {
            _device.Supervise(_erasing, generation);
            _complaint = null;
            return null;
        }
#pragma warning disable CA1031 // Whatever is wrong with a device, the process serves on in software.
        catch (Exception e)
#pragma warning restore CA1031
        {
            // Said once, and looked at again. At first by whoever waits for the first round, who may not want the device at all then.
            if (_complaint != e.Message && (Tried.IsCompleted || e is not AcceleratorException))
            {
                _logger.DeviceUnusable(_device.Uri, e.Message);
            }

            _complaint = e.Message;
            return e as AcceleratorException;
        }
    }

    /// <summary>Whoever wakes the supervisor meanwhile waits a round's interval at most.</summary>
    private void WaitForProbe()
    {
        try
        {
            _device.WaitForProbe();
        }
        catch (LinuxException)
        {
            // The next round says what is wrong.
            Thread.Yield();
        }
    }

    private void End()
    {
        lock (_gate)
        {
            _erasing.AddRange(_retired);
            _retired.Clear();
            _hasEnded = true;
        }

        _erasing.ForEach(static key => key.ErasedOnDevice());
        _erasing.Clear();
        _tried.TrySetResult(null);
        _ended.TrySetResult();
    }
}
