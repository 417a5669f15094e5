using System.Runtime.InteropServices;

namespace WarpDrive.Linux;

/// <summary>
/// A set of eventfds that several threads sleep on together (epoll(7)). Edge-triggered: each signal wakes a
/// sleeper once, and nobody has to read the counter. Any thread may call any member.
/// </summary>
public sealed unsafe class Epoll : IDisposable
{
    // struct epoll_event is packed on x86-64 (u32 events, u64 data at 4) and naturally aligned elsewhere (data at 8).
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    private readonly FileDescriptor _file;

    /// <summary>Creates an empty set.</summary>
    /// <exception cref="LinuxException">No descriptor left.</exception>
    public Epoll()
    {
        int fd = Libc.epoll_create1(Libc.EPOLL_CLOEXEC);
        if (fd < 0)
        {
            throw new LinuxException("epoll_create1", "EPOLL_CLOEXEC");
        }

        _file = new FileDescriptor(fd);
    }

    /// <summary>Adds an eventfd; one that is signalled already wakes a sleeper at once.</summary>
    /// <exception cref="LinuxException">It is in the set already, or the limit of watches is reached.</exception>
    public void Add(EventFd eventFd)
    {
        ArgumentNullException.ThrowIfNull(eventFd);
        byte* entry = stackalloc byte[16];
        new Span<byte>(entry, 16).Clear();
        *(uint*)entry = Libc.EPOLLIN | Libc.EPOLLET;
        if (Libc.epoll_ctl(_file.Number, Libc.EPOLL_CTL_ADD, eventFd.File.Number, entry) != 0)
        {
            throw new LinuxException("epoll_ctl", "EPOLL_CTL_ADD");
        }
    }

    /// <summary>Removes an eventfd; one that is not in the set is no error.</summary>
    public void Remove(EventFd eventFd)
    {
        ArgumentNullException.ThrowIfNull(eventFd);
        byte* entry = stackalloc byte[16];
        _ = Libc.epoll_ctl(_file.Number, Libc.EPOLL_CTL_DEL, eventFd.File.Number, entry);
    }

    /// <summary>Sleeps until an eventfd of the set is signalled or the time is over; returns whether one was.</summary>
    public bool Wait(TimeSpan timeout)
    {
        // One event at a time: the edges that are left wake the other sleepers.
        byte* entry = stackalloc byte[EventSize];
        return Libc.epoll_wait(_file.Number, entry, 1, (int)Math.Min(timeout.TotalMilliseconds, int.MaxValue)) > 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
