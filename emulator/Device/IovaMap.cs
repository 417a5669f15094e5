using System.Diagnostics;
using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;

namespace WarpDrive.Emulator;

/// <summary>
/// What one queue may reach: ranges of I/O virtual addresses (IOVA) and the client's memory behind them, in the order of
/// their addresses. Not synchronised; its queue's lock guards it. A span that <see cref="TryTranslate"/> gave is valid only
/// while that lock is held.
/// </summary>
internal sealed class IovaMap : IDisposable
{
    private const ulong PageSizeBytes = 4096;

    private readonly int _maxMaps;
    private readonly ulong _maxBytes;
    private readonly MappingBudget? _budget;
    private Mapping[] _mappings = [];
    private int _count;
    private ulong _mappedBytes;

    /// <summary>
    /// An empty map that takes at most <paramref name="maxMaps"/> ranges of <paramref name="maxBytes"/> together, and no more than
    /// <paramref name="budget"/> has left for all maps.
    /// </summary>
    public IovaMap(int maxMaps, long maxBytes, MappingBudget? budget = null)
    {
        _budget = budget;
        Debug.Assert(maxMaps > 0 && maxBytes is > 0 and <= int.MaxValue);
        _maxMaps = maxMaps;
        _maxBytes = (ulong)maxBytes;
    }

    /// <summary>How many ranges are mapped.</summary>
    public int Count => _count;

    /// <summary>Checks a request that does not depend on what is mapped already, and maps the file.</summary>
    /// <remarks>Needs no lock, and should have none: it makes a dozen system calls. None of them waits for whoever made the file.</remarks>
    /// <exception cref="LinuxException">EINVAL: unaligned, empty, past the address space or the file, no access, or not sealed;
    /// ENOSPC: more bytes than any queue may map; or what mmap refused with.</exception>
    public MappedMemory MapFile(FileDescriptor file, ulong fileOffset, ulong iova, ulong sizeBytes, DmaAccess access)
    {
        if (sizeBytes == 0 || ((fileOffset | iova | sizeBytes) & (PageSizeBytes - 1)) != 0)
        {
            throw Refused(iova, sizeBytes, $"file offset 0x{fileOffset:x}; all three must be multiples of 4096 and the size not 0", Errno.EINVAL);
        }

        if (iova > ulong.MaxValue - (sizeBytes - 1))
        {
            throw Refused(iova, sizeBytes, "ends behind the last address", Errno.EINVAL);
        }

        if ((access & ~DmaAccess.ReadWrite) != 0 || access == DmaAccess.None)
        {
            throw Refused(iova, sizeBytes, $"access {(uint)access}; allowed are 1 read, 2 write, 3 both", Errno.EINVAL);
        }

        if (sizeBytes > _maxBytes)
        {
            throw Refused(iova, sizeBytes, $"a queue may map {_maxBytes} bytes", Errno.ENOSPC);
        }

        // The seal first: the size that is read after it can only grow.
        if (!SharedMemory.IsSealedAgainstShrinking(file))
        {
            throw Refused(iova, sizeBytes, "the file is not sealed against shrinking", Errno.EINVAL);
        }

        if (SharedMemory.IsOfHugePages(file))
        {
            throw Refused(iova, sizeBytes, "the file is made of huge pages", Errno.EINVAL);
        }

        long fileBytes = file.GetSizeBytes();
        if (fileBytes < 0 || fileOffset > (ulong)fileBytes || sizeBytes > (ulong)fileBytes - fileOffset)
        {
            throw Refused(iova, sizeBytes, $"file offset 0x{fileOffset:x}; the file has {fileBytes} bytes", Errno.EINVAL);
        }

        bool writable = (access & DmaAccess.Write) != 0;
        return MappedMemory.MapForeignSecret(file, (long)fileOffset, (int)sizeBytes, writable);
    }

