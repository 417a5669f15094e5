using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Uacce;
using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;

namespace WarpDrive.Driver.Devices;

/// <summary>
/// One queue of a device of WarpDrive's first form: a descriptor that the mediated device gives, whose rings and doorbell are mapped, and which a request waits
/// on. The device finds memory at the addresses that it has in this process. Owned by one <see cref="QueuePair"/>; not for two threads at once.
/// </summary>
internal sealed class SpimdevQueue : DeviceQueue
{
    // The first kernels of the series never say that a completion came, and end a wait only when its time is over.
    private const int LongestWaitMilliseconds = 1;

    // The hardware has all four.
    private const uint AllKeySizes = 0b1111;

    private readonly MdevDevice _device;
    private readonly FileDescriptor _queue;
    private readonly MappedMemory _doorbells;
    private readonly QueueManagerApi _api;      // of the doorbell
    private readonly List<(ulong Iova, ulong Bytes)> _mappings = [];
    private uint _head;             // of completions, as the device was told last
    private volatile bool _isDead;  // the kernel says so

    private SpimdevQueue(MdevDevice device, FileDescriptor queue, MappedMemory rings, MappedMemory doorbells, QueueManagerApi api, ushort number)
    {
        _device = device;
        _queue = queue;
        _doorbells = doorbells;
        _api = api;
        QueueNumber = number;
        Rings = rings;
        EngineName = $"{device.Description.Type} ({device.Description.DeviceApi})";
    }

    /// <inheritdoc/>
    public override MappedMemory Rings { get; }

    /// <inheritdoc/>
    public override int Depth => Spimdev.Depth;

    /// <inheritdoc/>
    public override ushort QueueNumber { get; }

    /// <inheritdoc/>
    public override string EngineName { get; }

    /// <inheritdoc/>
    public override int EngineCount => 1;

    /// <inheritdoc/>
    public override int EngineLanes => 1;

    /// <inheritdoc/>
    public override uint KeySizes => AllKeySizes;

    /// <summary>These rings have no stop words; only a wait tells.</summary>
    public override bool IsStopped => _isDead;

    /// <inheritdoc/>
    public override bool IsGone => _isDead;

    /// <summary>Version 2 has a page of its own for it, of which the kernel of this series maps only that page.</summary>
    private int DoorbellOffset => _api.Version == 1 ? _api.DoorbellOffset : 0;

    /// <summary>Takes a queue of the device and maps it.</summary>
    /// <param name="device">One use of it becomes the result's, and is released when this fails.</param>
    /// <param name="openQueues">How many others this process has of it.</param>
    /// <exception cref="LinuxException">The device has no queue left, or refused.</exception>
    /// <exception cref="AcceleratorException">Its doorbell is of a version that this driver does not know.</exception>
    public static SpimdevQueue Open(MdevDevice device, int openQueues)
    {
        IDeviceCalls calls = device.Calls;
        FileDescriptor? queue = null;
        MappedMemory? rings = null;
        MappedMemory? doorbells = null;
        try
        {
            queue = GetQueue(device);
            rings = calls.Map(queue, Environment.SystemPageSize, Spimdev.RingsSizeInBytes);
            doorbells = calls.Map(queue, 0, Environment.SystemPageSize);
            (QueueManagerApi api, ushort number) = ReadDoorbell(device.Description, rings, openQueues);
            return new SpimdevQueue(device, queue, rings, doorbells, api, number);
        }
        catch
        {
            if (doorbells is not null)
            {
                calls.Unmap(doorbells);
            }

            if (rings is not null)
            {
                calls.Unmap(rings);
            }

            if (queue is not null)
            {
                calls.Close(queue);
            }

            device.Release();
            throw;
        }
    }

    /// <summary>The kernel has started the queue before it gave it; what is left is to forget what the rings' memory said of it.</summary>
    public override void Start() => Rings.GetSpan().Clear();

    /// <inheritdoc/>
    public override DmaAddresses MapDma(DmaMemory memory, int offset, int sizeBytes, DmaAccess access)
    {
        ArgumentNullException.ThrowIfNull(memory);
        if (memory.DeviceAddresses is not null)
        {
            throw new AcceleratorException("A device behind VFIO cannot reach memory that another device allocated.");
        }

        ulong address = memory.Memory.Address + (ulong)offset;
        _device.Container.Map(address, address, (ulong)sizeBytes, access);
        _mappings.Add((address, (ulong)sizeBytes));
        return DmaAddresses.Contiguous(address, sizeBytes);
    }

