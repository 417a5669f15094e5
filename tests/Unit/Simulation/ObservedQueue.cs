using System.Runtime.InteropServices;
using WarpDrive.Abi.Device;
using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Vfio;
using WarpDrive.Driver.Devices;
using WarpDrive.Emulator;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>
/// A queue of the emulated device between it and the driver. It sees all memory that the two share and looks at it after each step:
/// what was posted, what was completed, what was taken back, and whether anybody wrote where he had no right to.
/// </summary>
internal sealed class ObservedQueue : IVfioDevice
{
    private readonly VirtualQueue _queue;
    private readonly List<(ulong Iova, MappedMemory Memory, DmaAccess Access)> _maps = [];
    private MappedMemory? _ringsOfDriver;
    private MappedMemory? _doorbellsOfDriver;
    private SimulatedOperation?[] _inFlight = [];
    private int _depth;
    private int _tail;
    private int _head;
    private int _phase;
    private bool _isReleased;
    private bool _isForgotten;

    public ObservedQueue(VirtualQueue queue, bool isRemote)
    {
        _queue = queue;
        IsRemote = isRemote;
    }

    public int Number => _queue.Number;

    /// <summary>Whether the device notices the end of the connection only later.</summary>
    public bool IsRemote { get; }

    /// <summary>Whether the connection broke: the other process died, or hung up.</summary>
    public bool IsLost { get; set; }

    /// <summary>Whether the driver closed it.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Submissions that the driver has posted and not reaped.</summary>
    public int InFlight { get; private set; }

    public bool IsStopped => IsClosed || Volatile.Read(ref Rings.At<uint>(DeviceUserShare.StopSendingOffset)) != 0;

    /// <summary>Whether this is the queue that the driver knows by this device.</summary>
    public bool Is(DeviceQueue device) => device.Rings == _ringsOfDriver;

    public FileDescriptor? GoneSignal => null;

    public bool IsGone => IsLost || _queue.IsGone;

    /// <summary>After the driver has begun an operation: there is one more submission, in a free place, as it should be.</summary>
    public void Observe(SimulatedOperation operation)
    {
        Reap();
        int tail = ReadTail();
        SimulationFailure.Unless(tail == Next(_tail), "one doorbell for one operation", $"queue {Number} has tail {tail} after a post at {_tail}");
        Adopt(operation);
    }

    /// <summary>After each step of anybody.</summary>
    public void Look()
    {
        if (IsClosed)
        {
            Forget();
            return;
        }

        if (_inFlight.Length == 0)
        {
            return;     // not started
        }

        Reap();
        for (int tail = ReadTail(); _tail != tail;)
        {
            Adopt(ReadProbe());
        }

        for (int i = 0, left = InFlight; left > 0; i++)
        {
            if (_inFlight[i] is { } operation)
            {
                Look(operation, i);
                left--;
            }
        }
    }

