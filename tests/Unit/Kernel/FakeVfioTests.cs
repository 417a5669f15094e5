using System.Runtime.InteropServices;
using System.Text;
using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>The fake VFIO refuses what the kernel refuses: Linux drivers/vfio/group.c, container.c, vfio_iommu_type1.c.</summary>
public sealed class FakeVfioTests : IDisposable
{
    private readonly FakeMdev _machine = FakeMdev.OfFirstForm();
    private readonly List<FileDescriptor> _open = [];

    private FakeKernel Kernel => _machine.Kernel;

    public void Dispose()
    {
        _open.ForEach(Kernel.Close);
        _machine.Dispose();
    }

    [Fact]
    public void Group_opens_once_until_its_device_is_closed_too()
    {
        (FileDescriptor container, FileDescriptor group) = Attach();
        FileDescriptor device = GetDevice(group);
        AssertRefused(Errno.EBUSY, () => Open("vfio/7"));
        Close(group);
        Close(container);
        AssertRefused(Errno.EBUSY, () => Open("vfio/7"));
        Close(device);
        Open("vfio/7");
    }

    [Fact]
    public void Container_without_a_group_takes_no_iommu()
    {
        FileDescriptor container = Open("vfio/vfio");
        Assert.Equal(0, Value(container, VfioRequest.GetApiVersion, 0));
        Assert.Equal((1, 0), (Value(container, VfioRequest.CheckExtension, 1), Value(container, VfioRequest.CheckExtension, 8)));
        AssertRefused(Errno.EINVAL, () => Value(container, VfioRequest.SetIommu, 1));
        AssertRefused(Errno.EINVAL, () => Map(container, 0x10000, 4096));
    }

    [Fact]
    public void Iommu_is_chosen_once_and_must_be_known()
    {
        (FileDescriptor container, _) = Attach(iommu: null);
        AssertRefused(Errno.ENODEV, () => Value(container, VfioRequest.SetIommu, 7));
        Value(container, VfioRequest.SetIommu, 1);
        AssertRefused(Errno.EINVAL, () => Value(container, VfioRequest.SetIommu, 1));
    }

    [Fact]
    public void Device_is_given_only_when_the_container_has_an_iommu()
    {
        FileDescriptor group = Open("vfio/7");
        AssertRefused(Errno.EINVAL, () => GetDevice(group));
        SetContainer(group, Open("vfio/vfio").Number);
        AssertRefused(Errno.EINVAL, () => GetDevice(group));
    }

    [Fact]
    public void Device_of_another_group_is_none()
    {
        (_, FileDescriptor group) = Attach();
        AssertRefused(Errno.ENODEV, () => GetDevice(group, "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"));
    }

    [Fact]
    public void Group_goes_into_one_container_which_must_be_one()
    {
        (FileDescriptor container, FileDescriptor group) = Attach();
        AssertRefused(Errno.EINVAL, () => SetContainer(group, container.Number));
        FileDescriptor device = GetDevice(group);
        AssertRefused(Errno.EBUSY, () => Value(group, VfioRequest.GroupUnsetContainer, 0));
        Close(device);
        Value(group, VfioRequest.GroupUnsetContainer, 0);
        AssertRefused(Errno.EINVAL, () => Value(group, VfioRequest.GroupUnsetContainer, 0));
        AssertRefused(Errno.EBADF, () => SetContainer(group, 1 << 20));
        AssertRefused(Errno.EINVAL, () => SetContainer(group, group.Number));
    }

    [Fact]
    public void State_of_a_group_says_whether_it_can_be_used_and_has_a_container()
    {
        FileDescriptor group = Open("vfio/7");
        Assert.Equal(VfioGroupFlags.Viable, Status(group));
        SetContainer(group, Open("vfio/vfio").Number);
        Assert.Equal(VfioGroupFlags.Viable | VfioGroupFlags.ContainerSet, Status(group));
        AssertRefused(Errno.EINVAL, () => Status(group, 7));
    }

    [Theory]
    [InlineData(0x10001ul, 4096ul, 3u)]
    [InlineData(0x10000ul, 4095ul, 3u)]
    [InlineData(0x10000ul, 0ul, 3u)]
    [InlineData(0x10000ul, 4096ul, 0u)]
    [InlineData(0x10000ul, 4096ul, 4u)]
    [InlineData(0xfffffffffffff000ul, 8192ul, 3u)]
    public void Mapping_that_is_none_is_refused(ulong iova, ulong bytes, uint access)
    {
        (FileDescriptor container, _) = Attach();
        AssertRefused(Errno.EINVAL, () => Map(container, iova, bytes, (DmaAccess)access));
    }

    [Fact]
    public void Mappings_do_not_overlap_and_are_taken_back_whole()
    {
        (FileDescriptor container, _) = Attach();
        using DmaArea area = new(4 * 4096);
        Map(container, 0x10000, 8192, address: area.Address);
        AssertRefused(Errno.EEXIST, () => Map(container, 0x11000, 4096, address: area.Address));
        AssertRefused(Errno.EEXIST, () => Map(container, 0xf000, 16384, address: area.Address));
        Map(container, 0x12000, 4096, address: area.Address);
        AssertRefused(Errno.EINVAL, () => Unmap(container, 0x10000, 4096));
        Assert.Equal(0ul, Unmap(container, 0x90000, 4096));
        Assert.Equal(12288ul, Unmap(container, 0x10000, 12288));
        Assert.Equal(0ul, Unmap(container, 0x10000, 12288));
    }

