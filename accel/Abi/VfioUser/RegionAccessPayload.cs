using System.Runtime.InteropServices;

namespace WarpDrive.Abi.VfioUser;

/// <summary>How the payload of REGION_READ and REGION_WRITE and of their replies starts; data follow in the write and in the read's reply.
/// <code>
///  0  u64  offset     8  u32  region     12  u32  count of data bytes
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct RegionAccessPayload
{
    /// <summary>Size without data.</summary>
    public const int SizeInBytes = 16;

    /// <summary>Where in the region.</summary>
    [FieldOffset(0)] public ulong Offset;

    /// <summary>The region's number.</summary>
    [FieldOffset(8)] public uint Region;

    /// <summary>Data bytes.</summary>
    [FieldOffset(12)] public uint Count;
}
