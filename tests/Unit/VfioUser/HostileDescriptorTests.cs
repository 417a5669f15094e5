using WarpDrive.Abi.Vfio;
using WarpDrive.Driver.VfioUser;
using WarpDrive.Emulator;
using WarpDrive.Linux;
using WarpProxy.Tests.Unit.Emulator;

namespace WarpProxy.Tests.Unit.VfioUser;

/// <summary>Descriptors that are not what they claim, or change after they were handed over. Nobody else notices.</summary>
public sealed class HostileDescriptorTests : IDisposable
{
    private const ushort DmaMap = 2;
    private const ushort SetIrqs = 8;
    private const ushort Reset = 13;

    private readonly ServedDevice _device = new(new EmulatorOptions { SelfTest = false, SpinTime = TimeSpan.Zero });

    public static TheoryData<string> Kinds => [.. DescriptorZoo.Kinds];

    public void Dispose() => _device.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Descriptor_that_is_no_sealed_memory_is_not_mapped(string kind)
    {
        using RawClient client = _device.Open();
        if (Send(client, kind, DmaMap, RawClient.DmaMap()) is int error)
        {
            Assert.Contains(error, new[] { Errno.EINVAL, Errno.EACCES, Errno.EPERM });
            Assert.Equal(0, _device.Accelerator.MappedBytes);
            Assert.Equal(1u, client.ReadRegister(0x2c));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Descriptor_that_is_no_eventfd_is_no_interrupt(string kind)
    {
        using RawClient client = _device.Open();
        if (Send(client, kind, SetIrqs, RawClient.SetIrqs(0x24, 1)) is int error)
        {
            Assert.Equal(Errno.EINVAL, error);
            Assert.Equal(1u, client.ReadRegister(0x2c));
        }
    }

    [Theory]
    [InlineData("memory opened for writing", 1u)]
    [InlineData("memory opened for writing", 2u)]
    [InlineData("memory opened for reading", 2u)]
    [InlineData("memory opened for reading", 3u)]
    public void Memory_that_may_not_be_used_as_asked_is_EACCES(string kind, uint flags)
    {
        using RawClient client = _device.Open();
        Assert.Equal(Errno.EACCES, Send(client, kind, DmaMap, RawClient.DmaMap(flags: flags)));
    }

    [Fact]
    public void Memory_that_may_only_be_read_is_mapped_for_reading()
    {
        using RawClient client = _device.Open();
        Assert.Equal(0, Send(client, "memory opened for reading", DmaMap, RawClient.DmaMap(flags: 1)));
    }

    [Fact]
    public void Descriptors_that_nobody_wants_are_closed_by_a_thread_of_their_own()
    {
        using RawClient client = _device.Open();
        using RawClient other = _device.Open();
        for (int i = 0; i < 20; i++)
        {
            // The device holds the last copy of a connection that waits an hour when it is closed.
            Assert.Equal(Errno.EINVAL, Send(client, "a socket that lingers", i % 2 == 0 ? Reset : DmaMap, []));
            Assert.Equal(1u, other.ReadRegister(0x2c));
        }

        Assert.True(SpinWait.SpinUntil(() => _device.Server.OutstandingDescriptors == 0, ServedDevice.Timeout));
    }

    [Fact]
    public void Descriptors_in_a_socket_that_is_closed_unread_are_closed_by_a_thread_of_their_own()
    {
        RawClient client = _device.Open();
        using RawClient other = _device.Open();

        // The size ends the connection before what follows is received.
        client.Send(RawClient.Message(1, Reset, [], size: 3));
        for (int i = 0; i < 20; i++)
        {
            using FileDescriptor file = DescriptorZoo.Catch("a socket that lingers")!;
            try
            {
                client.Send([0], file);
            }
            catch (LinuxException failure)
            {
                // Closed already, and this is the last copy.
                Assert.Contains(failure.Error, new[] { Errno.EPIPE, Errno.ECONNRESET });
                file.StopLingering();
                break;
            }
        }

        client.Dispose();
        Assert.Equal(1u, other.ReadRegister(0x2c));
        _device.AwaitConnections(1);
    }

    [Fact]
    public void Interrupt_that_its_owner_fills_and_lets_wait_holds_no_engine_up()
    {
        using var hostile = new RingHost(_device.OpenClient());
        using var honest = new RingHost(_device.OpenClient());
        using EventFd doorbell = hostile.Queue.GetRegionIoEventFd(3);
        using EventFd other = honest.Queue.GetRegionIoEventFd(3);
        using var interrupt = new EventFd();
        hostile.Queue.SetIrq(0, interrupt);
        Assert.True(EventFd.CanSignalPeersSafely);
        for (int i = 0; i < 300; i++)
        {
            DescriptorZoo.FillAndBlock(interrupt);
            Volatile.Write(ref hostile.HostAsleep, 1);
            hostile.Write(0);
            hostile.RingAndWake(doorbell);
            honest.Write(0);
            honest.RingAndWake(other);
            Assert.Equal(i, hostile.WaitAndReap());
            Assert.Equal(i, honest.WaitAndReap());
        }

        // Taken back a moment after the completion is there.
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref hostile.HostAsleep) == 0, ServedDevice.Timeout));
    }

    [Fact]
    public void Interrupt_of_a_client_that_is_not_hostile_wakes_it_each_time()
    {
        using var host = new RingHost(_device.OpenClient());
        using EventFd doorbell = host.Queue.GetRegionIoEventFd(3);
        using var interrupt = new EventFd();
        host.Queue.SetIrq(0, interrupt);
        for (int i = 0; i < 200; i++)
        {
            Volatile.Write(ref host.HostAsleep, 1);
            host.Write(0);
            host.RingAndWake(doorbell);
            Assert.Equal(1, Poll.WaitReadable(interrupt.File, null, ServedDevice.Timeout));
            Assert.True(interrupt.TryConsume());
            Assert.Equal(i, host.WaitAndReap());
        }

        Assert.False(interrupt.TryConsume());
    }

    [Fact]
    public void Eventfd_that_a_peer_lets_wait_is_consumed_without_waiting()
    {
        using var eventFd = new EventFd();
        DescriptorZoo.Block(eventFd);
        Assert.False(eventFd.TryConsume());
        eventFd.Signal();
        Assert.True(eventFd.TryConsume());
        Assert.False(eventFd.TryConsume());
    }

    [Fact]
    public void Doorbell_that_its_client_fills_and_lets_wait_holds_no_engine_up()
    {
        using var hostile = new RingHost(_device.OpenClient());
        using var honest = new RingHost(_device.OpenClient());
        using EventFd doorbell = hostile.Queue.GetRegionIoEventFd(3);
        using EventFd other = honest.Queue.GetRegionIoEventFd(3);
        DescriptorZoo.FillAndBlock(doorbell);
        for (int i = 0; i < 100; i++)
        {
            hostile.Write(0);
            hostile.RingByMessage((ulong)hostile.Tail << 32 | hostile.ReadRegister(0x24));
            honest.Write(0);
            honest.RingAndWake(other);
            Assert.Equal(i, hostile.WaitAndReap());
            Assert.Equal(i, honest.WaitAndReap());
        }
    }

    [Fact]
    public void Mapped_memory_cannot_shrink_and_reads_as_zeros_where_its_owner_takes_pages_away()
    {
        using VfioUserClient queue = _device.OpenClient();
        using var host = new RingHost(queue, mapArena: false);
        using FileDescriptor file = DescriptorZoo.SealedMemory(RingHost.ArenaBytes);
        using MappedMemory memory = MappedMemory.MapShared(file, 0, RingHost.ArenaBytes, writable: true, secret: false);
        using EventFd doorbell = queue.GetRegionIoEventFd(3);
        queue.MapDma(file, 0, RingHost.ArenaIova, RingHost.ArenaBytes, DmaAccess.ReadWrite);
        Assert.False(DescriptorZoo.TryShrink(file));
        for (int i = 0; i < 200; i++)
        {
            memory.GetSpan().Fill(7);
            host.Write(i % 64);
            if (i % 2 == 0)
            {
                DescriptorZoo.PunchHole(file, 0, RingHost.ArenaBytes);
            }

            host.RingAndWake(doorbell);
            Assert.Equal(i, host.WaitAndReap());
            Span<byte> output = memory.Slice(((i % 64) * RingHost.SlotBytes) + RingHost.OutputAt, 128);
            Assert.Equal(0u, host.Error(i));
            Assert.Equal(-1, output.IndexOfAnyExcept(i % 2 == 0 ? (byte)0 : (byte)7));
        }
    }

    [Fact]
    public void Map_of_the_largest_memory_allocates_none_of_it()
    {
        using RawClient client = _device.Open();
        using FileDescriptor file = DescriptorZoo.SealedMemory(256 << 20);
        Assert.Equal(0, client.Error(DmaMap, RawClient.DmaMap(size: 256 << 20), file));
        Assert.False(DescriptorZoo.HasPages(file));
        Assert.Equal(256 << 20, _device.Accelerator.MappedBytes);
    }

    [Fact]
    public void Two_clients_that_map_one_memory_are_each_served_in_it()
    {
        using SharedMemory shared = SharedMemory.Create("test", RingHost.ArenaBytes, secret: false);
        using var first = new RingHost(_device.OpenClient(), mapArena: false);
        using var second = new RingHost(_device.OpenClient(), mapArena: false);
        RingHost[] hosts = [first, second];
        foreach (RingHost host in hosts)
        {
            host.Queue.MapDma(shared.File, 0, RingHost.ArenaIova, RingHost.ArenaBytes, DmaAccess.ReadWrite);
        }

        for (int i = 0; i < 100; i++)
        {
            for (int which = 0; which < 2; which++)
            {
                shared.Memory.Slice((which * RingHost.SlotBytes) + RingHost.InputAt, 128).Fill((byte)(i + which));
                hosts[which].Write(which);
                hosts[which].RingByMessage((ulong)hosts[which].Tail << 32 | hosts[which].ReadRegister(0x24));
            }

            for (int which = 0; which < 2; which++)
            {
                Assert.Equal(i, hosts[which].WaitAndReap());
                Assert.Equal(-1, shared.Memory.Slice((which * RingHost.SlotBytes) + RingHost.OutputAt, 128).IndexOfAnyExcept((byte)(i + which)));
            }
        }

        // One goes; the other's mapping of the same file stays.
        first.Queue.Dispose();
        _device.AwaitQueues(1);
        second.Write(1);
        second.RingByMessage((ulong)second.Tail << 32 | second.ReadRegister(0x24));
        Assert.Equal(100, second.WaitAndReap());
    }

    /// <summary>Sends a descriptor that nobody else holds afterwards; returns the error, or null where there is none of this kind.</summary>
    private static int? Send(RawClient client, string kind, ushort command, byte[] payload)
    {
        using FileDescriptor? file = DescriptorZoo.Catch(kind);
        if (file is null)
        {
            return null;
        }

        client.Send(RawClient.Message(1, command, payload), file);
        file.Dispose();
        using RawReply reply = client.Receive();
        return (int)reply.Error;
    }
}
