using System.Runtime.InteropServices;
using WarpDrive.Abi.Device;
using WarpDrive.Abi.Vfio;
using WarpDrive.Abi.VfioUser;
using WarpDrive.Linux;

namespace WarpDrive.Driver.Devices;

/// <summary>
/// A device behind the kernel's VFIO: its regions stand in its file, its interrupts are eventfds that the kernel signals. The structures are those of
/// vfio-user, which took them from here; descriptors travel in them by their numbers, and memory by its address.
/// </summary>
internal sealed class VfioDevice : IVfioDevice
{
    private const int MaxRegionInfoRoom = 4096;

    // The largest region has 86016 bytes; what a driver says may not take up this process's addresses.
    private const int MaxMappedBytes = 1 << 24;

    // A store of 1 to "device asleep" wakes the device, and says nothing that is not so: it clears the word.
    private const uint WakeWidth = sizeof(uint);
    private const uint WakeValue = 1;

    private readonly MdevDevice _device;
    private readonly Dictionary<ulong, MappedMemory> _mappings = [];    // by IOVA: this process's own, which the kernel has pinned
    private readonly Dictionary<uint, byte[]> _regions = [];            // what the kernel said of each; it never changes
    private bool _isDisposed;

    /// <summary>Takes over one use of an open device.</summary>
    public VfioDevice(MdevDevice device) => _device = device;

    /// <summary>None: the kernel tells of the end of a device in no way that all have; calls to it fail then.</summary>
    public FileDescriptor? GoneSignal => null;

    /// <inheritdoc/>
    public bool IsGone
    {
        get
        {
            if (_isDisposed)
            {
                return true;
            }

            try
            {
                GetInfo();
                return false;
            }
            catch (LinuxException)
            {
                return true;
            }
        }
    }

    /// <inheritdoc/>
    public VfioDeviceInfo GetInfo()
    {
        var info = new DeviceInfoArgument { ArgumentSize = DeviceInfoArgument.SizeInBytes };
        Control(VfioRequest.DeviceGetInfo, AsBytes(ref info), "VFIO_DEVICE_GET_INFO");
        return new VfioDeviceInfo(info.Flags & VfioDeviceFlags.Reset, info.RegionCount, info.IrqCount);
    }

    /// <inheritdoc/>
    public VfioRegionInfo GetRegionInfo(uint region)
    {
        RegionInfoPayload info = Ask(region, out _);
        return new VfioRegionInfo(info.Flags & ~VfioRegionFlags.Capabilities, info.RegionBytes);
    }

    /// <inheritdoc/>
    public MappedMemory MapRegion(uint region)
    {
        RegionInfoPayload info = Ask(region, out byte[] capabilities);
        if ((info.Flags & VfioRegionFlags.Map) == 0)
        {
            throw new LinuxException("mmap", $"{_device.Uri}, region {region}, which cannot be mapped", Errno.EINVAL);
        }

        (ulong offset, ulong bytes) = FindArea(info, capabilities);
        if (offset != 0 || bytes is 0 or > MaxMappedBytes || bytes > info.RegionBytes || info.MapOffset > long.MaxValue)
        {
            throw new LinuxException(
                "mmap", $"{_device.Uri}, region {region}, of which {bytes} bytes at {offset} can be mapped; at 0, inside its {info.RegionBytes} bytes, at most {MaxMappedBytes} are allowed", Errno.EINVAL);
        }

        return _device.Calls.Map(_device.File, (long)info.MapOffset, (int)bytes);
    }

