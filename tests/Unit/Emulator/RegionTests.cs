using System.Buffers.Binary;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Abi.Vfio;
using WarpDrive.Emulator;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Emulator;

/// <summary>Regions, registers and doorbells by message.</summary>
public sealed class RegionTests : IDisposable
{
    private readonly SteppedDevice _device = new(engines: 2, lanes: 8);

    public void Dispose() => _device.Dispose();

    [Fact]
    public void Device_tells_its_regions_and_interrupts()
    {
        IVfioDevice queue = _device.Open().Queue;
        Assert.Equal(new VfioDeviceInfo(VfioDeviceFlags.Reset, 4, 1), queue.GetInfo());
        Assert.Equal(new VfioRegionInfo(VfioRegionFlags.Read | VfioRegionFlags.Write, 0x2000), queue.GetRegionInfo(0));
        Assert.Equal(new VfioRegionInfo(VfioRegionFlags.Read | VfioRegionFlags.Write | VfioRegionFlags.Map, 86016), queue.GetRegionInfo(1));
        Assert.Equal(new VfioRegionInfo(VfioRegionFlags.Read | VfioRegionFlags.Write, 0x1000), queue.GetRegionInfo(2));
        Assert.Equal(new VfioRegionInfo(VfioRegionFlags.Read | VfioRegionFlags.Write | VfioRegionFlags.Map, 0x1000), queue.GetRegionInfo(3));
        Assert.Equal(new VfioIrqInfo(VfioIrqFlags.EventFd, 1), queue.GetIrqInfo(0));
        Assert.Null(queue.GoneSignal);
        Assert.False(queue.IsGone);
    }

    [Fact]
    public void Regions_and_interrupts_that_do_not_exist_are_refused_with_EINVAL()
    {
        IVfioDevice queue = _device.Open().Queue;
        using var eventFd = new EventFd();
        AssertRefused(Errno.EINVAL, () => queue.GetRegionInfo(4));
        AssertRefused(Errno.EINVAL, () => queue.MapRegion(4));
        AssertRefused(Errno.EINVAL, () => queue.MapRegion(0));
        AssertRefused(Errno.EINVAL, () => queue.MapRegion(2));
        AssertRefused(Errno.EINVAL, () => queue.GetRegionIoEventFd(1));
        AssertRefused(Errno.EINVAL, () => queue.GetIrqInfo(1));
        AssertRefused(Errno.EINVAL, () => queue.SetIrq(1, eventFd));
        AssertRefused(Errno.EINVAL, () => queue.ReadRegion(4, 0, new byte[4]));
        AssertRefused(Errno.EINVAL, () => queue.WriteRegion(uint.MaxValue, 0, new byte[4]));
    }

    [Fact]
    public void Registers_of_a_new_queue_have_their_first_values()
    {
        _device.Open();
        RingHost host = _device.Open(start: false);
        uint[] values = [0x44505257, 1, 15, 2, 1, 15, 1024, 1024, 0, 1];
        for (int i = 0; i < values.Length; i++)
        {
            Assert.Equal(values[i], host.ReadRegister((ulong)(4 * i)));
        }

        Assert.Equal((1u, 0u, 2u, 8u), (host.ReadRegister(0x2c), host.ReadRegister(0x30), host.ReadRegister(0x34), host.ReadRegister(0x38)));
        Assert.Equal(0u, host.ReadRegister(0x3c));
    }

    [Fact]
    public void Extensions_are_those_that_are_offered_and_change_only_while_the_queue_is_not_started()
    {
        RingHost host = _device.Open(start: false);
        AssertRefused(Errno.EINVAL, () => host.WriteRegister(0x3c, 1));
        AssertRefused(Errno.EINVAL, () => host.WriteRegister(0x3c, 12));
        host.WriteRegister(0x3c, 8);
        Assert.Equal(8u, host.ReadRegister(0x3c));
        host.WriteRegister(0x28, 1);
        AssertRefused(Errno.EBUSY, () => host.WriteRegister(0x3c, 0));
        host.Queue.Reset();
        Assert.Equal(0u, host.ReadRegister(0x3c));
    }

