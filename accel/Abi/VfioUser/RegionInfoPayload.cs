using System.Runtime.InteropServices;
using WarpDrive.Abi.Vfio;

namespace WarpDrive.Abi.VfioUser;

/// <summary>Payload of DEVICE_GET_REGION_INFO and how its reply starts; capabilities follow in the reply.
/// <code>
///  0  u32  argsz                                           8  u32  region                              16  u64  size
///  4  u32  flags: 1 read, 2 write, 4 map, 8 capabilities  12  u32  offset of the first capability     24  u64  offset for mmap
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct RegionInfoPayload
{
    /// <summary>Size without capabilities.</summary>
    public const int SizeInBytes = 32;

    /// <summary>Command: room for the reply. Reply: the room that the whole of it needs.</summary>
    [FieldOffset(0)] public uint ArgumentSize;

    /// <summary>Access.</summary>
    [FieldOffset(4)] public VfioRegionFlags Flags;

    /// <summary>The region's number.</summary>
    [FieldOffset(8)] public uint Region;

    /// <summary>Where the first capability starts, from the start of this structure; 0: there is none.</summary>
    [FieldOffset(12)] public uint CapabilityOffset;

    /// <summary>Bytes of the region; 0: it is absent.</summary>
    [FieldOffset(16)] public ulong RegionBytes;

    /// <summary>Where the region starts in the file that comes with the reply.</summary>
    [FieldOffset(24)] public ulong MapOffset;
}

/// <summary>What every capability of a region starts with.
/// <code>
///  0  u16  id     2  u16  version     4  u32  offset of the next, from the start of the region info; 0: last
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct CapabilityHeader
{
    /// <summary>Size of the header.</summary>
    public const int SizeInBytes = 8;

    /// <summary>Which capability.</summary>
    [FieldOffset(0)] public ushort Id;

    /// <summary>Version of its layout.</summary>
    [FieldOffset(2)] public ushort Version;

    /// <summary>Where the next one starts; 0: this is the last.</summary>
    [FieldOffset(4)] public uint Next;
}

/// <summary>The capability that names which part of a region can be mapped, with one area.
/// <code>
///  0  capability header: id 1, version 1     8  u32  areas 1     12  u32  0     16  u64  offset     24  u64  size
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct SparseMapCapability
{
    /// <summary>Size with one area.</summary>
    public const int SizeInBytes = 32;

    /// <summary><see cref="CapabilityHeader.Id"/> of this capability: VFIO_REGION_INFO_CAP_SPARSE_MMAP.</summary>
    public const ushort Id = 1;

    /// <summary><see cref="CapabilityHeader.Version"/> of this layout.</summary>
    public const ushort LayoutVersion = 1;

    /// <summary>Id, version, next.</summary>
    [FieldOffset(0)] public CapabilityHeader Header;

    /// <summary>How many areas follow.</summary>
    [FieldOffset(8)] public uint AreaCount;

    /// <summary>Where the first area starts in the region.</summary>
    [FieldOffset(16)] public ulong AreaOffset;

    /// <summary>Bytes of the first area.</summary>
    [FieldOffset(24)] public ulong AreaBytes;
}
