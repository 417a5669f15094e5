using System.Runtime.InteropServices;
using WarpDrive.Abi.Vfio;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>Numbers and structures of VFIO, byte for byte as linux/vfio.h has them.</summary>
public sealed class VfioAbiTests
{
    [Fact]
    public void Requests_are_counted_from_semicolon_100() => Assert.Equal(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 16],
        new[]
        {
            VfioRequest.GetApiVersion, VfioRequest.CheckExtension, VfioRequest.SetIommu, VfioRequest.GroupGetStatus, VfioRequest.GroupSetContainer,
            VfioRequest.GroupUnsetContainer, VfioRequest.GroupGetDeviceFd, VfioRequest.DeviceGetInfo, VfioRequest.DeviceGetRegionInfo, VfioRequest.DeviceGetIrqInfo,
            VfioRequest.DeviceSetIrqs, VfioRequest.DeviceReset, VfioRequest.IommuMapDma, VfioRequest.IommuUnmapDma, VfioRequest.DeviceIoEventFd,
        }.Select(static request => (int)(request - ((';' << 8) | 100))));

    [Fact]
    public void Requests_of_the_first_form_carry_the_size_of_a_long()
    {
        // _IOW: direction 1 in bits 31:30, size in 29:16, type 'W' in 15:8, number in 7:0.
        Assert.Equal((1u << 30) | (8u << 16) | ('W' << 8) | 1u, Spimdev.Wait);
        Assert.Equal((1u << 30) | (8u << 16) | ('W' << 8) | 2u, Spimdev.GetQueue);
        Assert.Equal(81920, Spimdev.RingsSizeInBytes);
    }

    [Fact]
    public void Mapping_is_32_bytes() => Assert.Equal(
        "20000000" + "03000000" + "8877665544332211" + "00ffeeddccbbaa99" + "0010000000000000",
        Bytes(new MapDmaArgument
        {
            ArgumentSize = MapDmaArgument.SizeInBytes,
            Access = DmaAccess.ReadWrite,
            Address = 0x1122334455667788,
            Iova = 0x99aabbccddeeff00,
            Bytes = 4096,
        }));

    [Fact]
    public void Taking_a_mapping_back_is_24_bytes() => Assert.Equal(
        "18000000" + "00000000" + "00ffeeddccbbaa99" + "0010000000000000",
        Bytes(new UnmapDmaArgument { ArgumentSize = UnmapDmaArgument.SizeInBytes, Iova = 0x99aabbccddeeff00, Bytes = 4096 }));

    [Fact]
    public void State_of_a_group_is_8_bytes() => Assert.Equal(
        "08000000" + "03000000",
        Bytes(new GroupStatusArgument { ArgumentSize = GroupStatusArgument.SizeInBytes, Flags = VfioGroupFlags.Viable | VfioGroupFlags.ContainerSet }));

    [Fact]
    public void Device_is_24_bytes_of_which_older_kernels_know_20() => Assert.Equal(
        "18000000" + "01000000" + "04000000" + "02000000" + "00000000" + "00000000",
        Bytes(new DeviceInfoArgument { ArgumentSize = DeviceInfoArgument.SizeInBytes, Flags = VfioDeviceFlags.Reset, RegionCount = 4, IrqCount = 2 }));

    [Fact]
    public void Store_for_an_eventfd_is_32_bytes() => Assert.Equal(
        "20000000" + "04000000" + "8000000000030000" + "0100000000000000" + "07000000" + "00000000",
        Bytes(new IoEventFdArgument { ArgumentSize = IoEventFdArgument.SizeInBytes, Width = 4, Offset = 0x30000000080, Value = 1, EventFd = 7 }));

    private static string Bytes<T>(T value)
        where T : unmanaged => Convert.ToHexStringLower(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));
}
