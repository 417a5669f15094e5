using System.Buffers.Binary;
using WarpDrive.Abi.Device;
using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Driver;

/// <summary>A device whose every byte the test writes: it has registers and memory, and does nothing by itself.</summary>
internal sealed class HandDevice : IVfioDevice
{
    public const ushort QueueNumber = 7;

    private readonly SharedMemory _dus = SharedMemory.Create("hand-dus", DeviceUserShare.SizeInBytes, secret: false);
    private readonly SharedMemory _doorbells = SharedMemory.Create("hand-doorbells", EmulatedRegion.DoorbellsSizeInBytes, secret: false);
    private readonly byte[] _control = new byte[EmulatedRegion.ControlSizeInBytes];
    private readonly List<(ulong Iova, MappedMemory Memory, DmaAccess Access)> _maps = [];
    private EventFd? _interrupt;

    public HandDevice()
    {
        SetRegister(ControlRegister.Magic, ControlRegister.MagicValue);
        SetRegister(ControlRegister.Version, ControlRegister.VersionValue);
        SetRegister(ControlRegister.Capabilities, 3);
        SetRegister(ControlRegister.KeySizes, 0xf);
        SetRegister(ControlRegister.MaxDepth, 1024);
        SetRegister(ControlRegister.QueueNumber, QueueNumber);
        SetRegister(ControlRegister.EngineCount, 1);
        SetRegister(ControlRegister.EngineLanes, 1);
        "by hand"u8.CopyTo(_control.AsSpan((int)ControlRegister.EngineName));
    }

    public EventFd Kicks { get; } = new();

    public int MapCount => _maps.Count;

    public FileDescriptor? GoneSignal => null;

    public bool IsGone { get; set; }

    public bool IsDisposed { get; private set; }

    public int Depth => (int)BinaryPrimitives.ReadUInt32LittleEndian(_control.AsSpan((int)ControlRegister.Depth));

    public uint Tail => Volatile.Read(ref _doorbells.Memory.At<uint>(ParavirtualDoorbell.SubmissionTailOffset));

    public uint Head => Volatile.Read(ref _doorbells.Memory.At<uint>(ParavirtualDoorbell.CompletionHeadOffset));

    public uint GetDoorbellWord(int offset) => Volatile.Read(ref _doorbells.Memory.At<uint>(offset));

    public void SetDoorbellWord(int offset, uint value) => Volatile.Write(ref _doorbells.Memory.At<uint>(offset), value);

    public void SetRegister(ulong offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(_control.AsSpan((int)offset), value);

    public void SetEngineName(ReadOnlySpan<byte> name)
    {
        Span<byte> field = _control.AsSpan((int)ControlRegister.EngineName, ControlRegister.EngineNameSizeInBytes);
        field.Clear();
        name[..Math.Min(name.Length, field.Length)].CopyTo(field);
    }

    public Span<byte> Submission(int index) => _dus.Memory.Slice(index * 64, 64);

    /// <summary>Writes a completion at ring position <paramref name="at"/> byte by byte, phase last.</summary>
    public void Complete(int at, int index, int phase, int queueNumber = QueueNumber)
    {
        Span<byte> entry = _dus.Memory.Slice((64 * Depth) + (16 * at), 16);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[8..], (ushort)index);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[10..], (ushort)queueNumber);
        Volatile.Write(ref _dus.Memory.At<ushort>((64 * Depth) + (16 * at) + 14), (ushort)phase);
        _interrupt?.Signal();
    }

    /// <summary>Sets the done bits of a submission, with an error.</summary>
    public void MarkDone(int index, int error = 0)
    {
        uint control = BinaryPrimitives.ReadUInt32LittleEndian(Submission(index));
        BinaryPrimitives.WriteUInt32LittleEndian(Submission(index), (control & 0x1f) | ((uint)error << 5) | 0xc0000000);
    }

    public void Stop() => _dus.Memory.At<uint>(DeviceUserShare.StopSendingOffset) = 1;

    /// <summary>The client's memory behind an IOVA, as a device would reach it.</summary>
    public Span<byte> Memory(ulong iova, int length)
    {
        (ulong start, MappedMemory memory, _) = _maps.Single(map => iova >= map.Iova && iova + (ulong)length <= map.Iova + (ulong)map.Memory.Length);
        return memory.Slice((int)(iova - start), length);
    }

    public DmaAccess AccessOf(ulong iova) => _maps.Single(map => iova >= map.Iova && iova < map.Iova + (ulong)map.Memory.Length).Access;

    public VfioDeviceInfo GetInfo() => new(VfioDeviceFlags.Reset, EmulatedRegion.Count, EmulatedRegion.IrqCount);

    public VfioRegionInfo GetRegionInfo(uint region) => throw new NotSupportedException();

    public MappedMemory MapRegion(uint region)
    {
        SharedMemory memory = region == EmulatedRegion.Dus ? _dus : _doorbells;
        return MappedMemory.MapShared(memory.File, 0, memory.Memory.Length, writable: true, secret: false);
    }

    public EventFd GetRegionIoEventFd(uint region) => Kicks.Duplicate();

    public VfioIrqInfo GetIrqInfo(uint index) => new(VfioIrqFlags.EventFd, 1);

    public void SetIrq(uint index, EventFd? eventFd) => _interrupt = eventFd?.Duplicate();

    public void ReadRegion(uint region, ulong offset, Span<byte> data) => _control.AsSpan((int)offset, data.Length).CopyTo(data);

    public void WriteRegion(uint region, ulong offset, ReadOnlySpan<byte> data) => data.CopyTo(_control.AsSpan((int)offset));

    public void MapDma(FileDescriptor file, ulong fileOffset, ulong iova, ulong sizeBytes, DmaAccess access) =>
        _maps.Add((iova, MappedMemory.MapShared(file, (long)fileOffset, (int)sizeBytes, writable: true, secret: false), access));

    public void UnmapDma(ulong iova, ulong sizeBytes) => throw new NotSupportedException();

    public void Reset() => throw new NotSupportedException();

    public void Dispose()
    {
        // The test may still look: what the driver shared stays mapped here.
        IsDisposed = true;
    }
}
