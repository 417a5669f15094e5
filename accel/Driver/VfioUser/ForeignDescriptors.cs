using WarpDrive.Linux;

namespace WarpDrive.Driver.VfioUser;

/// <summary>
/// Closes descriptors that a server sent. To close memory or an eventfd takes no time; to close anything else may wait for as long as a
/// hostile server likes (a TCP socket that lingers, a file of a FUSE file system that does not answer), so threads that nobody depends on do
/// that. Any thread may call any member.
/// </summary>
internal static class ForeignDescriptors
{
    private const int MaxThreads = 4;

    private static readonly Lock Gate = new();
    private static readonly Queue<FileDescriptor> Waiting = [];     // under the gate
    private static int _threads;                                    // under the gate

    /// <summary>Closes descriptors, now or later; they are no longer the caller's, and the list is empty.</summary>
    public static void Close(List<FileDescriptor> descriptors)
    {
        foreach (FileDescriptor descriptor in descriptors)
        {
            if (IsClosedAtOnce(descriptor))
            {
                descriptor.Dispose();
            }
            else
            {
                CloseElsewhere(descriptor);
            }
        }

        descriptors.Clear();
    }

    /// <summary>Only memory has seals, and no path of a file lacks its first slash: nobody can make another file look like these.</summary>
    private static bool IsClosedAtOnce(FileDescriptor descriptor)
    {
        if (descriptor.IsClosed || SharedMemory.IsSealedAgainstShrinking(descriptor))
        {
            return true;
        }

        try
        {
            return descriptor.GetTarget() == "anon_inode:[eventfd]";
        }
        catch (LinuxException)
        {
            return false;
        }
    }

    private static void CloseElsewhere(FileDescriptor descriptor)
    {
        lock (Gate)
        {
            Waiting.Enqueue(descriptor);
            if (_threads == MaxThreads)
            {
                return;
            }

            try
            {
                new Thread(Run) { Name = "warp-closer", IsBackground = true }.Start();
                _threads++;
            }
            catch (OutOfMemoryException)
            {
                // The system has no thread left: the next one closes this too.
            }
        }
    }

    private static void Run()
    {
        while (Next() is FileDescriptor descriptor)
        {
            descriptor.StopLingering();
            descriptor.Dispose();
        }
    }

    private static FileDescriptor? Next()
    {
        lock (Gate)
        {
            if (Waiting.TryDequeue(out FileDescriptor? descriptor))
            {
                return descriptor;
            }

            _threads--;
            return null;
        }
    }
}