    [Fact]
    public void Pinned_memory_is_limited()
    {
        (FileDescriptor container, _) = Attach();
        using DmaArea area = new(4 * 4096);
        _machine.Vfio.MemoryLimit = 8192;
        Map(container, 0x10000, 8192, address: area.Address);
        AssertRefused(Errno.ENOMEM, () => Map(container, 0x20000, 4096, address: area.Address));
        Unmap(container, 0x10000, 8192);
        Map(container, 0x20000, 4096, address: area.Address);
    }

    [Fact]
    public void Unknown_requests_and_short_structures_are_refused()
    {
        (FileDescriptor container, FileDescriptor group) = Attach();
        FileDescriptor device = GetDevice(group);
        AssertRefused(Errno.ENOTTY, () => Value(container, 0x3bff, 0));
        AssertRefused(Errno.ENOTTY, () => Value(group, 0x3bff, 0));
        AssertRefused(Errno.EINVAL, () => Value(device, 0x3bff, 0));
        AssertRefused(Errno.EINVAL, () => Kernel.Control(container, VfioRequest.IommuMapDma, new byte[] { 31, 0, 0, 0 }, "short"));
    }

    [Fact]
    public void Queue_maps_its_doorbell_and_its_rings_and_nothing_more()
    {
        (_, FileDescriptor group) = Attach();
        FileDescriptor queue = Own(new FileDescriptor(Value(GetDevice(group), Spimdev.GetQueue, 0)));
        AssertRefused(Errno.EINVAL, () => Kernel.Map(queue, 0, 8192));
        AssertRefused(Errno.EINVAL, () => Kernel.Map(queue, 4096, 81921));
        AssertRefused(Errno.EINVAL, () => Kernel.Map(queue, 8192, 4096));
        AssertRefused(Errno.EINVAL, () => Value(queue, Spimdev.GetQueue, 0));
        Kernel.Unmap(Kernel.Map(queue, 0, 4096));
        Kernel.Unmap(Kernel.Map(queue, 4096, 81920));
        Assert.Equal(0, Value(queue, Spimdev.Wait, 1));
    }

    private static void AssertRefused(int error, Action call) => Assert.Equal(error, Assert.Throws<LinuxException>(call).Error);

    private FileDescriptor Own(FileDescriptor file)
    {
        _open.Add(file);
        return file;
    }

    private FileDescriptor Open(string name) => Own(Kernel.Open(Kernel.Tree.Dev(name)));

    private void Close(FileDescriptor file)
    {
        _open.Remove(file);
        Kernel.Close(file);
    }

    private (FileDescriptor Container, FileDescriptor Group) Attach(int? iommu = 1)
    {
        FileDescriptor group = Open("vfio/7");
        FileDescriptor container = Open("vfio/vfio");
        SetContainer(group, container.Number);
        if (iommu is { } type)
        {
            Value(container, VfioRequest.SetIommu, type);
        }

        return (container, group);
    }

    private void SetContainer(FileDescriptor group, int number) => Kernel.Control(group, VfioRequest.GroupSetContainer, BitConverter.GetBytes(number), "set");

    private FileDescriptor GetDevice(FileDescriptor group, string uuid = FakeMdev.Uuid) =>
        Own(new FileDescriptor(Kernel.Control(group, VfioRequest.GroupGetDeviceFd, Encoding.ASCII.GetBytes(uuid + "\0"), "get")));

    private int Value(FileDescriptor file, uint request, long value) => Kernel.ControlByValue(file, request, value, "value");

    private VfioGroupFlags Status(FileDescriptor group, uint size = GroupStatusArgument.SizeInBytes)
    {
        var status = new GroupStatusArgument { ArgumentSize = size };
        Kernel.Control(group, VfioRequest.GroupGetStatus, MemoryMarshal.AsBytes(new Span<GroupStatusArgument>(ref status)), "status");
        return status.Flags;
    }

    private void Map(FileDescriptor container, ulong iova, ulong bytes, DmaAccess access = DmaAccess.ReadWrite, ulong address = 0x10000)
    {
        var map = new MapDmaArgument { ArgumentSize = MapDmaArgument.SizeInBytes, Access = access, Address = address, Iova = iova, Bytes = bytes };
        Kernel.Control(container, VfioRequest.IommuMapDma, MemoryMarshal.AsBytes(new Span<MapDmaArgument>(ref map)), "map");
    }

    private ulong Unmap(FileDescriptor container, ulong iova, ulong bytes)
    {
        var unmap = new UnmapDmaArgument { ArgumentSize = UnmapDmaArgument.SizeInBytes, Iova = iova, Bytes = bytes };
        Kernel.Control(container, VfioRequest.IommuUnmapDma, MemoryMarshal.AsBytes(new Span<UnmapDmaArgument>(ref unmap)), "unmap");
        return unmap.Bytes;
    }

    private sealed class DmaArea(int bytes) : IDisposable
    {
        private readonly SharedMemory _memory = SharedMemory.Create("dma-area", bytes, secret: false);

        public ulong Address => _memory.Memory.Address;

        public void Dispose() => _memory.Dispose();
    }
}
