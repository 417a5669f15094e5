namespace WarpDrive.Abi.Uacce;

/// <summary>The attribute <c>flags</c> of a device. Sources: Linux include/uapi/misc/uacce/uacce.h for the first; the others are of kernels with static share.</summary>
[Flags]
public enum UacceFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Shared virtual addresses: the device uses the page tables of the process, and faults pages in.</summary>
    SharedAddresses = 1,

    /// <summary>No I/O memory management unit: the device uses physical addresses.</summary>
    NoIommu = 1 << 1,

    /// <summary>An I/O memory management unit makes the static-share region contiguous for the device.</summary>
    Iommu = 1 << 7,
}