    /// <inheritdoc/>
    public override void RingSubmission(uint tail) => Ring(DoorbellCommand.Submission, tail, interrupt: false);

    /// <inheritdoc/>
    public override void RingCompletion(uint head)
    {
        _head = head;
        Ring(DoorbellCommand.Completion, head, interrupt: false);
    }

    /// <inheritdoc/>
    public override void RequestInterrupt()
    {
        Ring(DoorbellCommand.Completion, _head, interrupt: true);

        // Full barrier: the request is stored before the ring is looked at again.
        Interlocked.MemoryBarrier();
    }

    /// <inheritdoc/>
    public override bool Sleep(TimeSpan timeout)
    {
        // Never 0, which has no end.
        long milliseconds = Math.Clamp((long)timeout.TotalMilliseconds, 1, LongestWaitMilliseconds);
        try
        {
            return _device.Calls.ControlByValue(_queue, Spimdev.Wait, milliseconds, "VFIO_SPIMDEV_CMD_WAIT") > 0;
        }
        catch (LinuxException e) when (e.Error == Errno.EINTR)
        {
            return false;
        }
        catch (LinuxException)
        {
            _isDead = true;
            return false;
        }
    }

    /// <summary>Nothing to take back: an interrupt that nobody waits for wakes nobody.</summary>
    public override void CancelInterrupt()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        IDeviceCalls calls = _device.Calls;
        calls.Unmap(_doorbells);
        calls.Unmap(Rings);

        // First the queue, so that the hardware works on nothing any more, then the memory that it worked on.
        calls.Close(_queue);
        foreach ((ulong iova, ulong bytes) in _mappings)
        {
            _device.Container.Forget(iova, bytes);
        }

        _device.Release();
    }

    private static FileDescriptor GetQueue(MdevDevice device)
    {
        try
        {
            return new FileDescriptor(device.Calls.ControlByValue(device.File, Spimdev.GetQueue, 0, "VFIO_SPIMDEV_CMD_GET_Q"));
        }
        catch (LinuxException e) when (e.Error is Errno.ENODEV or Errno.EBUSY or Errno.ENOSPC or Errno.EUSERS)
        {
            // The first kernels say ENODEV, whatever the reason.
            throw LinuxException.Explained($"{device.Uri} has no queue left (errno {e.Error}); available_instances of its type says how many there are.", e.Error);
        }
    }

    /// <summary>Number and doorbell of a queue, as far as the kernel says them.</summary>
    private static (QueueManagerApi Api, ushort Number) ReadDoorbell(MdevDescription description, MappedMemory rings, int openQueues)
    {
        uint number = rings.At<uint>(Spimdev.QueueNumberOffset);
        uint version = rings.At<uint>(Spimdev.VersionOffset);
        if (version == 0)
        {
            // The first kernels say nothing: the queue that is given first has number 0, and of others nobody knows.
            if (openQueues > 0)
            {
                throw LinuxException.Explained(
                    $"Mediated device {description.Uuid} serves one queue only, since its kernel does not say the numbers of others (errno {Errno.ENOSPC}).", Errno.ENOSPC);
            }

            number = 0;
            version = description.DeviceApi == Spimdev.DeviceApi + "1" ? 1u : 2u;
        }

        return version is 1 or 2 && number <= ushort.MaxValue
            ? (new QueueManagerApi((int)version), (ushort)number)
            : throw new AcceleratorException(
                $"Mediated device {description.Uuid} says that its queue has number {number} and a doorbell of version {version}; allowed are 0 to {ushort.MaxValue}, and 1 or 2.");
    }

    private void Ring(DoorbellCommand command, uint index, bool interrupt)
    {
        // Full barrier: entries are visible to the device before the doorbell that covers them, which is no memory.
        Interlocked.MemoryBarrier();
        Volatile.Write(ref _doorbells.At<ulong>(DoorbellOffset), _api.Encode(new Doorbell(QueueNumber, command, (ushort)index, interrupt)));
    }
}
