using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using WarpDrive.Abi.Device;
using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Vfio;
using WarpDrive.Engines;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Hostile;

/// <summary>
/// A queue pair of a device that computes right and then does with its rings, doorbells, eventfds and the host's memory what its <see cref="Misdeed"/>
/// says, on its own thread. It keeps count of everything that it gave to the host and of what the host gave to it.
/// </summary>
internal sealed partial class HostileDevice : IVfioDevice
{
    private const int F_SETFL = 4;
    private const int O_NONBLOCK = 0x800;

    private readonly Misdeed _misdeed;
    private readonly Func<bool> _isArmed;
    private readonly SharedMemory _dus = SharedMemory.Create("hostile-dus", DeviceUserShare.SizeInBytes, secret: false);
    private readonly SharedMemory _doorbells = SharedMemory.Create("hostile-doorbells", EmulatedRegion.DoorbellsSizeInBytes, secret: false);
    private readonly byte[] _control = new byte[EmulatedRegion.ControlSizeInBytes];
    private readonly List<(ulong Iova, MappedMemory Memory)> _maps = [];
    private readonly List<MappedMemory> _regions = [];      // the host's mappings
    private readonly List<FileDescriptor> _files = [];      // the host's descriptors
    private readonly EventFd _kicks = new();
    private readonly OperationBatch _batch = new(1, new byte[OperationBatch.StorageBytes(1)]);
    private EventFd? _interrupt;
    private ScalarEngine? _engine;
    private Thread? _thread;
    private volatile bool _isClosed;
    private int _fetched;
    private int _completed;     // where the next completion stands
    private int _phase = 1;

    /// <summary>Makes a queue.</summary>
    /// <param name="misdeed">What it does.</param>
    /// <param name="seed">Of <see cref="Random"/>.</param>
    /// <param name="isArmed">Whether it does so already; until then it is a good device, which passes for one when it is opened.</param>
    public HostileDevice(Misdeed misdeed, int seed, Func<bool> isArmed)
    {
        _misdeed = misdeed;
        _isArmed = isArmed;
        Random = new Random(seed);
        SetRegister(ControlRegister.Magic, ControlRegister.MagicValue);
        SetRegister(ControlRegister.Version, ControlRegister.VersionValue);
        SetRegister(ControlRegister.Capabilities, 3);
        SetRegister(ControlRegister.KeySizes, 0xf);
        SetRegister(ControlRegister.MaxDepth, 1024);
        SetRegister(ControlRegister.QueueNumber, QueueNumber);
        SetRegister(ControlRegister.EngineCount, 1);
        SetRegister(ControlRegister.EngineLanes, 8);
        "hostile"u8.CopyTo(_control.AsSpan((int)ControlRegister.EngineName));
        misdeed.Make?.Invoke(this);
    }

    public static ushort QueueNumber => 5;

    /// <summary>The device thread's.</summary>
    public Random Random { get; }

    public FileDescriptor? GoneSignal => null;

    public bool IsGone { get; set; }

    public bool IsClosed => _isClosed;

    public int Depth => (int)BinaryPrimitives.ReadUInt32LittleEndian(_control.AsSpan((int)ControlRegister.Depth));

    public MappedMemory Dus => _dus.Memory;

    public MappedMemory Doorbells => _doorbells.Memory;

    /// <summary>Everything that the host shares with this device.</summary>
    public IEnumerable<MappedMemory> HostMemory => _maps.Select(static map => map.Memory);

    /// <summary>The index that the next submission will have.</summary>
    public int NextSubmission => _fetched;

    /// <summary>Where the next completion is due.</summary>
    public int NextCompletion => _completed;

    /// <summary>The phase that the host waits for there.</summary>
    public int NextPhase => _phase;

