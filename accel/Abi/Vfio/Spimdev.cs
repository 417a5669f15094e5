namespace WarpDrive.Abi.Vfio;

/// <summary>
/// WarpDrive's first form (2018), "share parent's IOMMU mediated device": a queue is a descriptor that the device's descriptor gives.
/// Source: linux/vfio_spimdev.h, drivers/vfio/spimdev/vfio_spimdev.c and drivers/crypto/hisilicon/qm.c of that series.
/// <code>
///  mmap offset 0        doorbells, one page
///  mmap offset 1 page   submission ring, 64 * 1024, and completion ring, 16 * 1024; no stop words. Later kernels of the series say in it, before it is used,
///                       0 u32 number of the queue, 4 u32 version of its doorbell; the host clears both words.
/// </code></summary>
public static class Spimdev
{
    /// <summary>Queue, _IOW('W', 1, unsigned long): milliseconds in the low 16 bits by value; 0 waits for ever. The result is not negative, whether one came or not.</summary>
    public const uint Wait = 0x40085701;

    /// <summary>Device, _IOW('W', 2, unsigned long): the process's PASID by value, 0 without; the result is the queue's descriptor.</summary>
    public const uint GetQueue = 0x40085702;

    /// <summary>Entries of each ring.</summary>
    public const int Depth = 1024;

    /// <summary>Size of both rings together, all that may be mapped there.</summary>
    public const int RingsSizeInBytes = Depth * (Hpre.SubmissionEntry.SizeInBytes + Hpre.CompletionEntry.SizeInBytes);

    /// <summary>Where the rings' memory says the queue's number.</summary>
    public const int QueueNumberOffset = 0;

    /// <summary>Where the rings' memory says the version of the doorbell; 0: it says nothing.</summary>
    public const int VersionOffset = 4;

    /// <summary>What <c>device_api</c> starts with; the version follows.</summary>
    public const string DeviceApi = "hisi_qm_v";
}

/// <summary>How a device reaches a process's memory: VFIO_SPIMDEV_DMA_*, in the attribute <c>dma_flag</c>.</summary>
[Flags]
public enum SpimdevDma
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>The one process's that has the device, as far as it is mapped.</summary>
    SingleProcess = 1,

    /// <summary>That of several processes, each by a number of its own (PASID), as far as it is mapped.</summary>
    MultipleProcesses = 2,

    /// <summary>All of it, by the process's page tables.</summary>
    SharedAddresses = 4,

    /// <summary>As <see cref="SharedAddresses"/>, but pages must be locked first.</summary>
    SharedAddressesWithoutFaults = 8,

    /// <summary>By physical addresses.</summary>
    Physical = 16,
}
