using System.Buffers.Binary;
using WarpDrive.Abi.Vfio;
using WarpDrive.Driver;
using WarpDrive.Driver.Devices;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>Mediated devices from opening to closing, against the fake kernel.</summary>
public sealed class MdevDeviceTests
{
    private static readonly QueuePoolOptions Options = new() { Depth = 16, QueuesPerDevice = 3, Deadline = TimeSpan.FromSeconds(60) };

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(1, false)]
    [InlineData(2, false)]
    public void Device_of_the_first_form_answers_what_is_known(int version, bool saysNumbers)
    {
        using FakeMdev machine = FakeMdev.OfFirstForm(version, saysNumbers);
        AssertAnswers(machine);
    }

    [Fact]
    public void Device_whose_kernel_never_notices_a_completion_answers_all_the_same()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        ((FakeSpimdev)machine.Hardware).NoticesCompletions = false;
        AssertAnswers(machine);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(20)]
    [InlineData(24)]
    public void Device_of_the_datasheet_answers_what_is_known_whatever_the_kernel_knows_of_its_structure(int infoBytes)
    {
        using FakeMdev machine = FakeMdev.OfDatasheet();
        machine.Vfio.DeviceInfoBytes = infoBytes;
        AssertAnswers(machine);
    }

    [Fact]
    public void Calls_come_in_the_order_of_the_first_library()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        DeviceQueue queue = machine.Device.OpenQueue(16);
        Assert.Equal(
            [
                "open vfio/7", "open vfio/vfio", "ioctl VFIO_GET_API_VERSION 0", "ioctl VFIO_CHECK_EXTENSION 1", "ioctl VFIO_GROUP_GET_STATUS", "ioctl VFIO_GROUP_SET_CONTAINER",
                "ioctl VFIO_SET_IOMMU 1", $"ioctl VFIO_GROUP_GET_DEVICE_FD, {FakeMdev.Uuid}", "ioctl VFIO_SPIMDEV_CMD_GET_Q 0", "mmap 81920 at 4096", "mmap 4096 at 0",
            ],
            machine.Kernel.Calls);
        using var arena = new DmaArena(queue, 16);
        ulong slots = arena.InputIova(0);
        int opened = machine.Kernel.Calls.Count;
        queue.Dispose();

        // The queue first, then its memory, then what all queues share.
        Assert.Equal(
            [
                "munmap 4096", "munmap 81920", "close", $"ioctl VFIO_IOMMU_UNMAP_DMA, 16384 bytes at IOVA 0x{slots:x}",
                $"ioctl VFIO_IOMMU_UNMAP_DMA, 262144 bytes at IOVA 0x{slots + DmaAddresses.PieceBytes:x}", "close", "close", "close",
            ],
            machine.Kernel.Calls.Skip(opened));
        Assert.Equal(0, machine.Kernel.OpenCount);
    }

    [Fact]
    public void Queues_of_a_device_share_what_VFIO_opens_once()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        var queues = new List<DeviceQueue> { machine.Device.OpenQueue(16), machine.Device.OpenQueue(16), machine.Device.OpenQueue(16) };
        Assert.Equal(1, machine.Kernel.Calls.Count(static call => call == "open vfio/7"));
        Assert.Equal(1, machine.Kernel.Calls.Count(static call => call == "ioctl VFIO_SET_IOMMU 1"));
        Assert.Equal([0, 1, 2], queues.Select(static queue => (int)queue.QueueNumber));
        Assert.Equal(3 + 3, machine.Kernel.OpenCount);
        queues[0].Dispose();
        queues[2].Dispose();
        Assert.Equal(3 + 1, machine.Kernel.OpenCount);
        queues[1].Dispose();
        Assert.Equal(0, machine.Kernel.OpenCount);
        AssertAnswers(machine);
    }

    [Fact]
    public void Memory_is_announced_where_the_process_has_it_and_taken_back_with_the_queue()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        DeviceQueue first = machine.Device.OpenQueue(16);
        DeviceQueue second = machine.Device.OpenQueue(16);
        using DmaMemory memory = DmaMemory.Create("shared", 2 * DmaAddresses.PieceBytes);
        ulong address = memory.Memory.Address;
        Assert.Equal(address, first.MapDma(memory, 0, DmaAddresses.PieceBytes, DmaAccess.ReadWrite).At(0));
        MapDmaArgument map = Assert.Single(machine.Group.Container!.Mappings);
        Assert.Equal((address, address, (ulong)DmaAddresses.PieceBytes, DmaAccess.ReadWrite), (map.Address, map.Iova, map.Bytes, map.Access));

        // What another queue of the container has mapped already costs no call, and stays as long as any has it.
        int calls = machine.Kernel.Calls.Count;
        Assert.Equal(address, second.MapDma(memory, 0, DmaAddresses.PieceBytes, DmaAccess.ReadWrite).At(0));
        Assert.Equal(calls, machine.Kernel.Calls.Count);
        Assert.Equal(address + DmaAddresses.PieceBytes, second.MapDma(memory, DmaAddresses.PieceBytes, 4096, DmaAccess.Read).At(0));
        Assert.Equal(2, machine.Group.Container!.Mappings.Count);
        first.Dispose();
        Assert.Equal(2, machine.Group.Container!.Mappings.Count);
        FakeContainer container = machine.Group.Container!;
        second.Dispose();
        Assert.Empty(container.Mappings);
        Assert.Null(machine.Group.Container);
    }

    [Fact]
    public void Devices_of_one_container_see_one_arena_at_the_same_addresses()
    {
        using var kernel = new FakeKernel();
        var tree = new FakeMdevTree(kernel);
        var vfio = new FakeVfio(kernel);
        using var hardware = new FakeSpimdev(1, saysNumbers: true);
        using var more = new FakeSpimdev(2, saysNumbers: true);
        string[] uuids = [FakeMdev.Uuid, "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"];
        tree.AddType("0000:75:00.0", "hisi_hpre-rsa", "hisi_qm_v1");
        tree.AddType("0000:b5:00.0", "hisi_hpre-rsa", "hisi_qm_v2");
        tree.AddSpimdev("0000:75:00.0");
        tree.AddSpimdev("0000:b5:00.0");
        tree.AddDevice("0000:75:00.0", "hisi_hpre-rsa", uuids[0], "7");
        tree.AddDevice("0000:b5:00.0", "hisi_hpre-rsa", uuids[1], "8");
        vfio.Add(new FakeGroup(kernel, "7", uuids[0], hardware));
        vfio.Add(new FakeGroup(kernel, "8", uuids[1], more));
        var container = new VfioContainer(kernel, kernel.Tree);
        DeviceQueue[] queues = [.. uuids.Select(uuid => new MdevDevice(kernel, kernel.Tree, uuid, container).OpenQueue(16))];

        Assert.Equal(1, kernel.Calls.Count(static call => call == "open vfio/vfio"));
        Assert.Equal(1, kernel.Calls.Count(static call => call == "ioctl VFIO_SET_IOMMU 1"));
        Assert.Equal(2, kernel.Calls.Count(static call => call == "ioctl VFIO_GROUP_SET_CONTAINER"));
        using var arena = new DmaArena(queues[0], 16);
        int calls = kernel.Calls.Count;
        ArenaMapping other = arena.MapTo(queues[1]);
        Assert.Equal(calls, kernel.Calls.Count);
        Assert.Equal((arena.InputIova(3), arena.OutputIova(3)), (other.InputIova(3), other.OutputIova(3)));
        queues[0].Dispose();
        Assert.True(container.IsOpen);
        queues[1].Dispose();
        Assert.False(container.IsOpen);
        Assert.Equal(0, kernel.OpenCount);
    }

    [Theory]
    [InlineData(1, 0x340, "0300010001000000", "0300010001000100")]
    [InlineData(2, 0, "0310000001000000", "0310000001000100")]
    public void Doorbells_are_the_bytes_of_their_version(int version, int offset, string head, string wish)
    {
        using FakeMdev machine = FakeMdev.OfFirstForm(version);
        DeviceQueue[] queues = [.. Enumerable.Range(0, 4).Select(_ => machine.Device.OpenQueue(16))];
        try
        {
            queues[3].RingCompletion(1);
            Assert.Equal(head, Doorbell());
            queues[3].RequestInterrupt();
            Assert.Equal(wish, Doorbell());
        }
        finally
        {
            Array.ForEach(queues, static queue => queue.Dispose());
        }

        string Doorbell()
        {
            // In the little-endian order of the bus: number, command, index, wish for an interrupt.
            byte[] bytes = new byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, ((FakeSpimdev)machine.Hardware).LastDoorbell(3, offset));
            return Convert.ToHexStringLower(bytes);
        }
    }

    [Fact]
    public void Number_and_version_in_the_rings_are_gone_when_the_queue_starts()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm(version: 2);
        using DeviceQueue queue = machine.Device.OpenQueue(16);
        Assert.Equal(2u, queue.Rings.At<uint>(4));
        queue.Start();
        Assert.Equal(-1, queue.Rings.GetSpan().IndexOfAnyExcept((byte)0));
        Assert.Equal((1024, 81920), (queue.Depth, queue.Rings.Length));
    }

    [Fact]
    public void Device_that_ends_is_gone_for_its_queue()
    {
        using FakeMdev machine = FakeMdev.OfFirstForm();
        using DeviceQueue queue = machine.Device.OpenQueue(16);
        Assert.False(queue.Sleep(TimeSpan.FromMilliseconds(1)));
        Assert.False(queue.IsGone);
        machine.Hardware.IsGone = true;
        Assert.False(queue.Sleep(TimeSpan.FromMilliseconds(1)));
        Assert.True(queue.IsGone && queue.IsStopped);
    }

    [Fact]
    public void Device_of_the_datasheet_that_ends_is_gone_for_its_queue()
    {
        using FakeMdev machine = FakeMdev.OfDatasheet();
        using DeviceQueue queue = machine.Device.OpenQueue(16);
        Assert.False(queue.IsGone);
        machine.Hardware.IsGone = true;
        Assert.True(queue.IsGone);
    }

    /// <summary>The probe that the proxy makes of each device: every key size, several operations at once, every byte compared.</summary>
    private static void AssertAnswers(FakeMdev machine)
    {
        var endpoint = new DeviceEndpoint(machine.Device.Uri, machine.Device.OpenQueue);
        IReadOnlyList<ProbeResult> results = KnownAnswerProbe.Run(endpoint, Options, TimeProvider.System);
        Assert.All(results, static result => Assert.Equal(AcceleratorError.None, result.Error));
        Assert.Equal(8, results.Count);
        Assert.Equal(0, machine.Kernel.OpenCount);
    }
}
