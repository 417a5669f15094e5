using System.Runtime.InteropServices;
using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;

namespace WarpDrive.Driver.Devices;

/// <summary>
/// An address space of devices: the IOMMU groups that are in it see the same memory at the same addresses. Devices that are given the same container can work
/// on each other's buffers; what one maps costs nothing when another maps it too. Open while a device uses it. Any thread may call any member.
/// </summary>
public sealed class VfioContainer
{
    private const int ApiVersion = 0;

    private readonly IDeviceCalls _calls;
    private readonly DeviceTree _tree;
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Mapping> _mappings = [];     // by IOVA
    private FileDescriptor? _file;
    private int _groupCount;
    private VfioIommuType? _iommu;

    /// <summary>Nothing is opened yet.</summary>
    /// <param name="calls">The kernel.</param>
    /// <param name="tree">Where its files are.</param>
    public VfioContainer(IDeviceCalls calls, DeviceTree tree)
    {
        _calls = calls;
        _tree = tree;
    }

    /// <summary>Whether a group is in it.</summary>
    public bool IsOpen => Volatile.Read(ref _file) is not null;

    /// <summary>
    /// Puts a group into it, and opens it when it is the first. Each call that succeeds wants one of <see cref="Detach"/>, after the group is closed.
    /// </summary>
    /// <param name="group">The group's file.</param>
    /// <param name="name">Of the group.</param>
    /// <param name="wanted">What has to translate addresses; null: the best that the kernel has.</param>
    /// <exception cref="LinuxException">There is no VFIO, or this user may not use it, or the group is not free.</exception>
    internal void Attach(FileDescriptor group, string name, VfioIommuType? wanted)
    {
        lock (_gate)
        {
            FileDescriptor file = _file ?? Open();
            try
            {
                VfioIommuType type = Choose(file, wanted);
                RequireViable(group, name);
                Span<byte> number = stackalloc byte[sizeof(int)];
                MemoryMarshal.Write(number, file.Number);
                _calls.Control(group, VfioRequest.GroupSetContainer, number, "VFIO_GROUP_SET_CONTAINER");
                if (_iommu is null)
                {
                    // Only a container with a group takes it, and takes it once.
                    _calls.ControlByValue(file, VfioRequest.SetIommu, (long)type, "VFIO_SET_IOMMU");
                    _iommu = type;
                }

                _groupCount++;
                Volatile.Write(ref _file, file);
            }
            catch
            {
                if (_groupCount == 0)
                {
                    _calls.Close(file);
                }

                throw;
            }
        }
    }

    /// <summary>A group has left, and is closed: the last closes the container, which takes all mappings back.</summary>
    internal void Detach()
    {
        lock (_gate)
        {
            if (--_groupCount == 0)
            {
                _calls.Close(_file!);
                Volatile.Write(ref _file, null);
                _iommu = null;
                _mappings.Clear();
            }
        }
    }

    /// <summary>
    /// Lets every device of the container reach a part of this process's memory. What is mapped already exactly so is counted, and the kernel asked nothing.
    /// </summary>
    /// <param name="address">Where it is; whole pages.</param>
    /// <param name="iova">Where the devices find it.</param>
    /// <param name="sizeBytes">Whole pages.</param>
    /// <param name="access">What they may do.</param>
    /// <exception cref="LinuxException">
    /// ENOMEM: this process may not lock so much memory, the message says how much it needs; EEXIST: something else is mapped there.
    /// </exception>
    internal void Map(ulong address, ulong iova, ulong sizeBytes, DmaAccess access)
    {
        lock (_gate)
        {
            var mapping = new Mapping(address, sizeBytes, access, 1);
            if (_mappings.TryGetValue(iova, out Mapping known) && known with { Users = 1 } == mapping)
            {
                _mappings[iova] = known with { Users = known.Users + 1 };
                return;
            }

            var argument = new MapDmaArgument
            {
                ArgumentSize = MapDmaArgument.SizeInBytes,
                Access = access,
                Address = address,
                Iova = iova,
                Bytes = sizeBytes,
            };
            try
            {
                _calls.Control(_file!, VfioRequest.IommuMapDma, AsBytes(ref argument), $"VFIO_IOMMU_MAP_DMA, {sizeBytes} bytes at IOVA 0x{iova:x}");
            }
            catch (LinuxException e) when (e.Error == Errno.ENOMEM)
            {
                throw TooMuchMemory(sizeBytes);
            }

            _mappings[iova] = mapping;
        }
    }

