using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using static WarpProxy.Tests.EndToEnd.Strangers.StrangerSocket;

namespace WarpProxy.Tests.EndToEnd.Strangers;

/// <summary>
/// A client that knows vfio-user and HPRE, and of this device its control registers alone: it gives its memory with DMA_MAP, rings by
/// writing HPRE's doorbell word with REGION_WRITE, and looks for completions again and again. It asks for no interrupt and never touches
/// the doorbells in shared memory. Every number here is written out; the device's page is the source.
/// </summary>
internal sealed class Stranger : IDisposable
{
    public const ulong Iova = 0x10_0000_0000;
    public const int MemoryBytes = 1 << 20;

    private const int StopReceivingAt = 86008;
    private const int StopSendingAt = 86012;
    private const uint NoReply = 0x10;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly StrangerSocket _socket;
    private StrangerMemory? _rings;
    private ushort _id;
    private ushort _number;
    private int _depth;
    private int _head;
    private int _phase;

    public Stranger(string path) => _socket = new StrangerSocket(path);

    public StrangerMemory Memory { get; } = StrangerMemory.Create(MemoryBytes);

    public ushort Number => _number;

    public int Tail { get; private set; }

    public StrangerSocket Socket => _socket;

    /// <summary>Connects and agrees on a version, as QEMU does: 0.0.</summary>
    public static Stranger Open(string path)
    {
        var stranger = new Stranger(path);
        Assert.Equal(0, stranger.Error(1, Version()));
        return stranger;
    }

    /// <summary>Open, with memory mapped and a queue that is started.</summary>
    /// <param name="path">Of the device's socket.</param>
    /// <param name="depth">Of the rings.</param>
    /// <param name="maps">Whether to map the rings; else every entry is written and read by message.</param>
    public static Stranger Start(string path, int depth, bool maps)
    {
        Stranger stranger = Open(path);
        Assert.Equal(0, stranger.MapMemory());
        if (maps)
        {
            StrangerMessage info = stranger.Ask(5, Bytes(64u, 0u, 1u, 0u, 0ul, 0ul));
            stranger._rings = new StrangerMemory(Assert.Single(info.Descriptors), (int)info.U64(16));
        }

        stranger._number = (ushort)stranger.ReadRegister(0x24);
        stranger._depth = depth;
        stranger.WriteRegister(0x1c, (uint)depth);
        stranger.Start();
        return stranger;
    }

    public static byte[] Version(ushort major = 0, ushort minor = 0, string? text = "{\"capabilities\":{\"max_msg_fds\":8}}\0") =>
        Bytes(major, minor, Encoding.UTF8.GetBytes(text ?? ""));

    /// <summary>Announces the memory; returns the device's error number.</summary>
    public int MapMemory(uint flags = 3) => Error(2, Bytes(32u, flags, 0ul, Iova, (ulong)MemoryBytes), Memory.Descriptor);

    /// <summary>Sends a command, and receives a reply that has its id, its number and a reply's type.</summary>
    public StrangerMessage Ask(ushort command, byte[] payload, params int[] descriptors)
    {
        ushort id = ++_id;
        _socket.Send(Message(id, command, payload), descriptors);
        StrangerMessage reply = _socket.Receive();
        Assert.Equal((id, command, 1u), (reply.Id, reply.Command, reply.Flags & 0xf));
        Assert.Equal((reply.Flags & 0x20) != 0, reply.Error != 0);
        return reply;
    }

    /// <summary>The error number that a command is answered with; 0: it is not refused.</summary>
    public int Error(ushort command, byte[] payload, params int[] descriptors) => (int)Ask(command, payload, descriptors).Error;

    /// <summary>Sends a command that is not answered.</summary>
    public void Post(ushort command, byte[] payload, params int[] descriptors) =>
        _socket.Send(Message(++_id, command, payload, NoReply), descriptors);

    public byte[] Read(uint region, ulong offset, int count)
    {
        byte[] access = Bytes(offset, region, (uint)count);
        StrangerMessage reply = Ask(9, access);
        Assert.Equal(0u, reply.Error);
        Assert.Equal(access, reply.Payload[..16]);
        Assert.Equal(16 + count, reply.Payload.Length);
        return reply.Payload[16..];
    }

    public int TryWrite(uint region, ulong offset, byte[] data) => Error(10, Bytes(offset, region, (uint)data.Length, data));

