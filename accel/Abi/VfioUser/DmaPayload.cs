using System.Runtime.InteropServices;
using WarpDrive.Abi.Vfio;

namespace WarpDrive.Abi.VfioUser;

/// <summary>Payload of DMA_MAP; the memory's descriptor travels with it.
/// <code>
///  0  u32  argsz 32                       8  u64  file offset     24  u64  size
///  4  u32  flags: 1 read, 2 write,        16  u64  IOVA
///           4 may be mapped
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct DmaMapPayload
{
    /// <summary>Size of the payload.</summary>
    public const int SizeInBytes = 32;

    /// <summary>A flag of libvfio-user's clients: the server may map the file. It says what the descriptor says already.</summary>
    public const DmaAccess MayBeMapped = (DmaAccess)4;

    /// <summary><see cref="SizeInBytes"/>.</summary>
    [FieldOffset(0)] public uint ArgumentSize;

    /// <summary>What the device may do.</summary>
    [FieldOffset(4)] public DmaAccess Access;

    /// <summary>Where the range starts in the file.</summary>
    [FieldOffset(8)] public ulong FileOffset;

    /// <summary>The address that the device will use.</summary>
    [FieldOffset(16)] public ulong Iova;

    /// <summary>Bytes.</summary>
    [FieldOffset(24)] public ulong RangeBytes;
}

/// <summary>Payload of DMA_UNMAP and of its reply.
/// <code>
///  0  u32  argsz 24     4  u32  flags: 0, or 2 all     8  u64  IOVA     16  u64  size
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct DmaUnmapPayload
{
    /// <summary>Size of the payload.</summary>
    public const int SizeInBytes = 24;

    /// <summary>A flag: every mapping, with IOVA and size 0 (VFIO_DMA_UNMAP_FLAG_ALL).</summary>
    public const uint All = 2;

    /// <summary>Room for the reply: <see cref="SizeInBytes"/> or more.</summary>
    [FieldOffset(0)] public uint ArgumentSize;

    /// <summary>Zero or <see cref="All"/>.</summary>
    [FieldOffset(4)] public uint Flags;

    /// <summary>As it was mapped.</summary>
    [FieldOffset(8)] public ulong Iova;

    /// <summary>As it was mapped.</summary>
    [FieldOffset(16)] public ulong RangeBytes;
}