    /// <summary>Takes back what was mapped exactly so; the last of its users takes it from the devices.</summary>
    /// <exception cref="LinuxException">ENOENT: nothing is mapped exactly so.</exception>
    internal void Unmap(ulong iova, ulong sizeBytes)
    {
        lock (_gate)
        {
            if (!_mappings.TryGetValue(iova, out Mapping mapping) || mapping.SizeBytes != sizeBytes)
            {
                throw NotMapped(iova, sizeBytes);
            }

            if (mapping.Users > 1)
            {
                _mappings[iova] = mapping with { Users = mapping.Users - 1 };
                return;
            }

            _mappings.Remove(iova);
            var argument = new UnmapDmaArgument { ArgumentSize = UnmapDmaArgument.SizeInBytes, Iova = iova, Bytes = sizeBytes };
            _calls.Control(_file!, VfioRequest.IommuUnmapDma, AsBytes(ref argument), $"VFIO_IOMMU_UNMAP_DMA, {sizeBytes} bytes at IOVA 0x{iova:x}");

            // The kernel calls it no error when there was nothing.
            if (argument.Bytes != sizeBytes)
            {
                throw NotMapped(iova, sizeBytes);
            }
        }
    }

    /// <summary>
    /// As <see cref="Unmap"/>, for who gives up the memory anyway. What the kernel does not take back stays pinned until the container closes, and nobody else gets it.
    /// </summary>
    internal void Forget(ulong iova, ulong sizeBytes)
    {
        try
        {
            Unmap(iova, sizeBytes);
        }
        catch (LinuxException)
        {
            // Nothing that could be done about it here.
        }
    }

    private static Span<byte> AsBytes<T>(ref T argument)
        where T : unmanaged => MemoryMarshal.AsBytes(new Span<T>(ref argument));

    private static LinuxException NotMapped(ulong iova, ulong sizeBytes) =>
        new("VFIO_IOMMU_UNMAP_DMA", $"{sizeBytes} bytes at IOVA 0x{iova:x}, which are not mapped so", Errno.ENOENT);

    private static LinuxException TooMuchMemory(ulong sizeBytes)
    {
        // The kernel counts a page that is both locked and mapped twice.
        long locked = LockedMemoryLimit.ReadLockedBytes();
        long needed = locked + (long)sizeBytes;
        string reason = LockedMemoryLimit.Read().Bytes is { } limit
            ? $"this process may lock {limit} bytes and has locked {locked}; allow {needed} or more ({LockedMemoryLimit.HowToAllow(needed)})"
            : "the kernel has no memory left";
        return LinuxException.Explained($"VFIO cannot map {sizeBytes} bytes for its devices (errno {Errno.ENOMEM}): {reason}.", Errno.ENOMEM);
    }

    private FileDescriptor Open()
    {
        FileDescriptor file = VfioFile.Open(_calls, _tree.Dev("vfio/vfio"));
        try
        {
            int version = _calls.ControlByValue(file, VfioRequest.GetApiVersion, 0, "VFIO_GET_API_VERSION");
            return version == ApiVersion
                ? file
                : throw LinuxException.Explained($"VFIO of this kernel has the version {version}; it must be {ApiVersion}.", Errno.EPROTO);
        }
        catch
        {
            _calls.Close(file);
            throw;
        }
    }

    private VfioIommuType Choose(FileDescriptor file, VfioIommuType? wanted)
    {
        if (_iommu is { } chosen)
        {
            return wanted is null || wanted == chosen
                ? chosen
                : throw LinuxException.Explained($"The device needs an IOMMU of type {(int)wanted}; the container that it would share has type {(int)chosen}.", Errno.EINVAL);
        }

        VfioIommuType[] types = wanted is { } one ? [one] : [VfioIommuType.Type1V2, VfioIommuType.Type1];
        foreach (VfioIommuType type in types)
        {
            if (type != VfioIommuType.NoIommu && _calls.ControlByValue(file, VfioRequest.CheckExtension, (long)type, "VFIO_CHECK_EXTENSION") > 0)
            {
                return type;
            }
        }

        throw LinuxException.Explained(
            $"VFIO of this machine has no IOMMU of type {string.Join(" or ", types.Select(static type => (int)type))} (1 and 3 are supported); load vfio_iommu_type1 and switch the IOMMU on.", Errno.ENODEV);
    }

    private void RequireViable(FileDescriptor group, string name)
    {
        var status = new GroupStatusArgument { ArgumentSize = GroupStatusArgument.SizeInBytes };
        _calls.Control(group, VfioRequest.GroupGetStatus, AsBytes(ref status), "VFIO_GROUP_GET_STATUS");
        if ((status.Flags & VfioGroupFlags.Viable) == 0)
        {
            throw LinuxException.Explained(
                $"VFIO group {name} is not viable: another device of the group belongs to a driver of the kernel; give all devices of the group to VFIO.", Errno.EPERM);
        }
    }

    private readonly record struct Mapping(ulong Address, ulong SizeBytes, DmaAccess Access, int Users);
}
