using System.Buffers.Binary;
using System.Text;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.VfioUser;

/// <summary>A reply, taken apart by the offsets of accel/README.md.</summary>
internal sealed record RawReply(ushort Id, ushort Command, uint Flags, uint Error, byte[] Payload, List<FileDescriptor> Descriptors) : IDisposable
{
    public uint U32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(Payload.AsSpan(offset));

    public ulong U64(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(Payload.AsSpan(offset));

    public void Dispose() => Descriptors.ForEach(descriptor => descriptor.Dispose());
}

/// <summary>A vfio-user client that writes bytes, right or wrong, with every offset as the number in accel/README.md.</summary>
internal sealed class RawClient(UnixSocket socket) : IDisposable
{
    private ushort _id = 0x1000;

    public UnixSocket Socket => socket;

    public static byte[] Version(ushort major = 0, ushort minor = 0, string json = "{\"capabilities\":{\"max_msg_fds\":8}}\0") =>
        [.. Bytes(major, minor), .. Encoding.UTF8.GetBytes(json)];

    /// <summary>Little-endian bytes of each value, as wide as its type.</summary>
    public static byte[] Bytes(params object[] values)
    {
        var bytes = new List<byte>();
        foreach (object value in values)
        {
            bytes.AddRange(value switch
            {
                ushort u16 => BitConverter.GetBytes(u16),
                uint u32 => BitConverter.GetBytes(u32),
                ulong u64 => BitConverter.GetBytes(u64),
                _ => throw new ArgumentException($"{value.GetType()} is none of the format's types."),
            });
        }

        return [.. bytes];
    }

    public static byte[] Message(ushort id, ushort command, byte[] payload, uint flags = 0, uint? size = null) =>
        [.. Bytes(id, command, size ?? (uint)(16 + payload.Length), flags, 0u), .. payload];

    public static byte[] DmaMap(uint argsz = 32, uint flags = 3, ulong fileOffset = 0, ulong iova = 0x10000, ulong size = 4096) =>
        Bytes(argsz, flags, fileOffset, iova, size);

    public static byte[] DmaUnmap(ulong iova = 0x10000, ulong size = 4096, uint argsz = 24, uint flags = 0) => Bytes(argsz, flags, iova, size);

    public static byte[] RegionInfo(uint argsz, uint region) => Bytes(argsz, 0u, region, 0u, 0ul, 0ul);

    public static byte[] Access(uint region, ulong offset, uint count) => Bytes(offset, region, count);

    public static byte[] SetIrqs(uint flags, uint count, uint index = 0, uint start = 0, uint argsz = 20) => Bytes(argsz, flags, index, start, count);

    public void Send(byte[] bytes, params FileDescriptor[] descriptors) =>
        Assert.Equal(bytes.Length, socket.Send(bytes, descriptors, wait: true));

    public RawReply Receive()
    {
        var descriptors = new List<FileDescriptor>();
        byte[] header = Exactly(16, descriptors);
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4));
        return new RawReply(
            BinaryPrimitives.ReadUInt16LittleEndian(header),
            BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(2)),
            BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(8)),
            BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(12)),
            Exactly((int)size - 16, descriptors),
            descriptors);
    }

    /// <summary>Sends a command and checks what every reply must have.</summary>
    public RawReply Call(ushort command, byte[] payload, params FileDescriptor[] descriptors)
    {
        ushort id = ++_id;
        Send(Message(id, command, payload), descriptors);
        RawReply reply = Receive();
        Assert.Equal((id, command), (reply.Id, reply.Command));
        Assert.Equal(reply.Error == 0 ? 1u : 0x21u, reply.Flags);
        if (reply.Error != 0)
        {
            Assert.Empty(reply.Payload);
            Assert.Empty(reply.Descriptors);
        }

        return reply;
    }

    /// <summary>The error number that a command is answered with; 0: it is not refused.</summary>
    public int Error(ushort command, byte[] payload, params FileDescriptor[] descriptors)
    {
        using RawReply reply = Call(command, payload, descriptors);
        return (int)reply.Error;
    }

    public uint ReadRegister(ulong offset)
    {
        using RawReply reply = Call(9, Access(2, offset, 4));
        Assert.Equal(0u, reply.Error);
        return reply.U32(16);
    }

    /// <summary>Waits for the server to close the connection; whatever it still says is thrown away.</summary>
    public void AwaitEnd()
    {
        byte[] buffer = new byte[65536];
        var descriptors = new List<FileDescriptor>();
        try
        {
            while (socket.Receive(buffer, descriptors, wait: true) != 0)
            {
            }
        }
        catch (LinuxException failure) when (failure.Error == Errno.ECONNRESET)
        {
            // Closed while bytes of ours lay unread.
        }
    }

    public void Dispose() => socket.Dispose();

    private byte[] Exactly(int count, List<FileDescriptor> descriptors)
    {
        byte[] bytes = new byte[count];
        for (int at = 0; at < count;)
        {
            int received = socket.Receive(bytes.AsSpan(at), descriptors, wait: true);
            Assert.True(received > 0, $"closed after {at} of {count} bytes");
            at += received;
        }

        return bytes;
    }
}
