namespace WarpDrive.Abi.Vfio;

/// <summary>Flags of a region: VFIO_REGION_INFO_FLAG_* (linux/vfio.h).</summary>
[Flags]
public enum VfioRegionFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Can be read.</summary>
    Read = 1,

    /// <summary>Can be written.</summary>
    Write = 2,

    /// <summary>Can be mapped.</summary>
    Map = 4,

    /// <summary>Capabilities follow the structure.</summary>
    Capabilities = 8,
}

/// <summary>Flags of an interrupt index: VFIO_IRQ_INFO_* (linux/vfio.h).</summary>
[Flags]
public enum VfioIrqFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Can be signalled through an eventfd.</summary>
    EventFd = 1,
}

/// <summary>Flags of a device: VFIO_DEVICE_FLAGS_* (linux/vfio.h).</summary>
[Flags]
public enum VfioDeviceFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Can be reset.</summary>
    Reset = 1,
}

/// <summary>What a device consists of.</summary>
/// <param name="Flags">Properties.</param>
/// <param name="RegionCount">Regions are numbered from 0.</param>
/// <param name="IrqCount">Interrupt indices are numbered from 0.</param>
public readonly record struct VfioDeviceInfo(VfioDeviceFlags Flags, uint RegionCount, uint IrqCount);

/// <summary>A region.</summary>
/// <param name="Flags">Access.</param>
/// <param name="SizeBytes">Size; 0: the region is absent.</param>
public readonly record struct VfioRegionInfo(VfioRegionFlags Flags, ulong SizeBytes);

/// <summary>An interrupt index.</summary>
/// <param name="Flags">Properties.</param>
/// <param name="Count">How many interrupts it has.</param>
public readonly record struct VfioIrqInfo(VfioIrqFlags Flags, uint Count);