    public uint ReadRegister(ulong offset) => BinaryPrimitives.ReadUInt32LittleEndian(Read(2, offset, 4));

    public void WriteRegister(ulong offset, uint value) => Assert.Equal(0, TryWrite(2, offset, Bytes(value)));

    /// <summary>Starts the queue; both rings begin at 0, with phase 1.</summary>
    public void Start()
    {
        WriteRegister(0x28, 1);
        (Tail, _head, _phase) = (0, 0, 1);
    }

    public void Stop() => WriteRegister(0x28, 2);

    public (uint Receiving, uint Sending) StopWords() =>
        (BinaryPrimitives.ReadUInt32LittleEndian(ReadRings(StopReceivingAt, 4)), BinaryPrimitives.ReadUInt32LittleEndian(ReadRings(StopSendingAt, 4)));

    /// <summary>Writes an SQE at the tail. Addresses are offsets into the memory; -1 is the address 0.</summary>
    public void Submit(uint algorithm, int taskLength, int key, int input, int output, ulong tag, uint done = 1)
    {
        byte[] entry = Bytes(algorithm | (done << 30), (byte)taskLength, (byte)0, (ushort)0, At(key), At(input), At(output), tag, 0ul, 0ul, 0ul);
        Assert.Equal(64, entry.Length);
        WriteRings(64 * Tail, entry);
        Tail = (Tail + 1) % _depth;

        static ulong At(int offset) => offset < 0 ? 0 : Iova + (ulong)offset;
    }

    /// <summary>The doorbell of the SQ: bits 9:0 the queue, 15:12 the ring, 47:32 the index.</summary>
    public void Ring(bool posted = false) => Doorbell((ulong)_number | ((ulong)Tail << 32), posted);

    public void Doorbell(ulong word, bool posted)
    {
        byte[] write = Bytes(0x1000ul, 0u, 8u, word);
        if (posted)
        {
            Post(10, write);
        }
        else
        {
            Assert.Equal(0, Error(10, write));
        }
    }

    /// <summary>Looks for the next completion until there is one, returns the head with a doorbell of the CQ, and the SQE as the device left it.</summary>
    public StrangerResult Reap(bool posted = false)
    {
        int at = (64 * _depth) + (16 * _head);
        long since = Stopwatch.GetTimestamp();
        while ((Phase(at) & 1) != _phase)
        {
            Assert.True(Stopwatch.GetElapsedTime(since) < Patience, $"queue {_number} has no completion {_head} in a minute");
            Thread.Yield();
        }

        byte[] completion = ReadRings(at, 16);
        int index = BinaryPrimitives.ReadUInt16LittleEndian(completion.AsSpan(8));
        Assert.Equal(Bytes(0ul, (ushort)index, _number, (ushort)0, (ushort)_phase), completion);

        // Completions come in the order of the submissions.
        Assert.Equal(_head, index);
        byte[] entry = ReadRings(64 * index, 64);
        _head = (_head + 1) % _depth;
        _phase ^= _head == 0 ? 1 : 0;
        Doorbell(_number | (1ul << 12) | ((ulong)_head << 32), posted);
        uint control = BinaryPrimitives.ReadUInt32LittleEndian(entry);
        return new StrangerResult(
            control & 0x1f, (control >> 5) & 0x7ff, (control >> 16) & 0x3fff, control >> 30, BinaryPrimitives.ReadUInt64LittleEndian(entry.AsSpan(32)));
    }

    public void Dispose()
    {
        _socket.Dispose();
        _rings?.Dispose();
        StrangerSocket.Close(Memory.Descriptor);
        Memory.Dispose();
    }

    private ushort Phase(int completion) => _rings is null
        ? BinaryPrimitives.ReadUInt16LittleEndian(Read(1, (ulong)completion + 14, 2))
        : _rings.LoadU16(completion + 14);

    private byte[] ReadRings(int offset, int count) => _rings is null ? Read(1, (ulong)offset, count) : _rings.Span.Slice(offset, count).ToArray();

    private void WriteRings(int offset, byte[] data)
    {
        if (_rings is null)
        {
            Assert.Equal(0, TryWrite(1, (ulong)offset, data));
        }
        else
        {
            data.CopyTo(_rings.Span[offset..]);
        }
    }
}

/// <summary>What the device wrote into an SQE, and its tag.</summary>
internal readonly record struct StrangerResult(uint Algorithm, uint Error, uint SecondError, uint Done, ulong Tag);
