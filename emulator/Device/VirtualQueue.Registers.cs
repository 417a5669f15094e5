using System.Buffers.Binary;
using System.Numerics;
using WarpDrive.Abi.Device;
using WarpDrive.Abi.Hpre;
using WarpDrive.Linux;

namespace WarpDrive.Emulator;

/// <content>Regions by message: control registers, the trapped doorbell word, and the mapped regions as bytes.</content>
internal sealed partial class VirtualQueue
{
    private const string ReadCall = "REGION_READ";
    private const string WriteCall = "REGION_WRITE";
    private const int RegisterBytes = 4;

    // Bit n: modulus of 1024, 2048, 3072, 4096 bits.
    private const uint KeySizeBits = 0b1111;
    private const uint AlgorithmBits = 1;

    private const DeviceCapabilities Capabilities =
        DeviceCapabilities.ParavirtualDoorbells | DeviceCapabilities.DoorbellEventFd | DeviceCapabilities.KeyGeneration
        | DeviceCapabilities.CompletionTimes;

    /// <inheritdoc/>
    public void ReadRegion(uint region, ulong offset, Span<byte> data)
    {
        CheckRange(ReadCall, region, offset, data.Length);
        lock (_lock)
        {
            ThrowIfDisposed(ReadCall);
            switch (region)
            {
                case var _ when data.IsEmpty:
                    break;
                case EmulatedRegion.Mmio:
                    data.Clear();
                    break;
                case EmulatedRegion.Control:
                    ReadControl(offset, data);
                    break;
                default:
                    Memory(region).Slice((int)offset, data.Length).CopyTo(data);
                    break;
            }
        }
    }

    /// <inheritdoc/>
    public void WriteRegion(uint region, ulong offset, ReadOnlySpan<byte> data)
    {
        CheckRange(WriteCall, region, offset, data.Length);
        lock (_lock)
        {
            ThrowIfDisposed(WriteCall);
            switch (region)
            {
                case var _ when data.IsEmpty:
                    break;
                case EmulatedRegion.Mmio:
                    if (offset != Doorbell.Offset || data.Length != Doorbell.SizeInBytes)
                    {
                        throw Refused(WriteCall, region, offset, data.Length, "only 8 bytes at 0x1000 can be written");
                    }

                    RingTrapped(Doorbell.Decode(BinaryPrimitives.ReadUInt64LittleEndian(data)));
                    break;
                case EmulatedRegion.Control:
                    if (data.Length != RegisterBytes || offset % RegisterBytes != 0)
                    {
                        throw Refused(WriteCall, region, offset, data.Length, "a register is 4 bytes, written whole");
                    }

                    WriteControl(offset, BinaryPrimitives.ReadUInt32LittleEndian(data));
                    break;
                default:
                    WriteMapped(region, (int)offset, data);
                    break;
            }
        }
    }

    private static LinuxException Refused(string call, uint region, ulong offset, int length, string why, int error = Errno.EINVAL) =>
        new(call, $"region {region}, {length} bytes at 0x{offset:x}: {why}", error);

    private void CheckRange(string call, uint region, ulong offset, int length)
    {
        if (region >= EmulatedRegion.Count)
        {
            throw NoSuch(call, "region", region, EmulatedRegion.Count);
        }

        ulong size = GetRegionInfo(region).SizeBytes;
        if (offset > size || (ulong)length > size - offset)
        {
            throw Refused(call, region, offset, length, $"the region has {size} bytes");
        }
    }

    private MappedMemory Memory(uint region) => region == EmulatedRegion.Dus ? _dus.Memory : _doorbells.Memory;

    private void WriteMapped(uint region, int offset, ReadOnlySpan<byte> data)
    {
        MappedMemory memory = Memory(region);
        if (data.Length == sizeof(uint) && offset % sizeof(uint) == 0)
        {
            // A whole word is one store, as it would be through a mapping; release, as the host's rules for doorbells ask.
            Volatile.Write(ref memory.At<uint>(offset), BinaryPrimitives.ReadUInt32LittleEndian(data));
        }
        else
        {
            data.CopyTo(memory.Slice(offset, data.Length));
        }

        if (region == EmulatedRegion.Doorbells)
        {
            WakeIfAsleep();
        }
    }