    /// <summary>Whether the memory that driver and device share has these bytes anywhere.</summary>
    public bool Contains(ReadOnlySpan<byte> secret)
    {
        foreach ((_, MappedMemory memory, _) in _maps)
        {
            if (memory.GetSpan().IndexOf(secret) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The driver closes it, and then forgets its memory.</summary>
    public void Dispose()
    {
        IsClosed = true;
        InFlight = 0;
        if (!IsRemote)
        {
            Release();
        }
    }

    /// <summary>The device's end of the connection.</summary>
    public void Release()
    {
        if (!_isReleased)
        {
            _isReleased = true;
            _queue.Dispose();
        }
    }

    public VfioDeviceInfo GetInfo() => _queue.GetInfo();

    public VfioRegionInfo GetRegionInfo(uint region) => _queue.GetRegionInfo(region);

    public MappedMemory MapRegion(uint region)
    {
        MappedMemory memory = _queue.MapRegion(region);
        _ringsOfDriver = region == EmulatedRegion.Dus ? memory : _ringsOfDriver;
        _doorbellsOfDriver = region == EmulatedRegion.Doorbells ? memory : _doorbellsOfDriver;
        return memory;
    }

    public EventFd GetRegionIoEventFd(uint region) => _queue.GetRegionIoEventFd(region);

    public VfioIrqInfo GetIrqInfo(uint index) => _queue.GetIrqInfo(index);

    public void SetIrq(uint index, EventFd? eventFd) => _queue.SetIrq(index, eventFd);

    public void ReadRegion(uint region, ulong offset, Span<byte> data) => _queue.ReadRegion(region, offset, data);

    public void WriteRegion(uint region, ulong offset, ReadOnlySpan<byte> data)
    {
        _queue.WriteRegion(region, offset, data);
        uint value = MemoryMarshal.Read<uint>(data);
        if (region == EmulatedRegion.Control && offset == ControlRegister.Depth)
        {
            _depth = (int)value;
        }
        else if (region == EmulatedRegion.Control && offset == ControlRegister.Command && value == (uint)QueueCommand.Start)
        {
            _inFlight = new SimulatedOperation?[_depth];
            (_tail, _head, _phase, InFlight) = (0, 0, 1, 0);
        }
    }

    public void MapDma(FileDescriptor file, ulong fileOffset, ulong iova, ulong sizeBytes, DmaAccess access)
    {
        _queue.MapDma(file, fileOffset, iova, sizeBytes, access);
        _maps.Add((iova, MappedMemory.MapShared(file, (long)fileOffset, (int)sizeBytes, writable: false, secret: false), access));
    }

    public void UnmapDma(ulong iova, ulong sizeBytes) => throw new NotSupportedException("The driver unmaps nothing before it closes a queue.");

    public void Reset() => throw new NotSupportedException("The driver closes a queue instead.");

    private int ReadTail() => (int)Volatile.Read(ref Doorbells.At<uint>(ParavirtualDoorbell.SubmissionTailOffset));

    private int Next(int index) => (index + 1) & (_depth - 1);

    /// <summary>What a supervisor posted: it is taken as it is, since nobody knows what should stand there.</summary>
    private SimulatedOperation ReadProbe()
    {
        SubmissionEntry entry = Rings.At<SubmissionEntry>(DeviceUserShare.SubmissionOffset(_tail));
        int modulusBytes = (entry.TaskLength1 + 1) * 8;
        return new SimulatedOperation(
            null,
            Memory(entry.KeyIova, RsaKeyBlock.SizeInBytes(HpreAlgorithm.RsaCrt, modulusBytes), DmaAccess.Read).ToArray(),
            Memory(entry.InputIova, modulusBytes, DmaAccess.ReadWrite).ToArray(),
            TimeSpan.MaxValue);
    }

    /// <summary>There is one more submission at the tail.</summary>
    private void Adopt(SimulatedOperation operation)
    {
        int index = _tail;
        SimulationFailure.Unless(_inFlight[index] is null, "no slot is used twice", $"queue {Number}, index {index} is posted while it is in flight");
        SubmissionEntry entry = Rings.At<SubmissionEntry>(DeviceUserShare.SubmissionOffset(index));
        SimulationFailure.Unless(
            entry.Control == SubmissionControl.Post(HpreAlgorithm.RsaCrt) && entry.TaskLength1 == (operation.Input.Length / 8) - 1,
            "submissions say what is asked for", $"queue {Number}, index {index}");
        foreach (SimulatedOperation? other in _inFlight)
        {
            SimulationFailure.Unless(
                other is null || (other.Entry.InputIova != entry.InputIova && other.Entry.OutputIova != entry.OutputIova),
                "no slot is used twice", $"queue {Number}, index {index} has the memory of another operation in flight");
        }

        Span<byte> output = Memory(entry.OutputIova, operation.Output.Length, DmaAccess.ReadWrite);
        SimulationFailure.Unless(!output.ContainsAnyExcept((byte)0), "no result stays in a free slot", $"queue {Number}, index {index}");
        operation.Entry = entry;
        _inFlight[index] = operation;
        _tail = Next(_tail);
        InFlight++;
        Look(operation, index);
    }

    /// <summary>The driver took completions.</summary>
    private void Reap()
    {
        int head = (int)Volatile.Read(ref Doorbells.At<uint>(ParavirtualDoorbell.CompletionHeadOffset));
        while (_head != head)
        {
            ReapOne();
        }
    }

    private void ReapOne()
    {
        int at = DeviceUserShare.CompletionOffset(_depth, _head);
        CompletionEntry completion = Rings.At<CompletionEntry>(at);
        int phase = Rings.At<ushort>(at + CompletionEntry.PhaseOffset) & 1;
        SimulationFailure.Unless(phase == _phase, "only completions are reaped", $"queue {Number}, completion {_head} has not come");
        SimulatedOperation? operation = completion.SubmissionIndex < _depth ? _inFlight[completion.SubmissionIndex] : null;
        if (operation is null)
        {
            throw new SimulationFailure("only completions are reaped", $"queue {Number}, completion {_head} is for index {completion.SubmissionIndex}, where nothing is in flight");
        }

        SimulationFailure.Unless(operation.IsDone, "only completions are reaped", $"queue {Number}, index {completion.SubmissionIndex} was not done");
        operation.IsReaped = true;
        _inFlight[completion.SubmissionIndex] = null;
        InFlight--;
        _head = Next(_head);
        _phase ^= _head == 0 ? 1 : 0;
    }

    /// <summary>As long as an operation is the device's, the host leaves its submission, key, input and output alone; the device writes once.</summary>
    private void Look(SimulatedOperation operation, int index)
    {
        const string Invariant = "nobody touches what is the device's";
        SubmissionEntry entry = Rings.At<SubmissionEntry>(DeviceUserShare.SubmissionOffset(index));
        ReadOnlySpan<byte> output = Memory(entry.OutputIova, operation.Output.Length, DmaAccess.ReadWrite);
        if (!operation.IsDone && SubmissionControl.IsDone(entry.Control))
        {
            operation.IsDone = true;
            operation.Error = SubmissionControl.Error(entry.Control);
            output.CopyTo(operation.Output);
        }

        SimulationFailure.Unless(
            entry.KeyIova == operation.Entry.KeyIova && entry.InputIova == operation.Entry.InputIova && entry.OutputIova == operation.Entry.OutputIova,
            Invariant, $"queue {Number}, index {index}, submission");
        SimulationFailure.Unless(
            Memory(entry.InputIova, operation.Input.Length, DmaAccess.ReadWrite).SequenceEqual(operation.Input),
            Invariant, $"queue {Number}, index {index}, input");
        SimulationFailure.Unless(
            Memory(entry.KeyIova, operation.KeyBlock.Length, DmaAccess.Read).SequenceEqual(operation.KeyBlock),
            Invariant, $"queue {Number}, index {index}, key {operation.Key?.Number}");
        SimulationFailure.Unless(output.SequenceEqual(operation.Output), Invariant, $"queue {Number}, index {index}, output");
    }

    /// <summary>After the step in which the driver closed it: no secret is left. Nothing is looked at again.</summary>
    private void Forget()
    {
        if (_isForgotten)
        {
            return;
        }

        _isForgotten = true;
        foreach ((ulong iova, MappedMemory memory, _) in _maps)
        {
            SimulationFailure.Unless(!memory.GetSpan().ContainsAnyExcept((byte)0), "closed queues leave no secret", $"queue {Number}, memory at 0x{iova:x}");
            memory.Dispose();
        }

        _maps.Clear();
    }

    // As the driver maps them: a third mapping would show the same.
    private MappedMemory Rings => _ringsOfDriver!;

    private MappedMemory Doorbells => _doorbellsOfDriver!;

    private Span<byte> Memory(ulong iova, int length, DmaAccess access)
    {
        foreach ((ulong start, MappedMemory memory, DmaAccess allowed) in _maps)
        {
            if (iova >= start && iova - start < (ulong)memory.Length)
            {
                SimulationFailure.Unless(allowed == access, "keys are read-only for the device", $"queue {Number}, 0x{iova:x}");
                return memory.Slice((int)(iova - start), length);
            }
        }

        throw new SimulationFailure("addresses are mapped", $"queue {Number}, 0x{iova:x}");
    }
}