    [Fact]
    public void Engine_name_reads_in_any_aligned_pieces()
    {
        IVfioDevice queue = _device.Open().Queue;
        byte[] name = new byte[128];
        queue.ReadRegion(2, 0x80, name);
        Assert.Equal("test", Encoding.UTF8.GetString(name).TrimEnd('\0'));
        byte[] piece = new byte[8];
        queue.ReadRegion(2, 0x80, piece);
        Assert.Equal(name[..8], piece);
        AssertRefused(Errno.EINVAL, () => queue.ReadRegion(2, 0x82, new byte[4]));
        AssertRefused(Errno.EINVAL, () => queue.ReadRegion(2, 0x80, new byte[6]));
        AssertRefused(Errno.EINVAL, () => queue.ReadRegion(2, 0xfc, new byte[8]));
    }

    [Fact]
    public void Engine_name_that_is_too_long_is_cut_behind_a_whole_character()
    {
        using var accelerator = EmulatedAccelerator.CreateStepped(
            new EmulatorOptions { SelfTest = false }, () => new TestEngine(name: "x" + new string('\u00e9', 100)), NullLogger.Instance);
        using IVfioDevice queue = accelerator.OpenQueue();
        byte[] name = new byte[128];
        queue.ReadRegion(2, 0x80, name);
        Assert.Equal("x" + new string('\u00e9', 63) + "\0", Encoding.UTF8.GetString(name));
    }

    [Theory]
    [InlineData(0x00, 2)]
    [InlineData(0x00, 8)]
    [InlineData(0x02, 4)]
    [InlineData(0x28, 4)] // the command is only written
    [InlineData(0x40, 4)]
    [InlineData(0x100, 4)]
    [InlineData(0xffe, 4)]
    [InlineData(0x1000, 4)]
    [InlineData(ulong.MaxValue, 4)]
    public void Register_reads_of_another_width_or_place_are_refused_with_EINVAL(ulong offset, int length)
    {
        IVfioDevice queue = _device.Open().Queue;
        AssertRefused(Errno.EINVAL, () => queue.ReadRegion(2, offset, new byte[length]));
    }