    private void ReadControl(ulong offset, Span<byte> data)
    {
        if (offset >= ControlRegister.EngineName
            && offset + (ulong)data.Length <= ControlRegister.EngineName + ControlRegister.EngineNameSizeInBytes
            && offset % RegisterBytes == 0 && data.Length % RegisterBytes == 0)
        {
            _accelerator.EngineNameRegister.Slice((int)(offset - ControlRegister.EngineName), data.Length).CopyTo(data);
            return;
        }

        if (data.Length != RegisterBytes || offset % RegisterBytes != 0)
        {
            throw Refused(ReadCall, EmulatedRegion.Control, offset, data.Length, "a register is 4 bytes, read whole");
        }

        uint value = offset switch
        {
            ControlRegister.Magic => ControlRegister.MagicValue,
            ControlRegister.Version => ControlRegister.VersionValue,
            ControlRegister.Capabilities => (uint)Capabilities,
            ControlRegister.QueueManagerVersion => ControlRegister.QueueManagerVersionValue,
            ControlRegister.Algorithms => AlgorithmBits,
            ControlRegister.KeySizes => KeySizeBits,
            ControlRegister.MaxDepth => DeviceUserShare.MaxDepth,
            ControlRegister.Depth => (uint)_depth,
            ControlRegister.QueueType => 0,
            ControlRegister.QueueNumber => (uint)Number,
            ControlRegister.State => (uint)_state,
            ControlRegister.IgnoredDoorbells => _ignoredDoorbells,
            ControlRegister.EngineCount => (uint)_accelerator.EngineCount,
            ControlRegister.EngineLanes => (uint)_accelerator.EngineLanes,
            ControlRegister.Extensions => (uint)_extensions,
            _ => throw Refused(ReadCall, EmulatedRegion.Control, offset, data.Length, "no register that can be read"),
        };
        BinaryPrimitives.WriteUInt32LittleEndian(data, value);
    }

    private void WriteControl(ulong offset, uint value)
    {
        switch (offset)
        {
            case ControlRegister.Depth:
                ThrowIfStarted(offset);
                if (!BitOperations.IsPow2(value) || value is < DeviceUserShare.MinDepth or > DeviceUserShare.MaxDepth)
                {
                    throw NotAllowed(offset, value, $"depth must be a power of two from {DeviceUserShare.MinDepth} to {DeviceUserShare.MaxDepth}");
                }

                _depth = (int)value;
                break;
            case ControlRegister.QueueType:
                ThrowIfStarted(offset);
                if (value != 0)
                {
                    throw NotAllowed(offset, value, "queue type must be 0");
                }

                break;
            case ControlRegister.Extensions:
                ThrowIfStarted(offset);
                if ((value & ~(uint)DeviceCapabilities.CompletionTimes) != 0)
                {
                    throw NotAllowed(offset, value, $"extensions are 0 or {(uint)DeviceCapabilities.CompletionTimes}");
                }

                _extensions = (DeviceCapabilities)value;
                break;
            case ControlRegister.Command:
                switch ((QueueCommand)value)
                {
                    case QueueCommand.Start:
                        Start();
                        break;
                    case QueueCommand.Stop:
                        Stop();
                        break;
                    default:
                        throw NotAllowed(offset, value, "the command must be 1 (start) or 2 (stop)");
                }

                break;
            default:
                throw Refused(WriteCall, EmulatedRegion.Control, offset, RegisterBytes, "no register that can be written");
        }
    }

    private void ThrowIfStarted(ulong offset)
    {
        if (_state == QueueState.Started)
        {
            throw Refused(WriteCall, EmulatedRegion.Control, offset, RegisterBytes, "the queue is started", Errno.EBUSY);
        }
    }

    private static LinuxException NotAllowed(ulong offset, uint value, string rule) =>
        Refused(WriteCall, EmulatedRegion.Control, offset, RegisterBytes, $"value {value}; {rule}");

