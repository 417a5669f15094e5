using System.Runtime.InteropServices;
using WarpDrive.Abi.Vfio;

namespace WarpDrive.Abi.VfioUser;

/// <summary>Payload of DEVICE_GET_INFO and of its reply; a command leaves all but the first word zero.
/// <code>
///  0  u32  argsz     4  u32  flags: 1 reset     8  u32  regions     12  u32  interrupt indices
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct DeviceInfoPayload
{
    /// <summary>Size of the payload.</summary>
    public const int SizeInBytes = 16;

    /// <summary>Command: room for the reply. Reply: its size.</summary>
    [FieldOffset(0)] public uint ArgumentSize;

    /// <summary>Properties.</summary>
    [FieldOffset(4)] public VfioDeviceFlags Flags;

    /// <summary>Regions are numbered from 0.</summary>
    [FieldOffset(8)] public uint RegionCount;

    /// <summary>Interrupt indices are numbered from 0.</summary>
    [FieldOffset(12)] public uint IrqCount;
}
