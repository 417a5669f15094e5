using System.Runtime.InteropServices;
using WarpDrive.Abi.Vfio;

namespace WarpDrive.Abi.VfioUser;

/// <summary>Payload of DEVICE_GET_IRQ_INFO and of its reply.
/// <code>
///  0  u32  argsz     4  u32  flags: 1 eventfd     8  u32  index     12  u32  count
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct IrqInfoPayload
{
    /// <summary>Size of the payload.</summary>
    public const int SizeInBytes = 16;

    /// <summary>Command: room for the reply. Reply: its size.</summary>
    [FieldOffset(0)] public uint ArgumentSize;

    /// <summary>Properties.</summary>
    [FieldOffset(4)] public VfioIrqFlags Flags;

    /// <summary>The interrupt index.</summary>
    [FieldOffset(8)] public uint Index;

    /// <summary>How many interrupts it has.</summary>
    [FieldOffset(12)] public uint Count;
}

/// <summary>Bits of <see cref="SetIrqsPayload.Flags"/>: VFIO_IRQ_SET_* (linux/vfio.h); one kind of data, one action.</summary>
[Flags]
public enum SetIrqsFlags : uint
{
    /// <summary>Neither data nor action; refused.</summary>
    None = 0,

    /// <summary>No data.</summary>
    DataNone = 1,

    /// <summary>A byte for each interrupt behind the structure: 0 leaves it alone.</summary>
    DataBool = 2,

    /// <summary>Eventfds, which travel with the message.</summary>
    DataEventFd = 4,

    /// <summary>Action: what makes the interrupt fire, or what it fires.</summary>
    ActionTrigger = 0x20,
}

/// <summary>Payload of DEVICE_SET_IRQS; eventfds travel with it.
/// <code>
///  0  u32  argsz     4  u32  flags     8  u32  index     12  u32  start     16  u32  count
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct SetIrqsPayload
{
    /// <summary>Size of the payload.</summary>
    public const int SizeInBytes = 20;

    /// <summary>Size of the structure.</summary>
    [FieldOffset(0)] public uint ArgumentSize;

    /// <summary>Data and action.</summary>
    [FieldOffset(4)] public SetIrqsFlags Flags;

    /// <summary>The interrupt index.</summary>
    [FieldOffset(8)] public uint Index;

    /// <summary>The first interrupt of it.</summary>
    [FieldOffset(12)] public uint Start;

    /// <summary>How many.</summary>
    [FieldOffset(16)] public uint Count;
}
