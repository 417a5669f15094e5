using WarpDrive.Abi.Device;
using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;

namespace WarpDrive.Emulator;

/// <summary>
/// One queue pair of the emulated accelerator, as its client sees it: regions, registers, DMA mappings, one interrupt
/// (accel/README.md). Here: the life of a queue. VirtualQueue.Registers.cs has what is read and written by message,
/// VirtualQueue.Rings.cs what engines do.
/// </summary>
/// <remarks>
/// One lock guards everything. Engines take it twice per operation, to fetch and to complete, and never hold it while they
/// compute; so when stop, reset, unmap or dispose return, the device touches nothing of what they took away. All memory of the
/// client can change at any time: indices, addresses and sizes are kept in private fields and checked there.
/// </remarks>
internal sealed partial class VirtualQueue : IVfioDevice
{
    private readonly EmulatedAccelerator _accelerator;
    private readonly Lock _lock = new();
    private readonly SharedMemory _dus;
    private readonly SharedMemory _doorbells;
    private readonly EventFd _doorbellEvent;
    private readonly IovaMap _dma;
    private EventFd? _interrupt;
    private QueueState _state = QueueState.Initial;
    private int _depth = DeviceUserShare.MaxDepth;
    private DeviceCapabilities _extensions;
    private uint _ignoredDoorbells;
    private volatile bool _disposed;

    /// <summary>Creates the queue's memory; nothing is fetched before the client starts it.</summary>
    /// <exception cref="LinuxException">No memory or descriptor left.</exception>
    public VirtualQueue(EmulatedAccelerator accelerator, int number, EmulatorOptions options)
    {
        _accelerator = accelerator;
        Number = number;
        _dma = new IovaMap(options.MaxDmaMaps, options.MaxMappedBytes, accelerator.Mappings);
        _dus = SharedMemory.Create($"warp-dus-{number}", DeviceUserShare.SizeInBytes, secret: false);
        try
        {
            _doorbells = SharedMemory.Create($"warp-doorbells-{number}", EmulatedRegion.DoorbellsSizeInBytes, secret: false);
            try
            {
                _doorbellEvent = new EventFd();
            }
            catch
            {
                _doorbells.Dispose();
                throw;
            }
        }
        catch
        {
            _dus.Dispose();
            throw;
        }
    }

    /// <summary>The queue's number, as in doorbells and completions.</summary>
    public int Number { get; }

    /// <inheritdoc/>
    public FileDescriptor? GoneSignal => null;

    /// <inheritdoc/>
    public bool IsGone => _disposed;

    /// <summary>Region 3's ioeventfd. Owned by the queue: pass its descriptor on, or duplicate it.</summary>
    internal EventFd DoorbellEvent => _doorbellEvent;

    /// <inheritdoc/>
    public VfioDeviceInfo GetInfo() => new(VfioDeviceFlags.Reset, EmulatedRegion.Count, EmulatedRegion.IrqCount);

    /// <inheritdoc/>
    public VfioRegionInfo GetRegionInfo(uint region)
    {
        const VfioRegionFlags ByMessage = VfioRegionFlags.Read | VfioRegionFlags.Write;
        return region switch
        {
            EmulatedRegion.Mmio => new(ByMessage, EmulatedRegion.MmioSizeInBytes),
            EmulatedRegion.Dus => new(ByMessage | VfioRegionFlags.Map, DeviceUserShare.SizeInBytes),
            EmulatedRegion.Control => new(ByMessage, EmulatedRegion.ControlSizeInBytes),
            EmulatedRegion.Doorbells => new(ByMessage | VfioRegionFlags.Map, EmulatedRegion.DoorbellsSizeInBytes),
            _ => throw NoSuch("DEVICE_GET_REGION_INFO", "region", region, EmulatedRegion.Count),
        };
    }

    /// <inheritdoc/>
    public MappedMemory MapRegion(uint region)
    {
        lock (_lock)
        {
            FileDescriptor file = GetRegionFile(region)
                ?? throw new LinuxException("mmap", $"region {region}; 1 and 3 can be mapped", Errno.EINVAL);
            return MappedMemory.MapShared(file, 0, (int)GetRegionInfo(region).SizeBytes, writable: true, secret: false);
        }
    }

    /// <inheritdoc/>
    public EventFd GetRegionIoEventFd(uint region)
    {
        if (region != EmulatedRegion.Doorbells)
        {
            throw new LinuxException("DEVICE_GET_REGION_IO_FDS", $"region {region}; region 3 has one", Errno.EINVAL);
        }

        lock (_lock)
        {
            ThrowIfDisposed("DEVICE_GET_REGION_IO_FDS");
            return _doorbellEvent.Duplicate();
        }
    }

