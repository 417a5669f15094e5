using System.Buffers.Binary;
using System.Diagnostics;
using WarpDrive.Abi.Device;
using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Uacce;
using WarpDrive.Abi.Vfio;
using WarpDrive.Emulator;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>
/// A queue of UACCE: an open file. Follows drivers/misc/uacce/uacce.c (states, mmap) and drivers/crypto/hisilicon/qm.c (hisi_qm_uacce_ioctl, hisi_qm_uacce_mmap,
/// hisi_qm_is_q_updated). Its rings are those of a queue of the emulated device, which serves them.
/// </summary>
/// <remarks>
/// The doorbell word is plain memory: a submission's doorbell is lost when a completion's follows before anybody looked (hardware traps every store). No harm
/// is done: a thread that sleeps in poll(2) has posted all that it wanted posted, so what stands in the ring then is as good as a doorbell.
/// </remarks>
internal sealed class FakeUacceQueue : FakeFile
{
    private const ulong NoDoorbell = ulong.MaxValue;
    private const int Depth = DeviceUserShare.MaxDepth;
    private const ulong FirstSlice = 0x80_0000_0000;

    private readonly FakeUacceDevice _device;
    private readonly VirtualQueue _queue;
    private readonly QueueManagerApi _api;
    private readonly MappedMemory _rings;
    private readonly SharedMemory _mmio;
    private readonly EventFd _interrupt = new();
    private readonly Lock _gate = new();                                // all below
    private readonly Dictionary<MappedMemory, int> _regions = [];
    private readonly List<(ulong Start, ulong End)> _reached = [];      // as a TLB: what the queue once found at an address it keeps
    private readonly List<StaticShareSlice> _slices = [];
    private SharedMemory? _staticShare;
    private QueueState _state = QueueState.Initial;
    private int _tail;              // submissions that the device was told of
    private int _pollHead;          // of the kernel's own cursor
    private int _pollPhase = 1;
    private bool _isClosed;
    private bool _isReleased;

    public FakeUacceQueue(FakeUacceDevice device, VirtualQueue queue)
    {
        _device = device;
        _queue = queue;
        _ = QueueManagerApi.TryParse(device.Options.Api, out _api);
        _rings = queue.MapRegion(EmulatedRegion.Dus);
        _mmio = SharedMemory.Create("fake-mmio", device.Options.MmioBytes, secret: false);
        if (_api.Version > 0)
        {
            _mmio.Memory.At<ulong>(_api.DoorbellOffset) = NoDoorbell;
        }

        queue.SetIrq(EmulatedRegion.CompletionIrq, _interrupt);
    }

    /// <summary>Doorbells with a wrong queue number, command or index.</summary>
    public int IgnoredDoorbells { get; private set; }

    public override int Control(uint request, Span<byte> argument)
    {
        lock (_gate)
        {
            if (_state == QueueState.Zombie)
            {
                throw Refused("ioctl", "the queue is dead", Errno.ENXIO);
            }

            if (argument.Length != ((request >> 16) & 0x3fff))
            {
                throw Refused("ioctl", $"{argument.Length} bytes", Errno.EFAULT);
            }

            switch (request)
            {
                case UacceRequest.StartQueue:
                    Start();
                    return 0;
                case UacceRequest.PutQueue:
                    Put();
                    return 0;
                case UacceRequest.SetQueueContext:
                    if (BinaryPrimitives.ReadUInt16LittleEndian(argument[2..]) > 1)
                    {
                        throw Refused("ioctl", "qc_type", Errno.EINVAL);
                    }

                    BinaryPrimitives.WriteUInt16LittleEndian(argument, (ushort)_queue.Number);
                    return 0;
                case UacceRequest.SetQueueInfo when _device.Options.KnowsQueueInfo:
                    BinaryPrimitives.WriteUInt32LittleEndian(argument, SubmissionEntry.SizeInBytes);
                    BinaryPrimitives.WriteUInt16LittleEndian(argument[4..], Depth);
                    BinaryPrimitives.WriteUInt16LittleEndian(argument[6..], Depth);
                    return 0;
                case UacceRequest.GetStaticShareDma when BinaryPrimitives.ReadUInt64LittleEndian(argument) is var index && index < (ulong)_slices.Count:
                    BinaryPrimitives.WriteUInt64LittleEndian(argument, _slices[(int)index].Encode());
                    return (int)index + 1 < _slices.Count ? 1 : 0;
                default:
                    throw Refused("ioctl", $"0x{request:x}", Errno.EINVAL);
            }
        }
    }

