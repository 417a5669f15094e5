using WarpDrive.Linux;

namespace WarpDrive.Abi.Vfio;

/// <summary>
/// A device as VFIO presents it: regions, interrupts, DMA mappings, reset. The emulated device is one; the client of
/// vfio-user is one, at the other end of a socket; what a host does with either is the same.
/// Source: linux/vfio.h and the vfio-user specification. Calls are for one thread at a time and only for set-up:
/// operations travel through the mapped regions.
/// </summary>
/// <remarks>Every member throws <see cref="LinuxException"/> with the error number that the device refused with.</remarks>
public interface IVfioDevice : IDisposable
{
    /// <summary>
    /// Becomes readable or hung up when the device is gone; null when it lives in this process, where the completion interrupt and
    /// the stop words tell.
    /// Owned by the device.
    /// </summary>
    FileDescriptor? GoneSignal { get; }

    /// <summary>Whether the device is known to be gone. A system call when it is another process; any thread, any time.</summary>
    bool IsGone { get; }

    /// <summary>Number of regions and interrupt indices.</summary>
    VfioDeviceInfo GetInfo();

    /// <summary>Size and access of a region. EINVAL: no such region.</summary>
    VfioRegionInfo GetRegionInfo(uint region);

    /// <summary>Maps the shareable part of a region into this process; the caller disposes it. EINVAL: the region cannot be mapped.</summary>
    MappedMemory MapRegion(uint region);

    /// <summary>
    /// The eventfd that stands for a store to a doorbell word of a region (an ioeventfd): signalling it makes the
    /// device look. The caller owns and disposes it. EINVAL: the region has none.
    /// </summary>
    EventFd GetRegionIoEventFd(uint region);

    /// <summary>Number and properties of the interrupts of an index. EINVAL: no such index.</summary>
    VfioIrqInfo GetIrqInfo(uint index);

    /// <summary>
    /// Has the device signal <paramref name="eventFd"/> as interrupt 0 of the index; null disables it. The device keeps
    /// its own duplicate. EINVAL: no such index.
    /// </summary>
    void SetIrq(uint index, EventFd? eventFd);

    /// <summary>Reads from a region by message. EINVAL: not inside the region, or a width that the register refuses.</summary>
    void ReadRegion(uint region, ulong offset, Span<byte> data);

    /// <summary>Writes to a region by message, as a trapped store. EINVAL as for reads, or a value that the register refuses.</summary>
    void WriteRegion(uint region, ulong offset, ReadOnlySpan<byte> data);

    /// <summary>
    /// Announces host memory. EINVAL: unaligned, too short, or not sealed against shrinking; EEXIST: overlaps another
    /// mapping; ENOSPC: over the limit of mappings.
    /// </summary>
    /// <param name="file">The memory's file; the device maps it, the caller may close it.</param>
    /// <param name="fileOffset">Where the range starts in the file; page-aligned.</param>
    /// <param name="iova">The address that the device will use; page-aligned.</param>
    /// <param name="sizeBytes">Whole pages.</param>
    /// <param name="access">What the device may do.</param>
    void MapDma(FileDescriptor file, ulong fileOffset, ulong iova, ulong sizeBytes, DmaAccess access);

    /// <summary>Takes a mapping back; when this returns, the device touches it no more. ENOENT: no mapping with exactly this range.</summary>
    void UnmapDma(ulong iova, ulong sizeBytes);

    /// <summary>Stops the queue and forgets all that is in flight; mappings and interrupts stay.</summary>
    void Reset();
}
