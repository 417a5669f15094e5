using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace WarpProxy.Tests.EndToEnd.Strangers;

/// <summary>A message of vfio-user taken apart: a header of 16 bytes, what follows it, and the descriptors that came with it.</summary>
internal sealed record StrangerMessage(ushort Id, ushort Command, uint Flags, uint Error, byte[] Payload, int[] Descriptors)
{
    public ushort U16(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(Payload.AsSpan(offset));

    public uint U32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(Payload.AsSpan(offset));

    public ulong U64(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(Payload.AsSpan(offset));
}

/// <summary>
/// A Unix socket, bytes and descriptors, on system calls alone: a client of the device that shares nothing with the driver, its layouts
/// and its constants. Whoever waits longer than a minute has found a defect.
/// </summary>
internal sealed unsafe partial class StrangerSocket : IDisposable
{
    private const int LimitMs = 60_000;
    private const int AncillaryBytes = 16 + (4 * 16);

    private readonly int _fd;

    public StrangerSocket(string path)
    {
        // AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC; sockaddr_un is a family of two bytes and the path.
        _fd = Checked("socket", socket(1, 1 | 0x80000, 0));
        byte[] address = new byte[110];
        address[0] = 1;
        Encoding.UTF8.GetBytes(path, address.AsSpan(2));
        fixed (byte* start = address)
        {
            _ = Checked("connect", connect(_fd, start, 110));
        }
    }

    /// <summary>Little-endian bytes of each value, as wide as its type.</summary>
    public static byte[] Bytes(params object[] values) =>
    [
        .. values.SelectMany(static value => value switch
        {
            byte u8 => [u8],
            ushort u16 => BitConverter.GetBytes(u16),
            uint u32 => BitConverter.GetBytes(u32),
            ulong u64 => BitConverter.GetBytes(u64),
            byte[] bytes => bytes,
            _ => throw new ArgumentException($"{value.GetType()} is none of the format's types."),
        }),
    ];

    public static void Close(int descriptor) => _ = close(descriptor);

    /// <summary>An eventfd that nothing waits for.</summary>
    public static int NewEventFd() => Checked("eventfd", eventfd(0, 0x800));

    /// <summary>How often the eventfd was signalled since the last time; 0: not at all.</summary>
    public static ulong TakeSignals(int descriptor)
    {
        ulong count = 0;
        return read(descriptor, &count, 8) == 8 ? count : 0;
    }

    /// <summary>Waits until a descriptor can be read.</summary>
    public static void AwaitReadable(int descriptor)
    {
        // struct pollfd: int fd, short events (POLLIN is 1), short revents.
        long question = (uint)descriptor | (1L << 32);
        Assert.True(poll(&question, 1, LimitMs) == 1, "nothing came in a minute");
    }

    public static byte[] Message(ushort id, ushort command, byte[] payload, uint flags = 0) =>
        Bytes(id, command, (uint)(16 + payload.Length), flags, 0u, payload);

    /// <summary>Sends bytes, and descriptors with them.</summary>
    public void Send(byte[] bytes, params int[] descriptors)
    {
        // struct cmsghdr: size_t length, int level (SOL_SOCKET), int type (SCM_RIGHTS); then the descriptors, padded to 8 bytes.
        byte[] control = descriptors.Length == 0
            ? []
            : Bytes((ulong)(16 + (4 * descriptors.Length)), 1u, 1u, MemoryMarshal.AsBytes<int>(descriptors).ToArray(), new byte[4 * (descriptors.Length % 2)]);
        fixed (byte* data = bytes, ancillary = control)
        {
            nint* vector = stackalloc nint[] { (nint)data, bytes.Length };
            nint* header = stackalloc nint[] { 0, 0, (nint)vector, 1, (nint)ancillary, control.Length, 0 };
            int sent = Checked("sendmsg", (int)sendmsg(_fd, header, 0x4000));
            Assert.Equal(bytes.Length, sent);
        }
    }

    /// <summary>The next message, whole.</summary>
    public StrangerMessage Receive()
    {
        var descriptors = new List<int>();
        byte[] header = Exactly(16, descriptors);
        int size = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(4));
        return new StrangerMessage(
            BinaryPrimitives.ReadUInt16LittleEndian(header),
            BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(2)),
            BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(8)),
            BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(12)),
            Exactly(size - 16, descriptors),
            [.. descriptors]);
    }

    public void Dispose() => Close(_fd);

    private static int Checked(string call, int result) =>
        result >= 0 ? result : throw new IOException($"{call}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    private byte[] Exactly(int count, List<int> descriptors)
    {
        byte[] bytes = new byte[count];
        byte* ancillary = stackalloc byte[AncillaryBytes];
        nint* vector = stackalloc nint[2];
        nint* header = stackalloc nint[7];
        for (int at = 0; at < count;)
        {
            AwaitReadable(_fd);
            fixed (byte* data = &bytes[at])
            {
                // struct iovec and struct msghdr: no address, one piece, room for descriptors, flags that come back.
                (vector[0], vector[1]) = ((nint)data, count - at);
                (header[0], header[1], header[2], header[3], header[4], header[5], header[6]) = (0, 0, (nint)vector, 1, (nint)ancillary, AncillaryBytes, 0);
                int received = Checked("recvmsg", (int)recvmsg(_fd, header, 0x40000000));
                Assert.True(received > 0, $"closed after {at} of {count} bytes");
                at += received;
                if (header[5] > 0)
                {
                    descriptors.AddRange(new ReadOnlySpan<int>(ancillary + 16, (int)(*(nint*)ancillary - 16) / 4));
                }
            }
        }

        return bytes;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int connect(int fd, byte* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(int fd, nint* header, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(int fd, nint* header, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(long* descriptors, nuint count, int timeoutMs);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc")]
    private static partial nint read(int fd, void* buffer, nuint count);

    [LibraryImport("libc")]
    private static partial int close(int fd);
}
