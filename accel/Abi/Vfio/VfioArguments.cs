using System.Runtime.InteropServices;

namespace WarpDrive.Abi.Vfio;

/// <summary>What a group says of itself: VFIO_GROUP_FLAGS_* (linux/vfio.h).</summary>
[Flags]
public enum VfioGroupFlags : uint
{
    /// <summary>Nothing: a device of the group belongs to another driver.</summary>
    None = 0,

    /// <summary>No device of the group belongs to a driver that would share its addresses.</summary>
    Viable = 1,

    /// <summary>It has a container.</summary>
    ContainerSet = 2,
}

/// <summary>Argument of GROUP_GET_STATUS.
/// <code>
///  0  u32  argsz 8     4  u32  flags: 1 viable, 2 container set
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct GroupStatusArgument
{
    /// <summary>Size of the structure.</summary>
    public const int SizeInBytes = 8;

    /// <summary>Size of the structure.</summary>
    [FieldOffset(0)] public uint ArgumentSize;

    /// <summary>What it says.</summary>
    [FieldOffset(4)] public VfioGroupFlags Flags;
}

/// <summary>
/// Argument of DEVICE_GET_INFO. Kernels up to 6.5 know 20 bytes, later ones 24 with the last four 0; every kernel takes 16 or more and fills what it knows.
/// <code>
///  0  u32  argsz     4  u32  flags: 1 reset, 2 PCI     8  u32  regions     12  u32  interrupt indices     16  u32  first capability     20  u32  0
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct DeviceInfoArgument
{
    /// <summary>Size of the structure.</summary>
    public const int SizeInBytes = 24;

    /// <summary>The least that a kernel takes.</summary>
    public const int LeastSizeInBytes = 16;

    /// <summary>In: the size given. Out: what the kernel would fill.</summary>
    [FieldOffset(0)] public uint ArgumentSize;

    /// <summary>Properties.</summary>
    [FieldOffset(4)] public VfioDeviceFlags Flags;

    /// <summary>Regions are numbered from 0.</summary>
    [FieldOffset(8)] public uint RegionCount;

    /// <summary>Interrupt indices are numbered from 0.</summary>
    [FieldOffset(12)] public uint IrqCount;
}

/// <summary>Argument of IOMMU_MAP_DMA.
/// <code>
///  0  u32  argsz 32     4  u32  flags: 1 device reads, 2 device writes     8  u64  address in this process     16  u64  IOVA     24  u64  size
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct MapDmaArgument
{
    /// <summary>Size of the structure.</summary>
    public const int SizeInBytes = 32;

    /// <summary>Size of the structure.</summary>
    [FieldOffset(0)] public uint ArgumentSize;

    /// <summary>What the device may do.</summary>
    [FieldOffset(4)] public DmaAccess Access;

    /// <summary>Where the memory is in this process; whole pages.</summary>
    [FieldOffset(8)] public ulong Address;

    /// <summary>The address that the device uses; whole pages.</summary>
    [FieldOffset(16)] public ulong Iova;

    /// <summary>Bytes; whole pages.</summary>
    [FieldOffset(24)] public ulong Bytes;
}

/// <summary>Argument of IOMMU_UNMAP_DMA.
/// <code>
///  0  u32  argsz 24     4  u32  flags 0     8  u64  IOVA     16  u64  size; out: bytes that were taken back
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct UnmapDmaArgument
{
    /// <summary>Size of the structure.</summary>
    public const int SizeInBytes = 24;

    /// <summary>Size of the structure.</summary>
    [FieldOffset(0)] public uint ArgumentSize;

    /// <summary>0.</summary>
    [FieldOffset(4)] public uint Flags;

    /// <summary>The address that the device uses.</summary>
    [FieldOffset(8)] public ulong Iova;

    /// <summary>Bytes. Out: how many were mapped there and are no more; 0 is no error.</summary>
    [FieldOffset(16)] public ulong Bytes;
}

/// <summary>
/// Argument of DEVICE_IOEVENTFD: the kernel makes this store to the device whenever the eventfd is signalled.
/// <code>
///  0  u32  argsz 32     4  u32  flags: bytes of the store     8  u64  offset in the device's file     16  u64  value     24  i32  eventfd, -1: no more     28  u32  0
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct IoEventFdArgument
{
    /// <summary>Size of the structure.</summary>
    public const int SizeInBytes = 32;

    /// <summary>Size of the structure.</summary>
    [FieldOffset(0)] public uint ArgumentSize;

    /// <summary>Bytes of the store: 1, 2, 4 or 8.</summary>
    [FieldOffset(4)] public uint Width;

    /// <summary>Where in the device's file.</summary>
    [FieldOffset(8)] public ulong Offset;

    /// <summary>What is stored.</summary>
    [FieldOffset(16)] public ulong Value;

    /// <summary>The eventfd's number.</summary>
    [FieldOffset(24)] public int EventFd;
}
