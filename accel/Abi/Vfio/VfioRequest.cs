namespace WarpDrive.Abi.Vfio;

/// <summary>
/// Requests of VFIO to the kernel, for ioctl(2): _IO(';', 100 + n), which carries no size; structures begin with theirs (argsz). Source: linux/vfio.h.
/// </summary>
public static class VfioRequest
{
    /// <summary>Container: nothing; the result is 0, the only version there is.</summary>
    public const uint GetApiVersion = 0x3b64;

    /// <summary>Container: the number of an IOMMU type or extension; the result is 1 when the kernel has it.</summary>
    public const uint CheckExtension = 0x3b65;

    /// <summary>Container, once it has a group: the number of an IOMMU type.</summary>
    public const uint SetIommu = 0x3b66;

    /// <summary>Group: <see cref="GroupStatusArgument"/>.</summary>
    public const uint GroupGetStatus = 0x3b67;

    /// <summary>Group: the descriptor of a container, an i32.</summary>
    public const uint GroupSetContainer = 0x3b68;

    /// <summary>Group: nothing.</summary>
    public const uint GroupUnsetContainer = 0x3b69;

    /// <summary>Group, once its container has an IOMMU: the device's name, NUL at the end; the result is a descriptor.</summary>
    public const uint GroupGetDeviceFd = 0x3b6a;

    /// <summary>Device: <see cref="DeviceInfoArgument"/>.</summary>
    public const uint DeviceGetInfo = 0x3b6b;

    /// <summary>Device: as <see cref="VfioUser.RegionInfoPayload"/>; the region stands in the device's own file at the offset.</summary>
    public const uint DeviceGetRegionInfo = 0x3b6c;

    /// <summary>Device: as <see cref="VfioUser.IrqInfoPayload"/>.</summary>
    public const uint DeviceGetIrqInfo = 0x3b6d;

    /// <summary>Device: as <see cref="VfioUser.SetIrqsPayload"/>, with the descriptors, i32 each, behind it.</summary>
    public const uint DeviceSetIrqs = 0x3b6e;

    /// <summary>Device: nothing.</summary>
    public const uint DeviceReset = 0x3b6f;

    /// <summary>Container: <see cref="MapDmaArgument"/>.</summary>
    public const uint IommuMapDma = 0x3b71;

    /// <summary>Container: <see cref="UnmapDmaArgument"/>.</summary>
    public const uint IommuUnmapDma = 0x3b72;

    /// <summary>Device: <see cref="IoEventFdArgument"/>.</summary>
    public const uint DeviceIoEventFd = 0x3b74;
}

/// <summary>What translates the addresses of a container's devices: VFIO_*_IOMMU (linux/vfio.h).</summary>
public enum VfioIommuType : uint
{
    /// <summary>No number of any type.</summary>
    None = 0,

    /// <summary>Addresses that the host maps.</summary>
    Type1 = 1,

    /// <summary>As <see cref="Type1"/>; takes back only whole mappings.</summary>
    Type1V2 = 3,

    /// <summary>Nothing does: physical addresses, which this driver never gives to a device.</summary>
    NoIommu = 8,
}
