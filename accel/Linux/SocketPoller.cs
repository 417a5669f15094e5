using System.Diagnostics;
using System.Runtime.InteropServices;

namespace WarpDrive.Linux;

/// <summary>
/// A set of sockets that one thread waits for (epoll(7)). Edge-triggered and for both directions: a socket is reported when
/// something changed, so its owner goes on until it would wait. A closed socket leaves the set by itself. One thread at a time.
/// </summary>
public sealed unsafe class SocketPoller : IDisposable
{
    /// <summary>The most events that one wait returns.</summary>
    public const int MaxEvents = 64;

    // epoll_wait(2) counts in milliseconds. Waits below this are taken by ppoll(2), which counts in nanoseconds.
    private static readonly TimeSpan CoarseWait = TimeSpan.FromMilliseconds(20);

    // struct epoll_event is packed on x86-64 (u32 events, u64 data at 4) and naturally aligned elsewhere (data at 8).
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventSize - sizeof(ulong);

    private readonly FileDescriptor _file;

    /// <summary>Creates an empty set.</summary>
    /// <exception cref="LinuxException">No descriptor left.</exception>
    public SocketPoller()
    {
        int fd = Libc.epoll_create1(Libc.EPOLL_CLOEXEC);
        if (fd < 0)
        {
            throw new LinuxException("epoll_create1", "EPOLL_CLOEXEC");
        }

        _file = new FileDescriptor(fd);
    }

    /// <summary>Adds a socket; one that is ready already is reported by the next wait.</summary>
    /// <param name="socket">Open.</param>
    /// <param name="tag">Comes back with each event. Events that were fetched before a socket was closed still carry its tag.</param>
    /// <exception cref="LinuxException">It is in the set already, or the limit of watches is reached.</exception>
    public void Add(TcpSocket socket, ulong tag)
    {
        ArgumentNullException.ThrowIfNull(socket);
        byte* entry = stackalloc byte[16];
        new Span<byte>(entry, 16).Clear();
        *(uint*)entry = Libc.EPOLLIN | Libc.EPOLLOUT | Libc.EPOLLRDHUP | Libc.EPOLLET;
        *(ulong*)(entry + DataOffset) = tag;
        if (Libc.epoll_ctl(_file.Number, Libc.EPOLL_CTL_ADD, socket.Number, entry) != 0)
        {
            throw new LinuxException("epoll_ctl", $"EPOLL_CTL_ADD, fd {socket.Number}");
        }
    }

    /// <summary>Waits for events, not much longer than the time; it may return earlier without any.</summary>
    /// <param name="events">Filled from the front; at most <see cref="MaxEvents"/> are.</param>
    /// <param name="timeout">Zero only looks. The kernel wakes within its timer slack of 50 us.</param>
    /// <returns>How many events.</returns>
    /// <exception cref="LinuxException">The set is disposed.</exception>
    public int Wait(Span<SocketEvent> events, TimeSpan timeout)
    {
        if (timeout >= CoarseWait)
        {
            // Rounded down: the caller comes back for the rest.
            return Take(events, (int)Math.Min(timeout.TotalMilliseconds, int.MaxValue));
        }

        int count = Take(events, 0);
        if (count > 0 || timeout <= TimeSpan.Zero)
        {
            return count;
        }

        return Poll.WaitReadable(_file, null, timeout) == 0 ? 0 : Take(events, 0);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private int Take(Span<SocketEvent> events, int timeoutMs)
    {
        Debug.Assert(events.Length > 0, "epoll_wait refuses a length of zero.");
        int capacity = Math.Min(events.Length, MaxEvents);
        byte* entries = stackalloc byte[16 * MaxEvents];
        int count = Libc.epoll_wait(_file.Number, entries, capacity, timeoutMs);
        if (count < 0)
        {
            return Marshal.GetLastPInvokeError() == Errno.EINTR ? 0 : throw new LinuxException("epoll_wait", $"{capacity} events");
        }

        for (int i = 0; i < count; i++)
        {
            events[i] = new SocketEvent(*(ulong*)(entries + (i * EventSize) + DataOffset));
        }

        return count;
    }
}