    /// <inheritdoc/>
    public VfioIrqInfo GetIrqInfo(uint index) => index == EmulatedRegion.CompletionIrq
        ? new(VfioIrqFlags.EventFd, 1)
        : throw NoSuch("DEVICE_GET_IRQ_INFO", "interrupt index", index, EmulatedRegion.IrqCount);

    /// <inheritdoc/>
    public void SetIrq(uint index, EventFd? eventFd)
    {
        _ = GetIrqInfo(index);
        EventFd? duplicate = eventFd?.Duplicate();
        EventFd? old = duplicate;
        try
        {
            lock (_lock)
            {
                ThrowIfDisposed("DEVICE_SET_IRQS");
                (old, _interrupt) = (_interrupt, duplicate);
            }
        }
        finally
        {
            old?.Dispose();
        }
    }

    /// <summary>Has an interrupt fire as if a completion had. Without an eventfd nobody hears it.</summary>
    /// <exception cref="LinuxException">EINVAL: no such interrupt index; ENODEV: the queue is disposed.</exception>
    public void Fire(uint index)
    {
        _ = GetIrqInfo(index);
        lock (_lock)
        {
            ThrowIfDisposed("DEVICE_SET_IRQS");
            _interrupt?.Signal();
        }
    }

    /// <inheritdoc/>
    public void MapDma(FileDescriptor file, ulong fileOffset, ulong iova, ulong sizeBytes, DmaAccess access)
    {
        ArgumentNullException.ThrowIfNull(file);
        MappedMemory memory = _dma.MapFile(file, fileOffset, iova, sizeBytes, access);
        try
        {
            lock (_lock)
            {
                ThrowIfDisposed("DMA_MAP");
                _dma.Add(iova, memory, access);
            }
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
        MappedMemory memory;
        lock (_lock)
        {
            ThrowIfDisposed("DMA_UNMAP");
            memory = _dma.Remove(iova, sizeBytes);
        }

        // Engines translate anew under the lock each time, so none has a span of it any more.
        memory.Dispose();
    }

    /// <summary>Takes every mapping away.</summary>
    /// <exception cref="LinuxException">ENODEV: the queue is disposed.</exception>
    public void UnmapAllDma()
    {
        MappedMemory[] memories;
        lock (_lock)
        {
            ThrowIfDisposed("DMA_UNMAP");
            memories = _dma.RemoveAll();
        }

        foreach (MappedMemory memory in memories)
        {
            memory.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Reset()
    {
        lock (_lock)
        {
            ThrowIfDisposed("DEVICE_RESET");
            Halt(QueueState.Initial);
            _depth = DeviceUserShare.MaxDepth;
            _extensions = DeviceCapabilities.None;
            _ignoredDoorbells = 0;
        }
    }

    /// <summary>
    /// Gives the queue up: no engine computes right, or the accelerator ends. Wakes a host that sleeps on it, as an embedded
    /// one has no connection whose end it would notice.
    /// </summary>
    internal void GiveUp()
    {
        lock (_lock)
        {
            if (!_disposed)
            {
                Halt(QueueState.Zombie);
                _interrupt?.Signal();
            }
        }
    }

    /// <summary>The file behind a region, owned by the queue; null: the region cannot be mapped.</summary>
    /// <exception cref="LinuxException">EINVAL: no such region; ENODEV: the queue is disposed.</exception>
    internal FileDescriptor? GetRegionFile(uint region)
    {
        _ = GetRegionInfo(region);
        ThrowIfDisposed("DEVICE_GET_REGION_INFO");
        return region switch
        {
            EmulatedRegion.Dus => _dus.File,
            EmulatedRegion.Doorbells => _doorbells.File,
            _ => null,
        };
    }

    /// <summary>Stops the queue, unmaps the client's memory and frees the number. What the client has mapped stays valid memory.</summary>
    public void Dispose()
    {
        // Out of the engines' list first, so that none waits for this queue's eventfd any more.
        if (_accelerator.Withdraw(this))
        {
            Release();
            _accelerator.FreeNumber(Number);
        }
    }

    /// <summary>Frees the memory of a queue that no engine's list holds. One that still sees it in an old list finds it dead.</summary>
    internal void Release()
    {
        lock (_lock)
        {
            Halt(QueueState.Zombie);
            _disposed = true;
            _dma.Dispose();
            _interrupt?.Dispose();
            _interrupt = null;
            _doorbellEvent.Dispose();
            _doorbells.Dispose();
            _dus.Dispose();
        }
    }

    private static LinuxException NoSuch(string call, string what, uint number, uint count) =>
        new(call, $"{what} {number}; allowed are 0 to {count - 1}", Errno.EINVAL);

    private void ThrowIfDisposed(string call)
    {
        if (_disposed)
        {
            throw new LinuxException(call, $"queue {Number}, which is closed", Errno.ENODEV);
        }
    }
}