    /// <summary>accel/README.md "Control registers", Start.</summary>
    private void Start()
    {
        if (_state != QueueState.Initial)
        {
            throw NotAllowed(ControlRegister.Command, (uint)QueueCommand.Start, $"start needs the state initial (1), and it is {(uint)_state}");
        }

        if (_accelerator.EngineCount == 0)
        {
            Halt(QueueState.Zombie);
            throw Refused(WriteCall, EmulatedRegion.Control, ControlRegister.Command, RegisterBytes, "no engine computes right", Errno.ENODEV);
        }

        int completions = DeviceUserShare.CompletionOffset(_depth, 0);
        _dus.Memory.Slice(completions, _depth * CompletionEntry.SizeInBytes).Clear();
        MappedMemory doorbells = _doorbells.Memory;
        doorbells.At<uint>(ParavirtualDoorbell.SubmissionTailOffset) = 0;
        doorbells.At<uint>(ParavirtualDoorbell.CompletionHeadOffset) = 0;
        doorbells.At<uint>(ParavirtualDoorbell.HostAsleepOffset) = 0;
        doorbells.At<uint>(ParavirtualDoorbell.DeviceAsleepOffset) = 1;
        ResetIndices();
        _state = QueueState.Started;

        // Release, and last: a host that sees its queue alive also sees empty rings.
        Volatile.Write(ref _dus.Memory.At<uint>(DeviceUserShare.StopReceivingOffset), 0);
        Volatile.Write(ref _dus.Memory.At<uint>(DeviceUserShare.StopSendingOffset), 0);
    }

    /// <summary>accel/README.md "Control registers", Stop.</summary>
    private void Stop()
    {
        switch (_state)
        {
            case QueueState.Started:
                Halt(QueueState.Initial);
                break;
            case QueueState.Initial:
                break;
            default:
                throw NotAllowed(ControlRegister.Command, (uint)QueueCommand.Stop, "the queue is dead; only a reset helps");
        }
    }

    /// <summary>Forgets what is in flight and tells the host, in the order in which the kernel does: stop sending, then stop receiving.</summary>
    private void Halt(QueueState state)
    {
        _generation++;
        _state = state;

        // Release: the order of the two words is the promise.
        Volatile.Write(ref _dus.Memory.At<uint>(DeviceUserShare.StopSendingOffset), 1);
        Volatile.Write(ref _dus.Memory.At<uint>(DeviceUserShare.StopReceivingOffset), 1);
    }

    /// <summary>accel/README.md "Doorbells", by message.</summary>
    private void RingTrapped(Doorbell doorbell)
    {
        bool isKnown = doorbell.Command is DoorbellCommand.Submission or DoorbellCommand.Completion;
        if (doorbell.QueueNumber != Number || !isKnown || doorbell.Index >= _depth)
        {
            _ignoredDoorbells++;
            return;
        }

        MappedMemory doorbells = _doorbells.Memory;
        if (doorbell.Command == DoorbellCommand.Submission)
        {
            // Release, as for a host that stores it: the entries travelled in messages before this one.
            Volatile.Write(ref doorbells.At<uint>(ParavirtualDoorbell.SubmissionTailOffset), doorbell.Index);
        }
        else
        {
            Volatile.Write(ref doorbells.At<uint>(ParavirtualDoorbell.CompletionHeadOffset), doorbell.Index);
            Volatile.Write(ref doorbells.At<uint>(ParavirtualDoorbell.HostAsleepOffset), doorbell.Interrupt ? 1u : 0u);
        }

        WakeIfAsleep();
    }

    /// <summary>
    /// What a host does after it stored a doorbell (accel/README.md "Memory order", to post, step 4), but on the device's own
    /// eventfd: a client could have filled the queue's, and a write to it would wait then.
    /// </summary>
    private void WakeIfAsleep()
    {
        // Exchange is a full barrier: the doorbell above it is visible before the flag is read.
        if (Interlocked.Exchange(ref _doorbells.Memory.At<uint>(ParavirtualDoorbell.DeviceAsleepOffset), 0) != 0)
        {
            _accelerator.Wake();
        }
    }
}
