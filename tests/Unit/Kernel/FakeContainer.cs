using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>An open /dev/vfio/vfio: an address space, and the groups in it.</summary>
internal sealed class FakeContainer(FakeVfio kernel) : FakeFile
{
    private readonly Lock _gate = new();
    private readonly List<FakeGroup> _groups = [];
    private readonly SortedDictionary<ulong, MapDmaArgument> _mappings = [];
    private long _pinned;

    public VfioIommuType Iommu { get; private set; }

    /// <summary>What is mapped now.</summary>
    public IReadOnlyList<MapDmaArgument> Mappings
    {
        get
        {
            lock (_gate)
            {
                return [.. _mappings.Values];
            }
        }
    }

    public override int Control(uint request, Span<byte> argument)
    {
        lock (_gate)
        {
            switch (request)
            {
                case VfioRequest.IommuMapDma when Iommu != VfioIommuType.None:
                    Map(argument);
                    return 0;
                case VfioRequest.IommuUnmapDma when Iommu != VfioIommuType.None:
                    Unmap(argument);
                    return 0;
                default:
                    throw Unknown(request);
            }
        }
    }

    public override int ControlByValue(uint request, long argument)
    {
        lock (_gate)
        {
            switch (request)
            {
                case VfioRequest.GetApiVersion:
                    return kernel.ApiVersion;
                case VfioRequest.CheckExtension:
                    return kernel.IommuTypes.Contains(argument) ? 1 : 0;
                case VfioRequest.SetIommu:
                    SetIommu(argument);
                    return 0;
                default:
                    throw Unknown(request);
            }
        }
    }

    public override MappedMemory Map(long offset, int length) => throw Refused("mmap", "container", Errno.ENODEV);

    public void Attach(FakeGroup group)
    {
        lock (_gate)
        {
            _groups.Add(group);
        }
    }

    public void Detach(FakeGroup group)
    {
        lock (_gate)
        {
            foreach (MapDmaArgument map in _mappings.Values)
            {
                group.Device.Unmap(map);
            }

            _groups.Remove(group);
            if (_groups.Count == 0)
            {
                Clear();
            }
        }
    }

    public override void Dispose()
    {
        // Groups keep it alive.
    }

    /// <summary>Without an IOMMU the container itself answers.</summary>
    private LinuxException Unknown(uint request) => Refused("ioctl", $"0x{request:x}", Iommu == VfioIommuType.None ? Errno.EINVAL : Errno.ENOTTY);

    private void SetIommu(long type)
    {
        if (_groups.Count == 0 || Iommu != VfioIommuType.None)
        {
            throw Refused("ioctl", "VFIO_SET_IOMMU", Errno.EINVAL);
        }

        Iommu = kernel.IommuTypes.Contains(type) ? (VfioIommuType)type : throw Refused("ioctl", "VFIO_SET_IOMMU", Errno.ENODEV);
    }

    private void Map(Span<byte> argument)
    {
        var map = FakeVfio.ReadArgument<MapDmaArgument>(argument, MapDmaArgument.SizeInBytes);
        bool isAligned = ((map.Address | map.Iova | map.Bytes) & 4095) == 0;
        if (map.Bytes == 0 || !isAligned || (map.Access & ~DmaAccess.ReadWrite) != 0 || map.Access == 0
            || map.Iova + (map.Bytes - 1) < map.Iova || map.Address + (map.Bytes - 1) < map.Address)
        {
            throw Refused("ioctl", "VFIO_IOMMU_MAP_DMA", Errno.EINVAL);
        }

        if (_mappings.Values.Any(other => map.Iova < other.Iova + other.Bytes && other.Iova < map.Iova + map.Bytes))
        {
            throw Refused("ioctl", "VFIO_IOMMU_MAP_DMA", Errno.EEXIST);
        }

        if (_pinned + (long)map.Bytes > kernel.MemoryLimit)
        {
            throw Refused("ioctl", "VFIO_IOMMU_MAP_DMA", Errno.ENOMEM);
        }

        // Pages are pinned now, so that the address counts of this moment.
        foreach (FakeDevice device in Devices())
        {
            device.Map(map);
        }

        _mappings.Add(map.Iova, map);
        _pinned += (long)map.Bytes;
    }

    private void Unmap(Span<byte> argument)
    {
        var unmap = FakeVfio.ReadArgument<UnmapDmaArgument>(argument, UnmapDmaArgument.SizeInBytes);
        if (unmap.Bytes == 0 || ((unmap.Iova | unmap.Bytes) & 4095) != 0)
        {
            throw Refused("ioctl", "VFIO_IOMMU_UNMAP_DMA", Errno.EINVAL);
        }

        MapDmaArgument[] inside = [.. _mappings.Values.Where(map => map.Iova < unmap.Iova + unmap.Bytes && unmap.Iova < map.Iova + map.Bytes)];
        if (inside.Any(map => map.Iova < unmap.Iova || map.Iova + map.Bytes > unmap.Iova + unmap.Bytes))
        {
            throw Refused("ioctl", "VFIO_IOMMU_UNMAP_DMA", Errno.EINVAL);
        }

        unmap.Bytes = 0;
        foreach (MapDmaArgument map in inside)
        {
            Forget(map);
            unmap.Bytes += map.Bytes;
        }

        FakeVfio.WriteArgument(argument, unmap, UnmapDmaArgument.SizeInBytes);
    }

    private void Clear()
    {
        foreach (MapDmaArgument map in _mappings.Values.ToArray())
        {
            Forget(map);
        }

        Iommu = VfioIommuType.None;
    }

    private void Forget(in MapDmaArgument map)
    {
        _mappings.Remove(map.Iova);
        _pinned -= (long)map.Bytes;
        foreach (FakeDevice device in Devices())
        {
            device.Unmap(map);
        }
    }

    private IEnumerable<FakeDevice> Devices() => _groups.Select(static group => group.Device);
}