    public override MappedMemory Map(long offset, int length)
    {
        lock (_gate)
        {
            int region = (int)(offset / Environment.SystemPageSize);
            if (offset % Environment.SystemPageSize != 0 || region > (_device.Options.HasStaticShare ? UacceRegion.StaticShare : UacceRegion.Dus))
            {
                throw Refused("mmap", $"region {region}", Errno.EINVAL);
            }

            if (_state == QueueState.Zombie)
            {
                throw Refused("mmap", "the queue is dead", Errno.ENXIO);
            }

            if (_regions.ContainsValue(region))
            {
                throw Refused("mmap", $"region {region} again", Errno.EEXIST);
            }

            MappedMemory memory = region switch
            {
                UacceRegion.Mmio when length <= _device.Options.MmioBytes => MappedMemory.MapShared(_mmio.File, 0, length, writable: true, secret: false),
                UacceRegion.Dus when length == _device.Options.DusBytes => _queue.MapRegion(EmulatedRegion.Dus),
                UacceRegion.StaticShare => MapStaticShare(length),
                _ => throw Refused("mmap", $"region {region}, {length} bytes", Errno.EINVAL),
            };
            _regions[memory] = region;
            return memory;
        }
    }

    public override void Unmapped(MappedMemory memory)
    {
        lock (_gate)
        {
            _regions.Remove(memory);
            ReleaseWhenUnused();
        }
    }

