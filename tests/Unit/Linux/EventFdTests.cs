using System.Runtime.InteropServices;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Linux;

/// <summary>Eventfds shared with a peer that does with them what it likes: no member may wait.</summary>
public sealed partial class EventFdTests
{
    private const int F_SETFL = 4;
    private const int NonBlocking = 0x800;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public void Signal_is_seen_once()
    {
        using var own = new EventFd();
        using EventFd peers = Adopted(own);
        Assert.False(own.TryConsume());
        peers.Signal();
        own.Signal();
        Assert.Equal(1, Poll.WaitReadable(own.File, null, TimeSpan.Zero));
        Assert.True(own.TryConsume());
        Assert.False(own.TryConsume());
        Assert.False(peers.TryConsume());
    }

    [Fact]
    public void Thousands_of_signals_of_several_threads_all_arrive()
    {
        const int Count = 2000;
        EventFd[] own = [.. Enumerable.Range(0, 4).Select(static _ => new EventFd())];
        Thread[] threads = [.. own.Select(eventFd => new Thread(() =>
        {
            using EventFd peers = Adopted(eventFd);
            for (int i = 0; i < Count; i++)
            {
                peers.Signal();
            }
        }))];
        Array.ForEach(threads, static thread => thread.Start());
        Array.ForEach(threads, static thread => thread.Join());
        Assert.All(own, static eventFd => Assert.Equal((ulong)Count, Read(eventFd)));
        Array.ForEach(own, static eventFd => eventFd.Dispose());
    }

    [Fact]
    public void Full_counter_of_a_peer_without_O_NONBLOCK_is_signalled_without_waiting()
    {
        if (!PeerEventFd.IsSupported)
        {
            // A sandbox that refuses io_submit(2): there the peer must leave O_NONBLOCK alone for this.
            return;
        }

        using var own = new EventFd();
        using EventFd peers = Adopted(own);
        Write(own, ulong.MaxValue - 1);
        Assert.Equal(0, fcntl(own.File.Number, F_SETFL, 0));
        MustEnd(() =>
        {
            for (int i = 0; i < 1000; i++)
            {
                peers.Signal();
            }
        });
        Assert.True(own.TryConsume());
    }

    [Fact]
    public void Empty_counter_of_a_peer_without_O_NONBLOCK_is_read_without_waiting()
    {
        using var own = new EventFd();
        using EventFd peers = Adopted(own);
        Assert.Equal(0, fcntl(own.File.Number, F_SETFL, 0));
        MustEnd(() =>
        {
            Assert.False(own.TryConsume());
            Assert.False(peers.TryConsume());
        });
    }

    [Fact]
    public void Closed_eventfd_is_signalled_and_read_in_vain()
    {
        using var own = new EventFd();
        EventFd peers = Adopted(own);
        peers.Dispose();
        peers.Signal();
        Assert.False(peers.TryConsume());
        Assert.False(own.TryConsume());
    }

    [Fact]
    public void Something_else_is_no_eventfd()
    {
        using SharedMemory memory = SharedMemory.Create("test", 4096, secret: false);
        Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(() => EventFd.Adopt(memory.File)).Error);
    }

    /// <summary>As it comes from a peer: another descriptor of the same open file.</summary>
    private static EventFd Adopted(EventFd own)
    {
        int fd = dup(own.File.Number);
        Assert.True(fd >= 0);
        return EventFd.Adopt(new FileDescriptor(fd));
    }

    private static void MustEnd(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(action)) { IsBackground = true };
        thread.Start();
        Assert.True(thread.Join(Patience), "it waits");
        Assert.Null(failure);
    }

    private static ulong Read(EventFd eventFd)
    {
        byte[] count = new byte[8];
        Assert.Equal(8, read(eventFd.File.Number, count, 8));
        return BitConverter.ToUInt64(count);
    }

    private static void Write(EventFd eventFd, ulong count) => Assert.Equal(8, write(eventFd.File.Number, BitConverter.GetBytes(count), 8));

    [LibraryImport("libc")]
    private static partial int fcntl(int fd, int command, int argument);

    [LibraryImport("libc")]
    private static partial int dup(int fd);

    [LibraryImport("libc")]
    private static partial nint read(int fd, [Out] byte[] buffer, nint count);

    [LibraryImport("libc")]
    private static partial nint write(int fd, byte[] buffer, nint count);
}
