using System.Runtime.InteropServices;

namespace WarpDrive.Linux;

/// <summary>
/// Descriptors that one thread waits for (epoll(7)): what can be read, or is hung up, is reported again and again until it is not. What a wait costs does not
/// grow with their number, and those that are ready have their turn one after the other. One thread at a time.
/// </summary>
public sealed unsafe class DescriptorPoller : IDisposable
{
    /// <summary>The most that one wait reports.</summary>
    public const int MaxEvents = 64;

    // struct epoll_event is packed on x86-64 (u32 events, u64 data at 4) and naturally aligned elsewhere (data at 8).
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventSize - sizeof(ulong);

    private readonly FileDescriptor _file;

    /// <summary>Creates an empty set.</summary>
    /// <exception cref="LinuxException">No descriptor left.</exception>
    public DescriptorPoller()
    {
        int fd = Libc.epoll_create1(Libc.EPOLL_CLOEXEC);
        _file = fd >= 0 ? new FileDescriptor(fd) : throw new LinuxException("epoll_create1", "EPOLL_CLOEXEC");
    }

    /// <summary>Adds a descriptor.</summary>
    /// <param name="file">Open; to be removed before it is closed.</param>
    /// <param name="tag">What a wait reports it as.</param>
    /// <exception cref="LinuxException">It is in the set already, cannot be waited for, or the limit of watches is reached.</exception>
    public void Add(FileDescriptor file, long tag)
    {
        ArgumentNullException.ThrowIfNull(file);
        byte* entry = stackalloc byte[16];
        new Span<byte>(entry, 16).Clear();
        *(uint*)entry = Libc.EPOLLIN;
        *(long*)(entry + DataOffset) = tag;
        if (Libc.epoll_ctl(_file.Number, Libc.EPOLL_CTL_ADD, file.Number, entry) != 0)
        {
            throw new LinuxException("epoll_ctl", $"EPOLL_CTL_ADD, fd {file.Number}");
        }
    }

    /// <summary>Removes a descriptor; one that is not in the set is no error.</summary>
    public void Remove(FileDescriptor file)
    {
        ArgumentNullException.ThrowIfNull(file);
        byte* entry = stackalloc byte[16];
        _ = Libc.epoll_ctl(_file.Number, Libc.EPOLL_CTL_DEL, file.Number, entry);
    }

    /// <summary>Sleeps until a descriptor of the set is ready or the time is over; it may return earlier without any.</summary>
    /// <param name="tags">Filled from the front with the tags of those that are ready; at most <see cref="MaxEvents"/>.</param>
    /// <param name="timeout">At most so long, in whole milliseconds.</param>
    /// <returns>How many are ready.</returns>
    /// <exception cref="LinuxException">The set is disposed.</exception>
    public int Wait(Span<long> tags, TimeSpan timeout)
    {
        ArgumentOutOfRangeException.ThrowIfZero(tags.Length);
        byte* entries = stackalloc byte[16 * MaxEvents];
        int count = Libc.epoll_wait(_file.Number, entries, Math.Min(tags.Length, MaxEvents), (int)Math.Min(timeout.TotalMilliseconds, int.MaxValue));
        if (count < 0)
        {
            return Marshal.GetLastPInvokeError() == Errno.EINTR ? 0 : throw new LinuxException("epoll_wait", "descriptors");
        }

        for (int i = 0; i < count; i++)
        {
            tags[i] = *(long*)(entries + (i * EventSize) + DataOffset);
        }

        return count;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
