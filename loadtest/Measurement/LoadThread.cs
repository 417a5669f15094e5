using System.Runtime.ExceptionServices;

namespace WarpProxy.LoadTest.Measurement;

/// <summary>A thread that makes load in a <see cref="RunWindow"/>, and what it used of its processor in the measured part.</summary>
/// <param name="name">Of the thread.</param>
/// <param name="counters">What it counts into.</param>
/// <param name="window">The run's.</param>
/// <param name="body">Makes the load; calls <see cref="Mark"/> now and then, and returns after the window.</param>
/// <param name="readUsage">Reads what it used so far; the thread's own unless given, for bodies whose work is done on other threads.</param>
internal sealed class LoadThread(
    string name, LoadCounters counters, RunWindow window, Action<LoadThread> body, Func<ThreadUsage?>? readUsage = null)
{
    private readonly Func<ThreadUsage?> _readUsage = readUsage ?? ThreadUsage.OfThisThread;
    private Thread? _thread;
    private ExceptionDispatchInfo? _failure;
    private ThreadUsage? _atFrom;
    private ThreadUsage? _atUntil;
    private long _allocatedAtFrom;
    private bool _isFromMarked;
    private bool _isUntilMarked;

    public LoadCounters Counters => counters;

    /// <summary>What it used in the measured time; null where the kernel does not count. Read after <see cref="Join"/>.</summary>
    public ThreadUsage? Usage => _atUntil - _atFrom;

    /// <summary>Managed memory that it allocated in the measured time. Read after <see cref="Join"/>.</summary>
    public long AllocatedBytes { get; private set; }

    public bool HasEnded => _thread is { IsAlive: false };

    public void Start()
    {
        _thread = new Thread(Run) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Waits for its end, and throws what it threw.</summary>
    public void Join()
    {
        _thread!.Join();
        _failure?.Throw();
    }

    /// <summary>By the thread itself: notes its usage when the measured time has begun, and when it has ended.</summary>
    public void Mark(long now)
    {
        if (!_isFromMarked && now >= window.From)
        {
            _isFromMarked = true;
            _atFrom = _readUsage();
            _allocatedAtFrom = GC.GetAllocatedBytesForCurrentThread();
        }

        if (_isFromMarked && !_isUntilMarked && now >= window.Until)
        {
            _isUntilMarked = true;
            AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - _allocatedAtFrom;
            _atUntil = _readUsage();
        }
    }

    private void Run()
    {
        try
        {
            body(this);
        }
#pragma warning disable CA1031 // Thrown again by Join, on the thread that waits for the run.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _failure = ExceptionDispatchInfo.Capture(failure);
        }
    }
}