    public override void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            ReleaseWhenUnused();
        }
    }

    /// <summary>As hisi_qm_is_q_updated: the cursor passes all completions that are there, and the next call does not see them again.</summary>
    public override bool Wait(TimeSpan timeout)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            lock (_gate)
            {
                if (_state == QueueState.Started)
                {
                    LookAtDoorbell();
                    LookAtSubmissions();
                    if (TakeNews())
                    {
                        return true;
                    }
                }
            }

            TimeSpan left = timeout - Stopwatch.GetElapsedTime(start);
            if (left <= TimeSpan.Zero)
            {
                return false;
            }

            if (Poll.WaitReadable(_interrupt.File, null, left) != 0)
            {
                _interrupt.TryConsume();
            }
        }
    }

    /// <summary>The hardware is reset: the word that stops sending, the end of all work, the word that stops receiving. Nobody is woken.</summary>
    public void Halt()
    {
        lock (_gate)
        {
            if (!_isReleased)
            {
                _queue.SetIrq(EmulatedRegion.CompletionIrq, null);
                _queue.GiveUp();
            }
        }
    }

    /// <summary>The device is gone.</summary>
    public void Remove()
    {
        lock (_gate)
        {
            Halt();
            _state = QueueState.Zombie;
        }
    }

    /// <summary>Looks whether the host stored a doorbell.</summary>
    public void LookAtDoorbell()
    {
        lock (_gate)
        {
            if (_state != QueueState.Started || _isReleased)
            {
                return;
            }

            // Full barrier: what the doorbell announces was stored before it.
            ulong word = Interlocked.Exchange(ref _mmio.Memory.At<ulong>(_api.DoorbellOffset), NoDoorbell);
            if (word != NoDoorbell)
            {
                Ring(_api.Decode(word));
            }
        }
    }

    private void LookAtSubmissions()
    {
        int tail = _tail;
        for (int i = 0; i < Depth - 1 && SubmissionControl.IsPosted(ReadEntry(tail).Control); i++)
        {
            tail = (tail + 1) & (Depth - 1);
        }

        if (tail != _tail)
        {
            Ring(new Doorbell((uint)_queue.Number, DoorbellCommand.Submission, (ushort)tail, Interrupt: false));
        }
    }

    private void Ring(Doorbell doorbell)
    {
        bool isKnown = doorbell.Command is DoorbellCommand.Submission or DoorbellCommand.Completion;
        if (doorbell.QueueNumber != (uint)_queue.Number || !isKnown || doorbell.Index >= Depth)
        {
            IgnoredDoorbells++;
            return;
        }

        if (doorbell.Command == DoorbellCommand.Submission)
        {
            for (; _tail != doorbell.Index; _tail = (_tail + 1) & (Depth - 1))
            {
                Reach(ReadEntry(_tail));
            }
        }

        Span<byte> word = stackalloc byte[Doorbell.SizeInBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(word, doorbell.Encode());
        _queue.WriteRegion(EmulatedRegion.Mmio, Doorbell.Offset, word);
    }

    private SubmissionEntry ReadEntry(int index) => _rings.At<SubmissionEntry>(DeviceUserShare.SubmissionOffset(index));

    /// <summary>With shared virtual addresses: what an I/O memory management unit does when the device uses an address for the first time.</summary>
    private void Reach(in SubmissionEntry entry)
    {
        if ((_device.Options.Flags & UacceFlags.SharedAddresses) == 0)
        {
            return;
        }

        foreach (ulong address in (ReadOnlySpan<ulong>)[entry.KeyIova, entry.InputIova, entry.OutputIova])
        {
            if (!_reached.Exists(range => address >= range.Start && address < range.End) && ProcessMemory.Find(address) is { } found)
            {
                using FileDescriptor file = found.File;
                _queue.MapDma(file, found.FileOffset, found.Start, found.SizeBytes, DmaAccess.ReadWrite);
                _reached.Add((found.Start, found.Start + found.SizeBytes));
            }
        }
    }

    /// <summary>uacce_start_queue.</summary>
    private void Start()
    {
        if (_state != QueueState.Initial)
        {
            throw Refused("ioctl", "the queue is started", Errno.EINVAL);
        }

        Command(QueueCommand.Start);
        _state = QueueState.Started;
        _tail = 0;
        _pollHead = 0;
        _pollPhase = 1;

        // The completion queue's context begins with its c_flag set: dw6, QM_CQ_FLAG_SHIFT.
        Ring(new Doorbell((uint)_queue.Number, DoorbellCommand.Completion, 0, Interrupt: true));
    }

    /// <summary>uacce_put_queue.</summary>
    private void Put()
    {
        if (_state == QueueState.Started && _queue.IsGone is false)
        {
            try
            {
                Command(QueueCommand.Stop);
            }
            catch (LinuxException)
            {
                // The hardware was reset.
            }
        }

        _state = QueueState.Initial;
        if (_device.Options.PutQueueReleases)
        {
            _state = QueueState.Zombie;
            _device.Release(this);
        }
    }

    private void Command(QueueCommand command)
    {
        Span<byte> value = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(value, (uint)command);
        _queue.WriteRegion(EmulatedRegion.Control, ControlRegister.Command, value);
    }

    private bool TakeNews()
    {
        bool isNew = false;
        while ((Volatile.Read(ref _rings.At<ushort>(DeviceUserShare.CompletionOffset(Depth, _pollHead) + CompletionEntry.PhaseOffset)) & 1) == _pollPhase)
        {
            isNew = true;
            _pollHead = (_pollHead + 1) & (Depth - 1);
            _pollPhase ^= _pollHead == 0 ? 1 : 0;
        }

        return isNew;
    }

    /// <summary>Memory in pieces that lie anywhere, the later the lower; or, with an I/O memory management unit, in one.</summary>
    private MappedMemory MapStaticShare(int length)
    {
        _staticShare = SharedMemory.Create("fake-static-share", length, secret: false);
        bool isContiguous = (_device.Options.Flags & UacceFlags.Iommu) != 0;
        int done = 0;
        for (int number = 1; done < length; number++)
        {
            int bytes = isContiguous ? length : Math.Min(((number % 3) + 1) * StaticShareSlice.UnitBytes, length - done);
            ulong address = FirstSlice - ((ulong)number << 24);
            _queue.MapDma(_staticShare.File, (ulong)done, address, (ulong)bytes, DmaAccess.ReadWrite);
            _slices.Add(new StaticShareSlice(address, bytes / StaticShareSlice.UnitBytes));
            done += bytes;
        }

        return MappedMemory.MapShared(_staticShare.File, 0, length, writable: true, secret: false);
    }

    /// <summary>A file is released when its last descriptor is closed and nothing of it is mapped.</summary>
    private void ReleaseWhenUnused()
    {
        if (!_isClosed || _regions.Count > 0 || _isReleased)
        {
            return;
        }

        _isReleased = true;
        _state = QueueState.Zombie;
        _queue.Dispose();
        _rings.Dispose();
        _mmio.Dispose();
        _staticShare?.Dispose();
        _interrupt.Dispose();
        _device.Release(this);
    }
}
