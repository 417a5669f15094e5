using System.Runtime.InteropServices;

namespace WarpDrive.Abi.VfioUser;

/// <summary>Payload of DEVICE_GET_REGION_IO_FDS and how its reply starts; <see cref="SubRegionIoFd"/> entries follow in the reply.
/// <code>
///  0  u32  argsz     4  u32  flags 0     8  u32  region     12  u32  entries (0 in the command)
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct RegionIoFdsPayload
{
    /// <summary>Size without entries.</summary>
    public const int SizeInBytes = 16;

    /// <summary>Command: room for the reply. Reply: the room that the whole of it needs.</summary>
    [FieldOffset(0)] public uint ArgumentSize;

    /// <summary>Zero.</summary>
    [FieldOffset(4)] public uint Flags;

    /// <summary>The region's number.</summary>
    [FieldOffset(8)] public uint Region;

    /// <summary>How many entries the region has.</summary>
    [FieldOffset(12)] public uint Count;
}

/// <summary>One range of a region whose stores a descriptor stands for.
/// <code>
///  0  u64  offset     16  u32  index of the descriptor     24  u32  flags 0
///  8  u64  size       20  u32  type: 0 ioeventfd           32  u64  datamatch
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct SubRegionIoFd
{
    /// <summary>Size of one entry.</summary>
    public const int SizeInBytes = 40;

    /// <summary><see cref="Type"/> of an ioeventfd.</summary>
    public const uint IoEventFd = 0;

    /// <summary>Where the range starts in the region.</summary>
    [FieldOffset(0)] public ulong Offset;

    /// <summary>Bytes of the range.</summary>
    [FieldOffset(8)] public ulong RangeBytes;

    /// <summary>Which of the descriptors that came with the reply.</summary>
    [FieldOffset(16)] public uint DescriptorIndex;

    /// <summary>What kind of descriptor.</summary>
    [FieldOffset(20)] public uint Type;

    /// <summary>Zero.</summary>
    [FieldOffset(24)] public uint Flags;

    /// <summary>The value that must be stored; without a flag that asks for it: any.</summary>
    [FieldOffset(32)] public ulong DataMatch;
}
