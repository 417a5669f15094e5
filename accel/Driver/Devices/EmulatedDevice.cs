using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using WarpDrive.Abi.Device;
using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;

namespace WarpDrive.Driver.Devices;

/// <summary>
/// The host's view of one queue pair of the emulated device, embedded or behind a socket: its regions mapped, its
/// doorbells, its interrupt, its DMA mappings. See accel/README.md. Owned by one <see cref="QueuePair"/>; not for two threads at once.
/// </summary>
public sealed class EmulatedDevice : DeviceQueue
{
    // Where IOVAs start; any value does, and one that is no address of this process tells the device nothing.
    private const ulong FirstIova = 0x1_0000_0000;

    // No machine has more; the numbers come from another process and are reckoned with.
    private const int MaxCount = 65536;

    private readonly IVfioDevice _vfio;
    private readonly MappedMemory _doorbells;
    private readonly EventFd _wakeDevice;
    private readonly EventFd _interrupt;
    private readonly Identity _identity;
    private ulong _nextIova = FirstIova;

    private EmulatedDevice(IVfioDevice vfio, MappedMemory rings, MappedMemory doorbells, EventFd wakeDevice, EventFd interrupt, Identity identity)
    {
        _identity = identity;
        _vfio = vfio;
        Rings = rings;
        _doorbells = doorbells;
        _wakeDevice = wakeDevice;
        _interrupt = interrupt;
    }

    /// <inheritdoc/>
    public override MappedMemory Rings { get; }

    /// <inheritdoc/>
    public override int Depth => _identity.Depth;

    /// <inheritdoc/>
    public override ushort QueueNumber => _identity.QueueNumber;

    /// <inheritdoc/>
    public override string EngineName => _identity.EngineName;

    /// <inheritdoc/>
    public override int EngineCount => _identity.EngineCount;

    /// <inheritdoc/>
    public override int EngineLanes => _identity.EngineLanes;

    /// <inheritdoc/>
    public override uint KeySizes => _identity.KeySizes;

    /// <inheritdoc/>
    public override bool IsStopped => Volatile.Read(ref Rings.At<uint>(DeviceUserShare.StopSendingOffset)) != 0;

    /// <inheritdoc/>
    public override bool IsGone => IsStopped || _vfio.IsGone;

