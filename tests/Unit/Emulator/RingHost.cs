using System.Buffers.Binary;
using WarpDrive.Abi.Vfio;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Emulator;

/// <summary>
/// The host's side of a queue, with every offset written as the number in accel/README.md. Each slot of the arena holds a key
/// (at 0), an input (at 2048) and an output (at 3072).
/// </summary>
internal sealed class RingHost : IDisposable
{
    public const ulong ArenaIova = 0x7000_0000;
    public const int ArenaBytes = 64 * 4096;
    public const int SlotBytes = 4096;
    public const int InputAt = 2048;
    public const int OutputAt = 3072;

    private readonly MappedMemory _dus;
    private readonly MappedMemory _doorbells;
    private readonly ushort _number;
    private int _reapAt;
    private int _phase;

    public RingHost(IVfioDevice queue, int depth = 1024, bool mapArena = true, bool start = true)
    {
        Queue = queue;
        Depth = depth;
        _dus = queue.MapRegion(1);
        _doorbells = queue.MapRegion(3);
        _number = (ushort)ReadRegister(0x24);
        Arena = SharedMemory.Create("test-arena", ArenaBytes, secret: false);
        if (mapArena)
        {
            queue.MapDma(Arena.File, 0, ArenaIova, ArenaBytes, DmaAccess.ReadWrite);
        }

        if (start)
        {
            Start();
        }
    }

    public IVfioDevice Queue { get; }

    public int Depth { get; }

    public SharedMemory Arena { get; }

    public Span<byte> Dus => _dus.GetSpan();

    public int Tail { get; private set; }

    public ref uint SubmissionTail => ref _doorbells.At<uint>(0x000);

    public ref uint CompletionHead => ref _doorbells.At<uint>(0x040);

    public ref uint DeviceAsleep => ref _doorbells.At<uint>(0x080);

    public ref uint HostAsleep => ref _doorbells.At<uint>(0x0c0);

    public uint StopReceiving => Volatile.Read(ref _dus.At<uint>(86008));

    public uint StopSending => Volatile.Read(ref _dus.At<uint>(86012));

    public static ulong SlotIova(int slot) => ArenaIova + ((ulong)slot * SlotBytes);

    public Span<byte> Slot(int slot) => Arena.Memory.Slice(slot * SlotBytes, SlotBytes);

    public Span<byte> Output(int slot, int bytes = 128) => Slot(slot).Slice(OutputAt, bytes);

    public uint ReadRegister(ulong offset)
    {
        Span<byte> value = stackalloc byte[4];
        Queue.ReadRegion(2, offset, value);
        return BinaryPrimitives.ReadUInt32LittleEndian(value);
    }

    public void WriteRegister(ulong offset, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        Queue.WriteRegion(2, offset, bytes);
    }

    public void RingByMessage(ulong word)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, word);
        Queue.WriteRegion(0, 0x1000, bytes);
    }

    public void Start()
    {
        WriteRegister(0x1c, (uint)Depth);
        WriteRegister(0x28, 1);
        Tail = 0;
        _reapAt = 0;
        _phase = 1;
    }

    /// <summary>Writes a plain operation of 1024 bits on a slot's key, input and output.</summary>
    public void Write(int slot, ulong tag = 0) => WriteEntry(0x4000_0000, 15, SlotIova(slot), SlotIova(slot) + InputAt, SlotIova(slot) + OutputAt, tag);

    /// <summary>Writes an SQE at the tail and moves the host's own tail; nothing is rung.</summary>
    public void WriteEntry(uint control, byte taskLength, ulong key, ulong input, ulong output, ulong tag = 0)
    {
        Span<byte> entry = Dus.Slice(64 * Tail, 64);
        entry.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(entry, control);
        entry[4] = taskLength;
        BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], key);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[16..], input);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[24..], output);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[32..], tag);
        Tail = (Tail + 1) % Depth;
    }

    public void Ring() => Volatile.Write(ref SubmissionTail, (uint)Tail);

    /// <summary>Writes and rings.</summary>
    public void Post(int slot, int count = 1)
    {
        for (int i = 0; i < count; i++)
        {
            Write(slot);
        }

        Ring();
    }

    /// <summary>What accel/README.md asks of a host that posts: steps 3 and 4. Returns whether it had to wake the device.</summary>
    public bool RingAndWake(EventFd doorbell)
    {
        Ring();
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref DeviceAsleep) == 1 && Interlocked.Exchange(ref DeviceAsleep, 0) == 1)
        {
            doorbell.Signal();
            return true;
        }

        return false;
    }

    /// <summary>Takes a completion and checks all its bytes; returns the index of its SQE, or -1 when there is none.</summary>
    public int Reap(bool returnHead = true)
    {
        int at = (64 * Depth) + (16 * _reapAt);
        if ((Volatile.Read(ref _dus.At<ushort>(at + 14)) & 1) != _phase)
        {
            return -1;
        }

        Span<byte> expected = stackalloc byte[16];
        BinaryPrimitives.WriteUInt16LittleEndian(expected[8..], (ushort)_reapAt);
        BinaryPrimitives.WriteUInt16LittleEndian(expected[10..], _number);
        BinaryPrimitives.WriteUInt16LittleEndian(expected[14..], (ushort)_phase);
        Span<byte> completion = Dus.Slice(at, 16);
        if (!completion.SequenceEqual(expected))
        {
            Assert.Fail($"completion {Convert.ToHexString(completion)}; it should be {Convert.ToHexString(expected)}");
        }

        int index = _reapAt;
        _reapAt = (_reapAt + 1) % Depth;
        _phase ^= _reapAt == 0 ? 1 : 0;
        if (returnHead)
        {
            Volatile.Write(ref CompletionHead, (uint)_reapAt);
        }

        return index;
    }

    /// <summary>The control word of an SQE.</summary>
    public uint Control(int index) => BinaryPrimitives.ReadUInt32LittleEndian(Dus[(64 * index)..]);

    /// <summary>The error of an SQE that the device is done with.</summary>
    public uint Error(int index)
    {
        Assert.Equal(3u, Control(index) >> 30);
        Assert.Equal(0u, (Control(index) >> 16) & 0x3fff);
        return (Control(index) >> 5) & 0x7ff;
    }

    /// <summary>The next completion, whenever it comes.</summary>
    public int WaitAndReap()
    {
        // Without a pause at first: the next post should meet the device on its way to sleep.
        int index = -1;
        for (int i = 0; i < 2000 && index < 0; i++)
        {
            index = Reap();
        }

        Assert.True(index >= 0 || SpinWait.SpinUntil(() => (index = Reap()) >= 0, TimeSpan.FromSeconds(60)), "no completion in 60 s");
        return index;
    }

    public void Dispose()
    {
        Queue.Dispose();
        _dus.Dispose();
        _doorbells.Dispose();
        Arena.Dispose();
    }
}
