using System.Runtime.InteropServices;
using WarpDrive.Abi.Vfio;
using WarpDrive.Abi.VfioUser;
using WarpDrive.Emulator;
using WarpDrive.Emulator.Faults;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>A device behind VFIO whose regions are those of accel/README.md.</summary>
internal sealed class FakeDatasheetDevice(FakeVfio vfio, FaultPlan? faults = null) : FakeDevice(faults)
{
    // As vfio-pci has them.
    private const int RegionShift = 40;

    /// <summary>How many areas the capability of mappable regions names.</summary>
    public uint AreaCount { get; set; } = 1;

    /// <summary>Whether the device can make stores for eventfds.</summary>
    public bool HasIoEventFds { get; set; } = true;

    public override FakeFile Open(FakeGroup group) => new DeviceFile(this, group);

    private int InfoBytes => vfio.DeviceInfoBytes;

    private sealed class DeviceFile : FakeFile
    {
        private readonly FakeDatasheetDevice _device;
        private readonly FakeGroup _group;
        private readonly VirtualQueue _queue;
        private readonly EventFd _stop = new();
        private readonly List<Thread> _storing = [];

        public DeviceFile(FakeDatasheetDevice device, FakeGroup group)
        {
            _device = device;
            _group = group;
            _queue = device.OpenQueue();
        }

        public override int Control(uint request, Span<byte> argument)
        {
            _device.ThrowIfGone("ioctl");
            switch (request)
            {
                case VfioRequest.DeviceGetInfo:
                    return GetInfo(argument);
                case VfioRequest.DeviceGetRegionInfo:
                    return GetRegionInfo(argument);
                case VfioRequest.DeviceGetIrqInfo:
                    return GetIrqInfo(argument);
                case VfioRequest.DeviceSetIrqs:
                    return SetIrqs(argument);
                case VfioRequest.DeviceIoEventFd when _device.HasIoEventFds:
                    return AddStore(argument);
                default:
                    throw Refused("ioctl", $"0x{request:x}", Errno.ENOTTY);
            }
        }

        public override int ControlByValue(uint request, long argument)
        {
            _device.ThrowIfGone("ioctl");
            if (request != VfioRequest.DeviceReset)
            {
                throw Refused("ioctl", $"0x{request:x}", Errno.ENOTTY);
            }

            _queue.Reset();
            return 0;
        }

        public override void Read(long offset, Span<byte> data)
        {
            _device.ThrowIfGone("pread");
            _queue.ReadRegion((uint)(offset >> RegionShift), (ulong)offset & ((1UL << RegionShift) - 1), data);
        }

        public override void Write(long offset, ReadOnlySpan<byte> data)
        {
            _device.ThrowIfGone("pwrite");
            _queue.WriteRegion((uint)(offset >> RegionShift), (ulong)offset & ((1UL << RegionShift) - 1), data);
        }

        public override MappedMemory Map(long offset, int length)
        {
            _device.ThrowIfGone("mmap");
            FileDescriptor file = _queue.GetRegionFile((uint)(offset >> RegionShift)) ?? throw Refused("mmap", $"{length} bytes at {offset}", Errno.EINVAL);
            long inside = offset & ((1L << RegionShift) - 1);
            return inside + length <= file.GetSizeBytes()
                ? MappedMemory.MapShared(file, inside, length, writable: true, secret: false)
                : throw Refused("mmap", $"{length} bytes at {offset}", Errno.EINVAL);
        }

        public override void Dispose()
        {
            _stop.Signal();
            _storing.ForEach(static thread => thread.Join());
            _device.CloseQueue(_queue);
            _stop.Dispose();
            _group.Release();
        }

        private int GetInfo(Span<byte> argument)
        {
            var info = FakeVfio.ReadArgument<DeviceInfoArgument>(argument, DeviceInfoArgument.LeastSizeInBytes);
            VfioDeviceInfo said = _queue.GetInfo();
            int bytes = Math.Min((int)info.ArgumentSize, _device.InfoBytes);

            // Other flags than the driver knows must not matter: bit 2, a platform device.
            info = new DeviceInfoArgument { ArgumentSize = (uint)bytes, Flags = said.Flags | (VfioDeviceFlags)4, RegionCount = said.RegionCount, IrqCount = said.IrqCount };
            FakeVfio.WriteArgument(argument, info, bytes);
            return 0;
        }