    /// <summary>Checks that this is the emulated device of the datasheet, sets the depth and maps what can be mapped. Does not start the queue.</summary>
    /// <param name="vfio">Owned by the result, and disposed when this fails.</param>
    /// <param name="depth">Entries of each ring, a power of two from 2 to what the device allows.</param>
    /// <exception cref="AcceleratorException">It is another device, or does not offer what is asked for.</exception>
    /// <exception cref="LinuxException">The device refused, or there is no memory.</exception>
    public static EmulatedDevice Open(IVfioDevice vfio, int depth)
    {
        ArgumentNullException.ThrowIfNull(vfio);
        var opened = new Stack<IDisposable>();
        opened.Push(vfio);
        try
        {
            Identify(vfio, depth);
            WriteRegister(vfio, ControlRegister.Depth, (uint)depth);
            if (((DeviceCapabilities)ReadRegister(vfio, ControlRegister.Capabilities) & DeviceCapabilities.CompletionTimes) != 0)
            {
                WriteRegister(vfio, ControlRegister.Extensions, (uint)DeviceCapabilities.CompletionTimes);
            }

            MappedMemory rings = vfio.MapRegion(EmulatedRegion.Dus);
            opened.Push(rings);
            MappedMemory doorbells = vfio.MapRegion(EmulatedRegion.Doorbells);
            opened.Push(doorbells);
            if (rings.Length < DeviceUserShare.SizeInBytes || doorbells.Length < EmulatedRegion.DoorbellsSizeInBytes)
            {
                throw new AcceleratorException(
                    $"The device's regions are {rings.Length} and {doorbells.Length} bytes; at least {DeviceUserShare.SizeInBytes} and {EmulatedRegion.DoorbellsSizeInBytes} are needed.");
            }

            EventFd wakeDevice = vfio.GetRegionIoEventFd(EmulatedRegion.Doorbells);
            opened.Push(wakeDevice);
            var interrupt = new EventFd();
            opened.Push(interrupt);
            vfio.SetIrq(EmulatedRegion.CompletionIrq, interrupt);

            return new EmulatedDevice(vfio, rings, doorbells, wakeDevice, interrupt, new Identity(
                depth,
                ReadQueueNumber(vfio),
                ReadEngineName(vfio),
                ReadCount(vfio, ControlRegister.EngineCount, "engines"),
                ReadCount(vfio, ControlRegister.EngineLanes, "engine lanes"),
                ReadRegister(vfio, ControlRegister.KeySizes)));
        }
        catch
        {
            while (opened.TryPop(out IDisposable? item))
            {
                item.Dispose();
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public override void Start() => WriteRegister(_vfio, ControlRegister.Command, (uint)QueueCommand.Start);

    /// <inheritdoc/>
    public override DmaAddresses MapDma(DmaMemory memory, int offset, int sizeBytes, DmaAccess access)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ulong iova = _nextIova;
        FileDescriptor file = memory.File ?? throw new AcceleratorException("An emulated device cannot reach memory that another device allocated.");
        _vfio.MapDma(file, (ulong)offset, iova, (ulong)sizeBytes, access);

        // An unmapped page between two mappings: running over the end of one is an error, not the other's bytes.
        _nextIova += (ulong)sizeBytes + (ulong)Environment.SystemPageSize;
        return DmaAddresses.Contiguous(iova, sizeBytes);
    }

    /// <inheritdoc/>
    public override void RingSubmission(uint tail)
    {
        // Release: the entries are visible before the tail that covers them.
        Volatile.Write(ref _doorbells.At<uint>(ParavirtualDoorbell.SubmissionTailOffset), tail);

        // Full barrier between storing the tail and loading the flag; the device stores the flag and then loads the
        // tail. Without it both could miss the other's store, and the operation would wait for ever.
        Interlocked.MemoryBarrier();
        ref uint asleep = ref _doorbells.At<uint>(ParavirtualDoorbell.DeviceAsleepOffset);
        if (Volatile.Read(ref asleep) == 1 && Interlocked.Exchange(ref asleep, 0) == 1)
        {
            _wakeDevice.Signal();
        }
    }

    /// <inheritdoc/>
    public override void RingCompletion(uint head)
    {
        // Release: the entries have been read before the device may write them again.
        Volatile.Write(ref _doorbells.At<uint>(ParavirtualDoorbell.CompletionHeadOffset), head);
    }

    /// <inheritdoc/>
    public override void RequestInterrupt()
    {
        Volatile.Write(ref _doorbells.At<uint>(ParavirtualDoorbell.HostAsleepOffset), 1);

        // Full barrier: the flag is stored before the ring is looked at again (the device stores the completion, then loads the flag).
        Interlocked.MemoryBarrier();
    }

    /// <inheritdoc/>
    public override bool Sleep(TimeSpan timeout)
    {
        // Taken or not: a device that takes the count back before this does wakes nobody less often for it.
        bool isInterrupted = (Poll.WaitReadable(_interrupt.File, _vfio.GoneSignal, timeout) & 1) != 0;
        if (isInterrupted)
        {
            _interrupt.TryConsume();
        }

        return isInterrupted;
    }

    /// <inheritdoc/>
    public override void CancelInterrupt() => Volatile.Write(ref _doorbells.At<uint>(ParavirtualDoorbell.HostAsleepOffset), 0);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _vfio.Dispose();
        _wakeDevice.Dispose();
        _interrupt.Dispose();
        _doorbells.Dispose();
        Rings.Dispose();
    }

    private static void Identify(IVfioDevice vfio, int depth)
    {
        if (vfio.GetInfo().RegionCount < EmulatedRegion.Count)
        {
            throw new AcceleratorException(
                $"The device has {vfio.GetInfo().RegionCount} regions; WarpDrive's emulated device has {EmulatedRegion.Count}.");
        }

        uint magic = ReadRegister(vfio, ControlRegister.Magic);
        uint version = ReadRegister(vfio, ControlRegister.Version);
        if (magic != ControlRegister.MagicValue || version != ControlRegister.VersionValue)
        {
            throw new AcceleratorException(
                $"The device identifies as 0x{magic:x8} version {version}; 0x{ControlRegister.MagicValue:x8} version {ControlRegister.VersionValue} is needed.");
        }

        const DeviceCapabilities needed = DeviceCapabilities.ParavirtualDoorbells | DeviceCapabilities.DoorbellEventFd;
        var capabilities = (DeviceCapabilities)ReadRegister(vfio, ControlRegister.Capabilities);
        if ((capabilities & needed) != needed)
        {
            throw new AcceleratorException($"The device offers {capabilities}; {needed} are needed.");
        }

        uint maxDepth = Math.Min(ReadRegister(vfio, ControlRegister.MaxDepth), DeviceUserShare.MaxDepth);
        if (!BitOperations.IsPow2(depth) || depth < DeviceUserShare.MinDepth || depth > maxDepth)
        {
            throw new AcceleratorException(
                $"The queue depth is {depth}; it must be a power of two between {DeviceUserShare.MinDepth} and {maxDepth}.");
        }
    }

    private static ushort ReadQueueNumber(IVfioDevice vfio)
    {
        uint number = ReadRegister(vfio, ControlRegister.QueueNumber);
        return number < 1024 ? (ushort)number : throw new AcceleratorException($"The device says that its queue number is {number}; allowed are 0 to 1023.");
    }

    private static string ReadEngineName(IVfioDevice vfio)
    {
        Span<byte> name = stackalloc byte[ControlRegister.EngineNameSizeInBytes];
        vfio.ReadRegion(EmulatedRegion.Control, ControlRegister.EngineName, name);
        int end = name.IndexOf((byte)0);
        string text = Encoding.UTF8.GetString(end < 0 ? name : name[..end]);

        // It comes from another process and goes into logs and pages: nothing that moves a cursor, ends a line or turns the text around.
        return string.Concat(text.EnumerateRunes().Where(static rune => Rune.GetUnicodeCategory(rune) is not (
            UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned)));
    }

    private static int ReadCount(IVfioDevice vfio, ulong offset, string what)
    {
        uint count = ReadRegister(vfio, offset);
        return count is > 0 and <= MaxCount
            ? (int)count
            : throw new AcceleratorException($"The device says that it has {count} {what}; allowed are 1 to {MaxCount}.");
    }

    private static uint ReadRegister(IVfioDevice vfio, ulong offset)
    {
        Span<byte> value = stackalloc byte[sizeof(uint)];
        vfio.ReadRegion(EmulatedRegion.Control, offset, value);
        return BinaryPrimitives.ReadUInt32LittleEndian(value);
    }

    private static void WriteRegister(IVfioDevice vfio, ulong offset, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        MemoryMarshal.Write(bytes, value);
        vfio.WriteRegion(EmulatedRegion.Control, offset, bytes);
    }

    private sealed record Identity(int Depth, ushort QueueNumber, string EngineName, int EngineCount, int EngineLanes, uint KeySizes);
}
