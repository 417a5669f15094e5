using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Abi.Vfio;
using WarpDrive.Emulator;
using WarpDrive.Emulator.Faults;
using WarpDrive.Engines;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>A device of the fake kernel: queues of the emulated accelerator, which see the memory that the device's container has mapped.</summary>
internal abstract class FakeDevice : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<VirtualQueue> _queues = [];
    private readonly List<MapDmaArgument> _mappings = [];

    protected FakeDevice(FaultPlan? faults = null) => Accelerator = new EmulatedAccelerator(
        new EmulatorOptions { SelfTest = false, Faults = faults }, static () => new ScalarEngine(), NullLogger.Instance);

    public EmulatedAccelerator Accelerator { get; }

    /// <summary>Whether the hardware is gone; calls fail with ENODEV then.</summary>
    public bool IsGone { get; set; }

    /// <summary>A descriptor of the device.</summary>
    public abstract FakeFile Open(FakeGroup group);

    /// <summary>The memory behind an address now becomes the devices'.</summary>
    public void Map(in MapDmaArgument map)
    {
        lock (_gate)
        {
            foreach (VirtualQueue queue in _queues)
            {
                Map(queue, map);
            }

            _mappings.Add(map);
        }
    }

    public void Unmap(MapDmaArgument map)
    {
        lock (_gate)
        {
            _mappings.RemoveAll(other => other.Iova == map.Iova);
            _queues.ForEach(queue => queue.UnmapDma(map.Iova, map.Bytes));
        }
    }

    public void Dispose() => Accelerator.Dispose();

    protected VirtualQueue OpenQueue()
    {
        lock (_gate)
        {
            VirtualQueue queue = Accelerator.OpenVirtualQueue();
            _queues.Add(queue);
            _mappings.ForEach(map => Map(queue, map));
            return queue;
        }
    }

    protected void CloseQueue(VirtualQueue queue)
    {
        lock (_gate)
        {
            _queues.Remove(queue);
            queue.Dispose();
        }
    }

    protected void ThrowIfGone(string call)
    {
        if (IsGone)
        {
            throw new LinuxException(call, "fake: device that is gone", Errno.ENODEV);
        }
    }

    private static void Map(VirtualQueue queue, in MapDmaArgument map)
    {
        if (ProcessMemory.Find(map.Address) is not { } found)
        {
            throw new LinuxException("ioctl", $"fake: 0x{map.Address:x}, which is no memory that can be shared", Errno.EFAULT);
        }

        using FileDescriptor file = found.File;
        ulong inside = map.Address - found.Start;
        if (inside + map.Bytes > found.SizeBytes)
        {
            throw new LinuxException("ioctl", $"fake: 0x{map.Address:x}, {map.Bytes} bytes, of which only a part is mapped", Errno.EFAULT);
        }

        queue.MapDma(file, found.FileOffset + inside, map.Iova, map.Bytes, map.Access);
    }
}