    /// <summary>Takes memory that <see cref="MapFile"/> mapped into the map, and owns it from then on.</summary>
    /// <exception cref="LinuxException">EEXIST: the range overlaps another; ENOSPC: too many ranges or bytes. The caller still owns the memory.</exception>
    public void Add(ulong iova, MappedMemory memory, DmaAccess access)
    {
        var sizeBytes = (ulong)memory.Length;
        int at = FindLastAtOrBelow(iova) + 1;
        bool overlapsBelow = at > 0 && iova - _mappings[at - 1].Iova < _mappings[at - 1].SizeBytes;
        bool overlapsAbove = at < _count && _mappings[at].Iova - iova < sizeBytes;
        if (overlapsBelow || overlapsAbove)
        {
            throw Refused(iova, sizeBytes, "overlaps a mapping", Errno.EEXIST);
        }

        if (_count == _maxMaps)
        {
            throw Refused(iova, sizeBytes, $"the queue has its {_maxMaps} mappings already", Errno.ENOSPC);
        }

        if (sizeBytes > _maxBytes - _mappedBytes)
        {
            throw Refused(iova, sizeBytes, $"the queue has mapped {_mappedBytes} of {_maxBytes} bytes", Errno.ENOSPC);
        }

        if (_budget is not null && !_budget.TryTake(memory.Length))
        {
            throw Refused(iova, sizeBytes, $"all queues together have mapped {_budget.MappedBytes} bytes, and may have no more", Errno.ENOSPC);
        }

        if (_count == _mappings.Length)
        {
            Array.Resize(ref _mappings, Math.Min(_maxMaps, Math.Max(4, 2 * _count)));
        }

        Array.Copy(_mappings, at, _mappings, at + 1, _count - at);
        _mappings[at] = new Mapping(iova, sizeBytes, access, memory);
        _count++;
        _mappedBytes += sizeBytes;
    }

    /// <summary>Takes a range out of the map; the caller disposes its memory.</summary>
    /// <exception cref="LinuxException">ENOENT: no mapping has exactly this range.</exception>
    public MappedMemory Remove(ulong iova, ulong sizeBytes)
    {
        int at = FindLastAtOrBelow(iova);
        if (at < 0 || _mappings[at].Iova != iova || _mappings[at].SizeBytes != sizeBytes)
        {
            throw new LinuxException("DMA_UNMAP", $"iova 0x{iova:x}, {sizeBytes} bytes: no mapping has exactly this range", Errno.ENOENT);
        }

        MappedMemory memory = _mappings[at].Memory;
        _count--;
        Array.Copy(_mappings, at + 1, _mappings, at, _count - at);
        _mappings[_count] = default;
        _mappedBytes -= sizeBytes;
        _budget?.Return((long)sizeBytes);
        return memory;
    }

    /// <summary>Takes every range out of the map; the caller disposes their memory.</summary>
    public MappedMemory[] RemoveAll()
    {
        MappedMemory[] memories = [.. _mappings.AsSpan(0, _count).ToArray().Select(static mapping => mapping.Memory)];
        _budget?.Return((long)_mappedBytes);
        _mappings = [];
        _count = 0;
        _mappedBytes = 0;
        return memories;
    }

    /// <summary>The client's memory at <paramref name="iova"/>, when the whole range lies in one mapping with this access.</summary>
    public bool TryTranslate(ulong iova, int length, DmaAccess access, out Span<byte> memory)
    {
        int at = FindLastAtOrBelow(iova);
        if (at >= 0)
        {
            ref readonly Mapping mapping = ref _mappings[at];
            ulong offset = iova - mapping.Iova;

            // Subtractions only: nothing here can wrap round, whatever the client wrote.
            if (offset < mapping.SizeBytes && (ulong)length <= mapping.SizeBytes - offset && (mapping.Access & access) == access)
            {
                memory = mapping.Memory.Slice((int)offset, length);
                return true;
            }
        }

        memory = default;
        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (MappedMemory memory in RemoveAll())
        {
            memory.Dispose();
        }
    }

    private static LinuxException Refused(ulong iova, ulong sizeBytes, string why, int error) =>
        new("DMA_MAP", $"iova 0x{iova:x}, {sizeBytes} bytes: {why}", error);

    /// <summary>Index of the last mapping that starts at or below an address; -1: none does.</summary>
    private int FindLastAtOrBelow(ulong iova)
    {
        int low = 0;
        int high = _count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_mappings[middle].Iova <= iova)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low - 1;
    }

    private readonly record struct Mapping(ulong Iova, ulong SizeBytes, DmaAccess Access, MappedMemory Memory);
}
