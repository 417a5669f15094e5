namespace WarpDrive.Abi.Uacce;

/// <summary>What the file of a queue offers to mmap(2), each once: the offset is the region's number in pages. Source: Linux drivers/misc/uacce/uacce.c.</summary>
public static class UacceRegion
{
    /// <summary>Doorbells. At most as long as the attribute <c>region_mmio_size</c> says.</summary>
    public const int Mmio = 0;

    /// <summary>Device-user-share: the rings and the stop words. Exactly as long as the attribute <c>region_dus_size</c> says.</summary>
    public const int Dus = 1;

    /// <summary>Static share: memory for keys and data, for devices without shared virtual addresses. Not in every kernel. As long as it is asked for.</summary>
    public const int StaticShare = 2;

    /// <summary>Where a region starts.</summary>
    public static long Offset(int region) => (long)region * Environment.SystemPageSize;
}
