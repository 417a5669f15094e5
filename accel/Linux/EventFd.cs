namespace WarpDrive.Linux;

/// <summary>
/// A counter in the kernel that one side signals and the other sleeps on (eventfd(2)). Any thread may call any member. No member waits, also
/// when the counter is shared with a process that wants it to: flags of an open file, O_NONBLOCK too, are everybody's who holds it.
/// </summary>
public sealed class EventFd : IDisposable
{
    private readonly bool _isPeers;

    /// <summary>Creates a counter that stands at zero.</summary>
    /// <exception cref="LinuxException">No descriptor left.</exception>
    public EventFd()
    {
        int fd = Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK);
        if (fd < 0)
        {
            throw new LinuxException("eventfd", "0");
        }

        File = new FileDescriptor(fd);
    }

    private EventFd(FileDescriptor file, bool isPeers)
    {
        File = file;
        _isPeers = isPeers;
    }

    /// <summary>Whether this system can signal a peer's eventfd in the way that never waits; some sandboxes refuse the call.</summary>
    public static bool CanSignalPeersSafely => PeerEventFd.IsSupported;

    /// <summary>The descriptor to pass on or to wait on. Owned by this object.</summary>
    public FileDescriptor File { get; }

    /// <summary>Takes ownership of a descriptor that a peer passed.</summary>
    /// <exception cref="LinuxException">EINVAL: it is something else than an eventfd.</exception>
    public static EventFd Adopt(FileDescriptor file)
    {
        ArgumentNullException.ThrowIfNull(file);
        string target = file.GetTarget();
        if (target != "anon_inode:[eventfd]")
        {
            throw new LinuxException("eventfd", $"descriptor of {target}", Errno.EINVAL);
        }

        file.SetNonBlocking();
        return new EventFd(file, isPeers: true);
    }

    /// <summary>Another descriptor of the same counter, owned by the caller.</summary>
    /// <exception cref="LinuxException">No descriptor left, or this one is closed.</exception>
    public EventFd Duplicate()
    {
        int fd = Libc.fcntl(File.Number, Libc.F_DUPFD_CLOEXEC, 0);
        return fd < 0 ? throw new LinuxException("fcntl", "eventfd, F_DUPFD_CLOEXEC") : new EventFd(new FileDescriptor(fd), _isPeers);
    }

    /// <summary>Adds one and wakes whoever sleeps on it. A full counter is awake already, so failure means nothing.</summary>
    public unsafe void Signal()
    {
        if (_isPeers && PeerEventFd.TrySignal(File.Number))
        {
            return;
        }

        // A sandbox may refuse that call. Then a full counter is at least not written to; only a peer that fills it between this look and the
        // write, and has taken O_NONBLOCK away, could make the write wait.
        if (!_isPeers || Poll.IsWritable(File))
        {
            ulong one = 1;
            _ = Libc.write(File.Number, &one, sizeof(ulong));
        }
    }

    /// <summary>Sets the counter to zero; returns whether it was signalled since the last call.</summary>
    public unsafe bool TryConsume()
    {
        // Not read(2): a peer may have taken the count since it could be read, and O_NONBLOCK too.
        ulong count;
        var vector = new Libc.IoVec { Base = &count, Length = sizeof(ulong) };
        nint read = Libc.preadv2(File.Number, &vector, 1, -1, Libc.RWF_NOWAIT);
        if (read < 0 && System.Runtime.InteropServices.Marshal.GetLastPInvokeError() == Errno.EOPNOTSUPP)
        {
            // Linux before 5.8.
            read = Libc.read(File.Number, &count, sizeof(ulong));
        }

        return read == sizeof(ulong);
    }

    /// <inheritdoc/>
    public void Dispose() => File.Dispose();
}
