using System.Runtime.InteropServices;
using System.Text;
using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>An IOMMU group with one device in it, and its file.</summary>
internal sealed class FakeGroup(FakeKernel kernel, string name, string uuid, FakeDevice device)
{
    private readonly Lock _gate = new();
    private FakeContainer? _container;
    private bool _isOpen;       // until its file and those of its device are closed
    private int _userCount;     // open files: its own, and those of the device

    public string Name => name;

    public FakeKernel Kernel => kernel;

    public FakeDevice Device => device;

    /// <summary>Whether no device of it belongs to a driver of the kernel.</summary>
    public bool IsViable { get; set; } = true;

    /// <summary>The container that it is in.</summary>
    public FakeContainer? Container => _container;

    public FakeFile Open()
    {
        lock (_gate)
        {
            if (_isOpen)
            {
                throw new LinuxException("open", $"fake: group {name}", Errno.EBUSY);
            }

            (_isOpen, _userCount) = (true, 1);
            return new OpenGroup(this);
        }
    }

    /// <summary>As another process that has it open.</summary>
    public IDisposable Hold()
    {
        lock (_gate)
        {
            Assert.False(_isOpen);
            (_isOpen, _userCount) = (true, 1);
            return new Holder(this);
        }
    }

    /// <summary>One file less: its own, or one of the device.</summary>
    public void Release()
    {
        lock (_gate)
        {
            if (--_userCount == 0)
            {
                // The container outlives its descriptor for as long as a group is in it.
                _container?.Detach(this);
                (_container, _isOpen) = (null, false);
            }
        }
    }

    private sealed class Holder(FakeGroup group) : IDisposable
    {
        public void Dispose() => group.Release();
    }

    private sealed class OpenGroup(FakeGroup group) : FakeFile
    {
        public override int Control(uint request, Span<byte> argument)
        {
            lock (group._gate)
            {
                return request switch
                {
                    VfioRequest.GroupGetStatus => GetStatus(argument),
                    VfioRequest.GroupSetContainer => SetContainer(MemoryMarshal.Read<int>(argument)),
                    VfioRequest.GroupGetDeviceFd => GetDevice(argument),
                    _ => throw Refused("ioctl", $"0x{request:x}", Errno.ENOTTY),
                };
            }
        }

        public override int ControlByValue(uint request, long argument)
        {
            lock (group._gate)
            {
                return request == VfioRequest.GroupUnsetContainer ? UnsetContainer() : throw Refused("ioctl", $"0x{request:x}", Errno.ENOTTY);
            }
        }

        public override MappedMemory Map(long offset, int length) => throw Refused("mmap", "group", Errno.ENODEV);

        public override void Dispose() => group.Release();

        private int GetStatus(Span<byte> argument)
        {
            var status = FakeVfio.ReadArgument<GroupStatusArgument>(argument, GroupStatusArgument.SizeInBytes);
            status.Flags = (group.IsViable ? VfioGroupFlags.Viable : 0) | (group._container is null ? 0 : VfioGroupFlags.ContainerSet);
            FakeVfio.WriteArgument(argument, status, GroupStatusArgument.SizeInBytes);
            return 0;
        }

        private int SetContainer(int number)
        {
            if (group._container is not null)
            {
                throw Refused("ioctl", "VFIO_GROUP_SET_CONTAINER", Errno.EINVAL);
            }

            FakeFile file = group.Kernel.FindFile(number) ?? throw Refused("ioctl", "VFIO_GROUP_SET_CONTAINER", Errno.EBADF);
            if (file is not FakeContainer container)
            {
                throw Refused("ioctl", "VFIO_GROUP_SET_CONTAINER", Errno.EINVAL);
            }

            if (!group.IsViable)
            {
                throw Refused("ioctl", "VFIO_GROUP_SET_CONTAINER", Errno.EPERM);
            }

            container.Attach(group);
            group._container = container;
            foreach (MapDmaArgument map in container.Mappings)
            {
                group.Device.Map(map);
            }

            return 0;
        }

        private int UnsetContainer()
        {
            if (group._container is null)
            {
                throw Refused("ioctl", "VFIO_GROUP_UNSET_CONTAINER", Errno.EINVAL);
            }

            if (group._userCount > 1)
            {
                throw Refused("ioctl", "VFIO_GROUP_UNSET_CONTAINER", Errno.EBUSY);
            }

            group._container.Detach(group);
            group._container = null;
            return 0;
        }

        private int GetDevice(ReadOnlySpan<byte> argument)
        {
            if (Encoding.ASCII.GetString(argument[..argument.IndexOf((byte)0)]) != group.Uuid)
            {
                throw Refused("ioctl", "VFIO_GROUP_GET_DEVICE_FD", Errno.ENODEV);
            }

            if (group._container is null or { Iommu: VfioIommuType.None })
            {
                throw Refused("ioctl", "VFIO_GROUP_GET_DEVICE_FD", Errno.EINVAL);
            }

            group._userCount++;
            return group.Kernel.Install(group.Device.Open(group));
        }
    }

    private string Uuid => uuid;
}