        private int GetRegionInfo(Span<byte> argument)
        {
            var info = FakeVfio.ReadArgument<RegionInfoPayload>(argument, RegionInfoPayload.SizeInBytes);
            uint room = info.ArgumentSize;
            VfioRegionInfo said = _queue.GetRegionInfo(info.Region);
            bool isMappable = (said.Flags & VfioRegionFlags.Map) != 0;
            info = new RegionInfoPayload
            {
                ArgumentSize = (uint)(RegionInfoPayload.SizeInBytes + (isMappable ? SparseMapCapability.SizeInBytes : 0)),
                Flags = said.Flags | (isMappable ? VfioRegionFlags.Capabilities : 0),
                Region = info.Region,
                RegionBytes = said.SizeBytes,
                MapOffset = (ulong)info.Region << RegionShift,
            };
            if (isMappable && room >= info.ArgumentSize)
            {
                info.CapabilityOffset = RegionInfoPayload.SizeInBytes;
                FakeVfio.WriteArgument(argument[RegionInfoPayload.SizeInBytes..], new SparseMapCapability
                {
                    Header = new CapabilityHeader { Id = SparseMapCapability.Id, Version = SparseMapCapability.LayoutVersion },
                    AreaCount = _device.AreaCount,
                    AreaBytes = said.SizeBytes,
                }, SparseMapCapability.SizeInBytes);
            }

            FakeVfio.WriteArgument(argument, info, RegionInfoPayload.SizeInBytes);
            return 0;
        }

        private int GetIrqInfo(Span<byte> argument)
        {
            var info = FakeVfio.ReadArgument<IrqInfoPayload>(argument, IrqInfoPayload.SizeInBytes);
            VfioIrqInfo said = _queue.GetIrqInfo(info.Index);
            (info.Flags, info.Count) = (said.Flags, said.Count);
            FakeVfio.WriteArgument(argument, info, IrqInfoPayload.SizeInBytes);
            return 0;
        }

        private int SetIrqs(Span<byte> argument)
        {
            var set = FakeVfio.ReadArgument<SetIrqsPayload>(argument, SetIrqsPayload.SizeInBytes);
            bool hasData = (set.Flags & SetIrqsFlags.DataEventFd) != 0;
            if (set.Start + set.Count > 1 || (set.Flags & SetIrqsFlags.ActionTrigger) == 0
                || (hasData ? set.ArgumentSize < SetIrqsPayload.SizeInBytes + (sizeof(int) * set.Count) : set.Count != 0))
            {
                throw Refused("ioctl", "VFIO_DEVICE_SET_IRQS", Errno.EINVAL);
            }

            int number = hasData && set.Count > 0 ? MemoryMarshal.Read<int>(argument[SetIrqsPayload.SizeInBytes..]) : -1;
            using EventFd? eventFd = number < 0 ? null : Duplicate(number);
            _queue.SetIrq(set.Index, eventFd);
            return 0;
        }

        private int AddStore(Span<byte> argument)
        {
            var store = FakeVfio.ReadArgument<IoEventFdArgument>(argument, IoEventFdArgument.SizeInBytes - sizeof(int));
            if (store.Width is not (1 or 2 or 4 or 8) || store.EventFd < 0)
            {
                throw Refused("ioctl", "VFIO_DEVICE_IOEVENTFD", Errno.EINVAL);
            }

            EventFd eventFd = Duplicate(store.EventFd);
            var thread = new Thread(() => Store(eventFd, store)) { IsBackground = true, Name = "fake-ioeventfd" };
            thread.Start();
            _storing.Add(thread);
            return 0;
        }

        private void Store(EventFd eventFd, IoEventFdArgument store)
        {
            Span<byte> value = stackalloc byte[sizeof(ulong)];
            MemoryMarshal.Write(value, store.Value);
            while (true)
            {
                int ready = Poll.WaitReadable(eventFd.File, _stop.File, TimeSpan.FromHours(1));
                if ((ready & 2) != 0)
                {
                    break;
                }

                if ((ready & 1) != 0 && eventFd.TryConsume())
                {
                    Write((long)store.Offset, value[..(int)store.Width]);
                }
            }

            eventFd.Dispose();
        }

        private static EventFd Duplicate(int number)
        {
            int copy = Libc.fcntl(number, Libc.F_DUPFD_CLOEXEC, 0);
            return copy < 0 ? throw Refused("ioctl", "eventfd", Errno.EBADF) : EventFd.Adopt(new FileDescriptor(copy));
        }
    }
}