    public void SetRegister(ulong offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(_control.AsSpan((int)offset), value);

    /// <summary>The right result.</summary>
    public byte[] Compute(HostileSubmission submission)
    {
        int k = submission.ModulusBytes;
        _engine ??= new ScalarEngine();
        _batch.Clear();
        _batch.Add(RsaAlgorithm.Crt, k);
        Host(submission.KeyIova, 5 * k / 2).CopyTo(_batch.Key(0));
        Host(submission.InputIova, k).CopyTo(_batch.Input(0));
        _engine.Execute(_batch);
        return _batch.Output(0).ToArray();
    }

    /// <summary>The modulus, out of the key block.</summary>
    public BigInteger Modulus(HostileSubmission submission)
    {
        int half = submission.ModulusBytes / 2;
        Span<byte> block = Host(submission.KeyIova, 5 * half);
        return new BigInteger(block.Slice(2 * half, half), isUnsigned: true, isBigEndian: true)
            * new BigInteger(block.Slice(3 * half, half), isUnsigned: true, isBigEndian: true);
    }

    /// <summary>The host's memory behind an IOVA.</summary>
    public Span<byte> Host(ulong iova, int length)
    {
        (ulong start, MappedMemory memory) = _maps.Single(map => iova >= map.Iova && iova + (ulong)length <= map.Iova + (ulong)map.Memory.Length);
        return memory.Slice((int)(iova - start), length);
    }

    public void WriteOutput(HostileSubmission submission, ReadOnlySpan<byte> result) => result.CopyTo(Host(submission.OutputIova, submission.ModulusBytes));

    /// <summary>Writes the control word back: done, with an error.</summary>
    public void MarkDone(int index, uint error = 0, uint done = 3) =>
        Volatile.Write(ref Dus.At<uint>(DeviceUserShare.SubmissionOffset(index)), 1 | (error << 5) | (done << 30));

    /// <summary>Writes the next completion as it should be, or with a field that is wrong.</summary>
    public void Complete(int index, int? queueNumber = null, bool interrupts = true)
    {
        WriteCompletion(_completed, index, _phase, queueNumber ?? QueueNumber);
        Skip();
        if (interrupts)
        {
            Interrupt();
        }
    }

    /// <summary>Takes the next completion's place without writing it.</summary>
    public void Skip()
    {
        _completed = (_completed + 1) % Depth;
        _phase ^= _completed == 0 ? 1 : 0;
    }

    public void WriteCompletion(int at, int index, int phase, int queueNumber)
    {
        int offset = DeviceUserShare.CompletionOffset(Depth, at);
        Volatile.Write(ref Dus.At<ulong>(offset + 8), (ushort)index | ((ulong)(ushort)queueNumber << 16) | ((ulong)(ushort)phase << 48));
    }

    /// <summary>As a good device does all of it.</summary>
    public void AnswerRight(HostileSubmission submission) => AnswerWith(submission, Compute(submission));

    /// <summary>As a good device, but for the result.</summary>
    public void AnswerWith(HostileSubmission submission, ReadOnlySpan<byte> result)
    {
        WriteOutput(submission, result);
        MarkDone(submission.Index);
        Complete(submission.Index);
    }

    public void Interrupt() => _interrupt?.Signal();

    public void Stop(bool isStopped) => Volatile.Write(ref Dus.At<uint>(DeviceUserShare.StopSendingOffset), isStopped ? 1u : 0u);

    /// <summary>Fills the counter of the doorbell's eventfd and has every write to it wait.</summary>
    public void FillDoorbell() => Fill(_kicks);

    /// <summary>The same to the interrupt's.</summary>
    public void FillInterrupt() => Fill(_interrupt!);

    /// <summary>Empties the interrupt, of which the host was just told, and has a read of it wait.</summary>
    public void StealInterrupt()
    {
        Assert.Equal(0, fcntl(_interrupt!.File.Number, F_SETFL, 0));
        _ = _interrupt.TryConsume();
    }

    /// <summary>What the host still has of what it got or gave; empty once it has closed the queue.</summary>
    public IEnumerable<string> Leaks()
    {
        if (!_isClosed)
        {
            yield return "the queue";
        }

        foreach (MappedMemory region in _regions.Where(static region => !IsDisposed(region)))
        {
            yield return $"a region of {region.Length} bytes";
        }

        foreach (FileDescriptor file in _files.Where(static file => !file.IsClosed))
        {
            yield return "a descriptor";
        }
    }

    /// <summary>Waits for the device's thread, which the host's closing has told to end.</summary>
    public void Join(TimeSpan patience) => Assert.True(_thread is null || _thread.Join(patience), "the hostile device goes on");

    public VfioDeviceInfo GetInfo() => new(VfioDeviceFlags.Reset, EmulatedRegion.Count, EmulatedRegion.IrqCount);

    public VfioRegionInfo GetRegionInfo(uint region) => throw new NotSupportedException();

    public MappedMemory MapRegion(uint region)
    {
        SharedMemory memory = region == EmulatedRegion.Dus ? _dus : _doorbells;
        _regions.Add(MappedMemory.MapShared(memory.File, 0, memory.Memory.Length, writable: true, secret: false));
        return _regions[^1];
    }

    public EventFd GetRegionIoEventFd(uint region)
    {
        // As it would come through a socket.
        EventFd eventFd = EventFd.Adopt(new FileDescriptor(dup(_kicks.File.Number)));
        _files.Add(eventFd.File);
        return eventFd;
    }

    public VfioIrqInfo GetIrqInfo(uint index) => new(VfioIrqFlags.EventFd, 1);

    public void SetIrq(uint index, EventFd? eventFd)
    {
        _files.Add(eventFd!.File);
        _interrupt = EventFd.Adopt(new FileDescriptor(dup(eventFd.File.Number)));
    }

    public void ReadRegion(uint region, ulong offset, Span<byte> data) => _control.AsSpan((int)offset, data.Length).CopyTo(data);

    public void WriteRegion(uint region, ulong offset, ReadOnlySpan<byte> data)
    {
        data.CopyTo(_control.AsSpan((int)offset));
        if (offset == ControlRegister.Command && MemoryMarshal.Read<uint>(data) == (uint)QueueCommand.Start)
        {
            _thread = new Thread(Run) { IsBackground = true, Name = "hostile" };
            _thread.Start();
        }
    }

    public void MapDma(FileDescriptor file, ulong fileOffset, ulong iova, ulong sizeBytes, DmaAccess access)
    {
        // Never mind what access it was given.
        _maps.Add((iova, MappedMemory.MapShared(file, (long)fileOffset, (int)sizeBytes, writable: true, secret: false)));
        _files.Add(file);
    }

    public void UnmapDma(ulong iova, ulong sizeBytes) => throw new NotSupportedException();

    public void Reset() => throw new NotSupportedException();

    /// <summary>The host closes the queue. Unlike a good one, the device notices a little later.</summary>
    public void Dispose()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            _kicks.Signal();
            if (_thread is null)
            {
                Release();
            }
        }
    }

    private static void Fill(EventFd eventFd)
    {
        // With O_NONBLOCK, or a full one would catch this thread instead.
        Assert.Equal(0, fcntl(eventFd.File.Number, F_SETFL, O_NONBLOCK));
        _ = write(eventFd.File.Number, BitConverter.GetBytes(ulong.MaxValue - 1), 8);
        Assert.Equal(0, fcntl(eventFd.File.Number, F_SETFL, 0));
    }

    private static bool IsDisposed(MappedMemory memory)
    {
        try
        {
            return memory.Address == 0;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    private void Run()
    {
        bool hasStarted = false;
        while (!_isClosed)
        {
            // In this order: what is posted when it is armed already meets an armed device.
            bool isPosted = Volatile.Read(ref Doorbells.At<uint>(ParavirtualDoorbell.SubmissionTailOffset)) % (uint)Depth != _fetched;
            bool isArmed = _isArmed();
            if (isArmed && !hasStarted)
            {
                hasStarted = true;
                _misdeed.Start?.Invoke(this);
            }

            if (!isPosted)
            {
                if (isArmed)
                {
                    _misdeed.Idle?.Invoke(this);
                }

                Volatile.Write(ref Doorbells.At<uint>(ParavirtualDoorbell.DeviceAsleepOffset), 1);
                _ = Poll.WaitReadable(_kicks.File, null, TimeSpan.FromMilliseconds(isArmed && _misdeed.IsRestless ? 0 : 2));
                _ = _kicks.TryConsume();
                continue;
            }

            int index = _fetched;
            _fetched = (_fetched + 1) % Depth;
            SubmissionEntry entry = Dus.At<SubmissionEntry>(DeviceUserShare.SubmissionOffset(index));
            int modulusBytes = (entry.TaskLength1 + 1) * 8;
            if (OperationBatch.IsSupportedModulus(modulusBytes) && CanReach(entry.KeyIova, 5 * modulusBytes / 2)
                && CanReach(entry.InputIova, modulusBytes) && CanReach(entry.OutputIova, modulusBytes))
            {
                Action<HostileDevice, HostileSubmission> answer = isArmed ? _misdeed.Answer : static (device, submission) => device.AnswerRight(submission);
                answer(this, new HostileSubmission(index, modulusBytes, entry.KeyIova, entry.InputIova, entry.OutputIova));
            }

            // Else it has itself overwritten the entry, or the tail.
        }

        _misdeed.Close?.Invoke(this);
        Release();
    }

    private bool CanReach(ulong iova, int length) =>
        _maps.Exists(map => iova >= map.Iova && iova < map.Iova + (ulong)map.Memory.Length && map.Iova + (ulong)map.Memory.Length - iova >= (ulong)length);

    private void Release()
    {
        _maps.ForEach(static map => map.Memory.Dispose());
        _interrupt?.Dispose();
        _kicks.Dispose();
        _dus.Dispose();
        _doorbells.Dispose();
        _engine?.Dispose();
    }

    [LibraryImport("libc")]
    private static partial int dup(int fd);

    [LibraryImport("libc")]
    private static partial int fcntl(int fd, int command, int argument);

    [LibraryImport("libc")]
    private static partial nint write(int fd, byte[] buffer, nint count);
}
