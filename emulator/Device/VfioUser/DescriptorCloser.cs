using WarpDrive.Linux;

namespace WarpDrive.Emulator.VfioUser;

/// <summary>
/// Closes descriptors of clients that turned out to be something else than they should. That may wait as long as a client likes (a TCP socket that
/// lingers, a file of a FUSE file system that does not answer), so no thread that others depend on does it. Any thread may call any member.
/// </summary>
internal sealed class DescriptorCloser : IDisposable
{
    /// <summary>So many closings that wait hold up no other.</summary>
    private const int MaxThreads = 8;

    private readonly object _gate = new();
    private readonly Queue<FileDescriptor> _waiting = [];   // under _gate
    private int _outstanding;
    private int _threads;                                   // under _gate
    private int _idleThreads;                               // under _gate
    private bool _isStopping;                               // under _gate

    /// <summary>Descriptors that are not closed yet.</summary>
    public int Outstanding => Volatile.Read(ref _outstanding);

    /// <summary>Closes descriptors, sooner or later; they are no longer the caller's.</summary>
    public void Close(List<FileDescriptor> descriptors)
    {
        if (descriptors.Count == 0)
        {
            return;
        }

        lock (_gate)
        {
            descriptors.ForEach(_waiting.Enqueue);
            Interlocked.Add(ref _outstanding, descriptors.Count);
            if (_idleThreads == 0 && _threads < MaxThreads && !_isStopping)
            {
                StartThread();
            }

            Monitor.Pulse(_gate);
        }

        descriptors.Clear();
    }

    /// <summary>Ends the threads, each when nothing is left to close; does not wait for one that waits.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isStopping = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void StartThread()
    {
        try
        {
            new Thread(Run) { Name = "warp-closer", IsBackground = true }.Start();
            _threads++;
        }
        catch (OutOfMemoryException)
        {
            // The system has no thread left. What waits is closed by those that there are, or by the next one.
        }
    }

    private void Run()
    {
        while (Next() is FileDescriptor descriptor)
        {
            // Not enough alone, since the client may change it back until it has closed its own; but most that linger do not get this far.
            descriptor.StopLingering();
            descriptor.Dispose();
            Interlocked.Decrement(ref _outstanding);
        }
    }

    private FileDescriptor? Next()
    {
        lock (_gate)
        {
            while (_waiting.Count == 0 && !_isStopping)
            {
                _idleThreads++;
                Monitor.Wait(_gate);
                _idleThreads--;
            }

            return _waiting.TryDequeue(out FileDescriptor? descriptor) ? descriptor : null;
        }
    }
}