    [Theory]
    [InlineData(0x00)]
    [InlineData(0x18)]
    [InlineData(0x24)]
    [InlineData(0x2c)]
    [InlineData(0x30)]
    [InlineData(0x80)]
    [InlineData(0x100)]
    public void Writes_of_what_is_only_read_are_refused_with_EINVAL(ulong offset)
    {
        RingHost host = _device.Open(start: false);
        AssertRefused(Errno.EINVAL, () => host.WriteRegister(offset, 1));
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(64, true)]
    [InlineData(1024, true)]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(3, false)]
    [InlineData(1000, false)]
    [InlineData(2048, false)]
    [InlineData(0x8000_0000, false)]
    public void Depth_is_a_power_of_two_from_2_to_1024(uint depth, bool allowed)
    {
        RingHost host = _device.Open(start: false);
        if (allowed)
        {
            host.WriteRegister(0x1c, depth);
            Assert.Equal(depth, host.ReadRegister(0x1c));
        }
        else
        {
            AssertRefused(Errno.EINVAL, () => host.WriteRegister(0x1c, depth));
            Assert.Equal(1024u, host.ReadRegister(0x1c));
        }
    }

    [Fact]
    public void Register_written_in_halves_is_refused_with_EINVAL()
    {
        IVfioDevice queue = _device.Open(start: false).Queue;
        AssertRefused(Errno.EINVAL, () => queue.WriteRegion(2, 0x1c, new byte[2]));
        AssertRefused(Errno.EINVAL, () => queue.WriteRegion(2, 0x1c, new byte[8]));
        AssertRefused(Errno.EINVAL, () => queue.WriteRegion(2, 0x1e, new byte[4]));
    }

    [Fact]
    public void Depth_and_type_of_a_started_queue_are_refused_with_EBUSY()
    {
        RingHost host = _device.Open();
        AssertRefused(Errno.EBUSY, () => host.WriteRegister(0x1c, 64));
        AssertRefused(Errno.EBUSY, () => host.WriteRegister(0x20, 0));
        host.WriteRegister(0x28, 2);
        host.WriteRegister(0x1c, 64);
        host.WriteRegister(0x20, 0);
        AssertRefused(Errno.EINVAL, () => host.WriteRegister(0x20, 1));
    }

    [Fact]
    public void Commands_out_of_turn_are_refused_with_EINVAL()
    {
        RingHost host = _device.Open(start: false);
        host.WriteRegister(0x28, 2);
        Assert.Equal(1u, host.ReadRegister(0x2c));
        AssertRefused(Errno.EINVAL, () => host.WriteRegister(0x28, 0));
        AssertRefused(Errno.EINVAL, () => host.WriteRegister(0x28, 3));
        host.WriteRegister(0x28, 1);
        AssertRefused(Errno.EINVAL, () => host.WriteRegister(0x28, 1));
        Assert.Equal(2u, host.ReadRegister(0x2c));
    }

    [Fact]
    public void Reset_gives_registers_their_first_values_and_keeps_mappings()
    {
        RingHost host = _device.Open(depth: 64);
        host.RingByMessage(0x3ff);
        Assert.Equal(1u, host.ReadRegister(0x30));
        host.Queue.Reset();
        Assert.Equal((1024u, 1u, 0u), (host.ReadRegister(0x1c), host.ReadRegister(0x2c), host.ReadRegister(0x30)));
        Assert.Equal((1u, 1u), (host.StopSending, host.StopReceiving));
        host.Start();
        host.Post(0);
        Assert.True(_device.Step());
        Assert.Equal(0u, host.Error(host.Reap()));
    }

    [Fact]
    public void Trapped_doorbells_publish_a_tail_and_return_a_head()
    {
        using var interrupt = new EventFd();
        _device.Open();
        RingHost host = _device.Open(depth: 2);
        using EventFd doorbell = host.Queue.GetRegionIoEventFd(3);
        host.Queue.SetIrq(0, interrupt);

        host.Write(0);
        host.RingByMessage(0x0001_0000_0001UL); // queue 1, SQ, tail 1
        Assert.Equal((1u, 0u), (host.SubmissionTail, host.DeviceAsleep));
        Assert.False(doorbell.TryConsume()); // the client's own: the device wakes itself by another
        Assert.True(_device.Step());
        Assert.Equal(0, host.Reap(returnHead: false));

        host.Write(0);
        host.RingByMessage(0x0000_0000_0001UL);
        Assert.False(_device.Step());
        Assert.False(doorbell.TryConsume());
        host.RingByMessage(0x1_0001_0000_1001UL); // queue 1, CQ, head 1, interrupt
        Assert.Equal((1u, 1u), (host.CompletionHead, host.HostAsleep));
        Assert.True(_device.Step());
        Assert.Equal(1, host.Reap(returnHead: false));
        Assert.True(interrupt.TryConsume());
        host.HostAsleep = 1;
        host.RingByMessage(0x0000_0000_1001UL); // without bit 48
        Assert.Equal((0u, 0u), (host.CompletionHead, host.HostAsleep));
        Assert.Equal(0u, host.ReadRegister(0x30));
    }

    [Theory]
    [InlineData(0x0001_0000_0001UL)] // another queue
    [InlineData(0x0001_0000_03ffUL)]
    [InlineData(0x0001_0000_2000UL)] // EQ doorbell
    [InlineData(0x0001_0000_f000UL)]
    [InlineData(0x0040_0000_0000UL)] // index = depth
    [InlineData(0xffff_0000_0000UL)]
    [InlineData(0x0040_0000_1000UL)]
    public void Trapped_doorbell_with_a_wrong_number_command_or_index_is_ignored_and_counted(ulong word)
    {
        RingHost host = _device.Open(depth: 64);
        host.Write(0);
        host.RingByMessage(word);
        host.RingByMessage(word);
        Assert.Equal((0u, 0u, 2u), (host.SubmissionTail, host.CompletionHead, host.ReadRegister(0x30)));
        Assert.False(_device.Step());
    }

    [Theory]
    [InlineData(0x1000, 4)]
    [InlineData(0x1004, 4)]
    [InlineData(0x1000, 16)]
    [InlineData(0x0ff8, 8)]
    [InlineData(0x1008, 8)]
    [InlineData(0x1ffc, 8)]
    [InlineData(0x340, 8)]
    public void Other_writes_to_region_0_are_refused_with_EINVAL(ulong offset, int length)
    {
        RingHost host = _device.Open();
        AssertRefused(Errno.EINVAL, () => host.Queue.WriteRegion(0, offset, new byte[length]));
        Assert.Equal(0u, host.ReadRegister(0x30));
    }

    [Fact]
    public void Region_0_reads_as_zeros_inside_and_is_refused_outside()
    {
        IVfioDevice queue = _device.Open().Queue;
        byte[] data = [1, 2, 3];
        queue.ReadRegion(0, 0x1fff - 2, data);
        Assert.Equal(new byte[3], data);
        AssertRefused(Errno.EINVAL, () => queue.ReadRegion(0, 0x1fff, new byte[2]));
    }

    [Theory, InlineData(0u, 0x2000ul), InlineData(1u, 86016ul), InlineData(2u, 0x1000ul), InlineData(3u, 0x1000ul)]
    public void No_bytes_are_read_and_written_anywhere_inside_a_region_and_mean_nothing(uint region, ulong size)
    {
        RingHost host = _device.Open();
        foreach (ulong offset in (ulong[])[0, 1, 0x28, size])
        {
            host.Queue.ReadRegion(region, offset, []);
            host.Queue.WriteRegion(region, offset, []);
        }

        AssertRefused(Errno.EINVAL, () => host.Queue.ReadRegion(region, size + 1, []));
        AssertRefused(Errno.EINVAL, () => host.Queue.WriteRegion(region, size + 1, []));
        Assert.Equal((2u, 0u), (host.ReadRegister(0x2c), host.ReadRegister(0x30)));
    }

    [Fact]
    public void Mapped_regions_are_the_same_memory_by_message()
    {
        RingHost host = _device.Open();
        using EventFd doorbell = host.Queue.GetRegionIoEventFd(3);
        host.Queue.WriteRegion(1, 3, [1, 2, 3, 4, 5]);
        Assert.Equal([0, 0, 0, 1, 2, 3, 4, 5], host.Dus[..8].ToArray());
        byte[] read = new byte[6];
        host.Queue.ReadRegion(1, 4, read);
        Assert.Equal(host.Dus.Slice(4, 6).ToArray(), read);
        AssertRefused(Errno.EINVAL, () => host.Queue.ReadRegion(1, 86015, new byte[2]));
        AssertRefused(Errno.EINVAL, () => host.Queue.WriteRegion(3, 0xffd, new byte[4]));

        // A tail by message is a doorbell too.
        host.Write(0);
        byte[] tail = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(tail, 1);
        host.Queue.WriteRegion(3, 0, tail);
        Assert.False(doorbell.TryConsume()); // the client's own: the device wakes itself by another
        Assert.True(_device.Step());
    }

    [Fact]
    public void Mapping_of_a_region_outlives_the_queue()
    {
        RingHost host = _device.Open();
        host.Queue.Dispose();
        Assert.Equal((1u, 1u), (host.StopSending, host.StopReceiving));
        Assert.True(host.Queue.IsGone);
        AssertRefused(Errno.ENODEV, () => host.ReadRegister(0));
        AssertRefused(Errno.ENODEV, () => host.WriteRegister(0x28, 1));
        AssertRefused(Errno.ENODEV, () => host.Queue.MapRegion(1));
        AssertRefused(Errno.ENODEV, () => host.Queue.GetRegionIoEventFd(3));
        AssertRefused(Errno.ENODEV, () => host.Queue.SetIrq(0, null));
        AssertRefused(Errno.ENODEV, () => host.Queue.MapDma(host.Arena.File, 0, 0, 4096, DmaAccess.Read));
        AssertRefused(Errno.ENODEV, () => host.Queue.UnmapDma(RingHost.ArenaIova, RingHost.ArenaBytes));
        AssertRefused(Errno.ENODEV, host.Queue.Reset);
        host.Post(0);
        Assert.False(_device.Step());
    }

    private static void AssertRefused(int error, Action action) => Assert.Equal(error, Assert.Throws<LinuxException>(action).Error);
}