    /// <inheritdoc/>
    public EventFd GetRegionIoEventFd(uint region)
    {
        RegionInfoPayload info = Ask(region, out _);
        var eventFd = new EventFd();
        try
        {
            var argument = new IoEventFdArgument
            {
                ArgumentSize = IoEventFdArgument.SizeInBytes,
                Width = WakeWidth,
                Offset = info.MapOffset + ParavirtualDoorbell.DeviceAsleepOffset,
                Value = WakeValue,
                EventFd = eventFd.File.Number,
            };
            Control(VfioRequest.DeviceIoEventFd, AsBytes(ref argument), $"VFIO_DEVICE_IOEVENTFD, region {region}");
            return eventFd;
        }
        catch (LinuxException e)
        {
            eventFd.Dispose();
            if (e.Error == Errno.ENOTTY)
            {
                throw LinuxException.Explained($"{_device.Uri} takes no eventfd that wakes it (VFIO_DEVICE_IOEVENTFD, errno {e.Error}); a device that sleeps needs one.", e.Error);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public VfioIrqInfo GetIrqInfo(uint index)
    {
        var info = new IrqInfoPayload { ArgumentSize = IrqInfoPayload.SizeInBytes, Index = index };
        Control(VfioRequest.DeviceGetIrqInfo, AsBytes(ref info), $"VFIO_DEVICE_GET_IRQ_INFO, index {index}");
        return new VfioIrqInfo(info.Flags & VfioIrqFlags.EventFd, info.Count);
    }

    /// <inheritdoc/>
    public void SetIrq(uint index, EventFd? eventFd)
    {
        byte[] argument = new byte[SetIrqsPayload.SizeInBytes + (eventFd is null ? 0 : sizeof(int))];
        MemoryMarshal.Write(argument, new SetIrqsPayload
        {
            ArgumentSize = (uint)argument.Length,
            Flags = SetIrqsFlags.ActionTrigger | (eventFd is null ? SetIrqsFlags.DataNone : SetIrqsFlags.DataEventFd),
            Index = index,
            Count = eventFd is null ? 0u : 1u,
        });
        if (eventFd is not null)
        {
            MemoryMarshal.Write(argument.AsSpan(SetIrqsPayload.SizeInBytes), eventFd.File.Number);
        }

        Control(VfioRequest.DeviceSetIrqs, argument, $"VFIO_DEVICE_SET_IRQS, index {index}");
    }

    /// <inheritdoc/>
    public void ReadRegion(uint region, ulong offset, Span<byte> data) => _device.Calls.Read(_device.File, At(region, offset, data.Length), data);

    /// <inheritdoc/>
    public void WriteRegion(uint region, ulong offset, ReadOnlySpan<byte> data) => _device.Calls.Write(_device.File, At(region, offset, data.Length), data);

    /// <inheritdoc/>
    public void MapDma(FileDescriptor file, ulong fileOffset, ulong iova, ulong sizeBytes, DmaAccess access)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (sizeBytes is 0 or > int.MaxValue || fileOffset > long.MaxValue)
        {
            throw new LinuxException("VFIO_IOMMU_MAP_DMA", $"{sizeBytes} bytes at IOVA 0x{iova:x}; 1 to {int.MaxValue} are allowed", Errno.EINVAL);
        }

        // The kernel wants an address; where the owner has mapped the file is not known here.
        MappedMemory memory = MappedMemory.MapUnlockedSecret(file, (long)fileOffset, (int)sizeBytes);
        try
        {
            _device.Container.Map(memory.Address, iova, sizeBytes, access);
            _mappings.Add(iova, memory);
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void UnmapDma(ulong iova, ulong sizeBytes)
    {
        _device.Container.Unmap(iova, sizeBytes);
        if (_mappings.Remove(iova, out MappedMemory? memory))
        {
            memory.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Reset() => _device.Calls.ControlByValue(_device.File, VfioRequest.DeviceReset, 0, "VFIO_DEVICE_RESET");

    /// <summary>Stops the device, so that it works on nothing any more, takes the memory back, and closes the device when nobody else has it.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        try
        {
            Reset();
        }
        catch (LinuxException)
        {
            // Gone, or it knows no reset: the kernel stops it when it is closed, and until then it reaches only what stays mapped.
        }

        foreach ((ulong iova, MappedMemory memory) in _mappings)
        {
            _device.Container.Forget(iova, (ulong)memory.Length);
            memory.Dispose();
        }

        _device.Release();
    }

    private static Span<byte> AsBytes<T>(ref T argument)
        where T : unmanaged => MemoryMarshal.AsBytes(new Span<T>(ref argument));

    private void Control(uint request, Span<byte> argument, string name) => _device.Calls.Control(_device.File, request, argument, name);

    /// <summary>Where a place in a region is in the device's file.</summary>
    private long At(uint region, ulong offset, int length)
    {
        RegionInfoPayload info = Ask(region, out _);
        return offset <= info.RegionBytes && (ulong)length <= info.RegionBytes - offset && info.MapOffset <= long.MaxValue - info.RegionBytes
            ? (long)(info.MapOffset + offset)
            : throw new LinuxException("VFIO region", $"{_device.Uri}, region {region}, {length} bytes at 0x{offset:x}; the region has {info.RegionBytes} bytes", Errno.EINVAL);
    }

    private RegionInfoPayload Ask(uint region, out byte[] answer)
    {
        if (_regions.TryGetValue(region, out byte[]? known))
        {
            answer = known;
            return MemoryMarshal.Read<RegionInfoPayload>(known);
        }

        string name = $"VFIO_DEVICE_GET_REGION_INFO, region {region}";
        answer = new byte[RegionInfoPayload.SizeInBytes];
        RegionInfoPayload info = Ask(region, answer, name);
        if ((info.Flags & VfioRegionFlags.Capabilities) != 0 && info.ArgumentSize > answer.Length)
        {
            // More than there was room for: the kernel has said how much it needs.
            answer = new byte[(int)Math.Min(info.ArgumentSize, MaxRegionInfoRoom)];
            info = Ask(region, answer, name);
        }

        _regions[region] = answer;
        return info;
    }

    private RegionInfoPayload Ask(uint region, byte[] room, string name)
    {
        MemoryMarshal.Write(room, new RegionInfoPayload { ArgumentSize = (uint)room.Length, Region = region });
        Control(VfioRequest.DeviceGetRegionInfo, room, name);
        return MemoryMarshal.Read<RegionInfoPayload>(room);
    }

    /// <summary>The part of a region that can be mapped: the first area of the capability that says so; without one, all of it.</summary>
    private static (ulong Offset, ulong Bytes) FindArea(in RegionInfoPayload info, byte[] answer)
    {
        uint at = (info.Flags & VfioRegionFlags.Capabilities) != 0 ? info.CapabilityOffset : 0;

        // Forwards only: offsets that lead back would never end.
        uint least = RegionInfoPayload.SizeInBytes;
        while (at >= least && at <= answer.Length - CapabilityHeader.SizeInBytes)
        {
            ReadOnlySpan<byte> rest = answer.AsSpan((int)at);
            var header = MemoryMarshal.Read<CapabilityHeader>(rest);
            if (header is { Id: SparseMapCapability.Id, Version: SparseMapCapability.LayoutVersion } && rest.Length >= SparseMapCapability.SizeInBytes)
            {
                var areas = MemoryMarshal.Read<SparseMapCapability>(rest);
                return areas.AreaCount == 0 ? (0, 0) : (areas.AreaOffset, areas.AreaBytes);
            }

            least = at + CapabilityHeader.SizeInBytes;
            at = header.Next;
        }

        return (0, info.RegionBytes);
    }
}
