using System.Runtime.InteropServices;
using System.Text;

namespace WarpDrive.Linux;

/// <summary>A connected stream socket of the AF_UNIX family that carries bytes and file descriptors (unix(7), SCM_RIGHTS).</summary>
public sealed unsafe class UnixSocket : IDisposable
{
    /// <summary>The most descriptors that one message may carry here; the kernel allows 253.</summary>
    public const int MaxDescriptors = 16;

    /// <summary>The longest path of a socket file: 108 bytes with the terminating zero (unix(7)).</summary>
    public const int MaxPathBytes = Libc.SockAddrUn.PathCapacity - 1;

    // struct cmsghdr: u64 length, i32 level, i32 type, then the data, aligned to 8.
    private const int ControlHeader = 16;
    private const int ControlCapacity = ControlHeader + (MaxDescriptors * sizeof(int));

    // Room for all that the kernel lets a peer send at once (SCM_MAX_FD): what does not fit would be closed by the receiving call, which could wait for it.
    private const int MaxReceivedDescriptors = 253;
    private const int ReceiveCapacity = ControlHeader + (((MaxReceivedDescriptors * sizeof(int)) + 7) & ~7);

    internal UnixSocket(FileDescriptor file) => File = file;

    /// <summary>The descriptor to wait on. Owned by this object.</summary>
    public FileDescriptor File { get; }

    /// <summary>Process, user and group at the other end, as the kernel knows them.</summary>
    /// <exception cref="LinuxException">The socket is closed.</exception>
    public (int ProcessId, uint UserId, uint GroupId) PeerCredentials
    {
        get
        {
            Libc.UCred credentials;
            uint length = (uint)sizeof(Libc.UCred);
            if (Libc.getsockopt(File.Number, Libc.SOL_SOCKET, Libc.SO_PEERCRED, &credentials, &length) != 0)
            {
                throw new LinuxException("getsockopt", "SO_PEERCRED");
            }

            return (credentials.ProcessId, credentials.UserId, credentials.GroupId);
        }
    }

    /// <summary>Connects to a listening socket.</summary>
    /// <param name="path">Of the socket file.</param>
    /// <param name="timeout">The longest that a later send or receive waits; then it fails with EAGAIN.</param>
    /// <exception cref="LinuxException">ENOENT: no such file; ECONNREFUSED: nobody listens, or no socket; EACCES.</exception>
    public static UnixSocket Connect(string path, TimeSpan timeout)
    {
        Libc.SockAddrUn address = ToAddress(path, out uint length);
        FileDescriptor file = Open();
        try
        {
            var time = new Libc.TimeVal { Seconds = (long)timeout.TotalSeconds, Microseconds = timeout.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond };
            if (Libc.setsockopt(file.Number, Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, &time, (uint)sizeof(Libc.TimeVal)) != 0
                || Libc.setsockopt(file.Number, Libc.SOL_SOCKET, Libc.SO_SNDTIMEO, &time, (uint)sizeof(Libc.TimeVal)) != 0)
            {
                throw new LinuxException("setsockopt", "SO_RCVTIMEO, SO_SNDTIMEO");
            }

            if (Libc.connect(file.Number, &address, length) != 0)
            {
                throw new LinuxException("connect", path);
            }

            return new UnixSocket(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Whether a socket file stands at <paramref name="path"/>, with or without a listener. connect(2) refuses a plain file just
    /// as it refuses a socket without a listener; open(2) tells them apart: only a socket is refused with ENXIO. Reading and
    /// writing, since that opens a FIFO without waiting for its other end.
    /// </summary>
    /// <exception cref="UnauthorizedAccessException">The file may not be opened by this user.</exception>
    public static bool IsSocketFile(string path)
    {
        if (!System.IO.File.Exists(path))
        {
            return false;
        }

        try
        {
            System.IO.File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite).Dispose();
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (IOException refusal)
        {
            // The runtime passes on the error number of Linux where it has no exception of its own.
            return refusal.HResult == Errno.ENXIO;
        }
    }

    /// <summary>Ends the connection in both directions, for every holder of the socket; what the peer has not read yet stays readable. Never waits.</summary>
    public void ShutDown() => _ = Libc.shutdown(File.Number, Libc.SHUT_RDWR);

    /// <summary>Sends some bytes and, with the first of them, descriptors. The sender keeps its own copies.</summary>
    /// <returns>How many bytes the kernel took.</returns>
    /// <exception cref="LinuxException">EAGAIN: the time is over, or <paramref name="wait"/> is false and the buffer full; EPIPE.</exception>
    public int Send(ReadOnlySpan<byte> data, ReadOnlySpan<FileDescriptor> descriptors, bool wait)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(descriptors.Length, MaxDescriptors);
        byte* control = stackalloc byte[ControlCapacity];
        fixed (byte* p = data)
        {
            var vector = new Libc.IoVec { Base = p, Length = (nuint)data.Length };
            var message = new Libc.MsgHdr { Vectors = &vector, VectorCount = 1 };
            if (descriptors.Length > 0)
            {
                int used = ControlHeader + (descriptors.Length * sizeof(int));
                new Span<byte>(control, ControlCapacity).Clear();
                *(ulong*)control = (ulong)used;
                ((int*)control)[2] = Libc.SOL_SOCKET;
                ((int*)control)[3] = Libc.SCM_RIGHTS;
                for (int i = 0; i < descriptors.Length; i++)
                {
                    ((int*)control)[4 + i] = descriptors[i].Number;
                }

                message.Control = control;
                message.ControlLength = (nuint)((used + 7) & ~7);
            }

            nint sent;
            do
            {
                sent = Libc.sendmsg(File.Number, &message, Libc.MSG_NOSIGNAL | (wait ? 0 : Libc.MSG_DONTWAIT));
            }
            while (WasInterrupted(sent));
            return sent >= 0 ? (int)sent : throw new LinuxException("sendmsg", $"{data.Length} bytes, {descriptors.Length} descriptors");
        }
    }

    /// <summary>Receives some bytes and the descriptors that came with them.</summary>
    /// <param name="buffer">Where the bytes go.</param>
    /// <param name="descriptors">Received descriptors are added; the caller owns them.</param>
    /// <param name="wait">Whether to wait for bytes.</param>
    /// <returns>How many bytes; 0: the peer has closed.</returns>
    /// <exception cref="LinuxException">EAGAIN: nothing there in time; ECONNRESET; EMSGSIZE: more descriptors than this process may open.</exception>
    public int Receive(Span<byte> buffer, ICollection<FileDescriptor> descriptors, bool wait)
    {
        ArgumentNullException.ThrowIfNull(descriptors);
        byte* control = stackalloc byte[ReceiveCapacity];
        fixed (byte* p = buffer)
        {
            var vector = new Libc.IoVec { Base = p, Length = (nuint)buffer.Length };
            var message = new Libc.MsgHdr { Vectors = &vector, VectorCount = 1, Control = control, ControlLength = ReceiveCapacity };
            nint received;
            do
            {
                received = Libc.recvmsg(File.Number, &message, Libc.MSG_CMSG_CLOEXEC | (wait ? 0 : Libc.MSG_DONTWAIT));
            }
            while (WasInterrupted(received));
            if (received < 0)
            {
                throw new LinuxException("recvmsg", $"{buffer.Length} bytes");
            }

            TakeDescriptors(control, message.ControlLength, descriptors);
            if ((message.Flags & Libc.MSG_CTRUNC) != 0)
            {
                throw new LinuxException("recvmsg", "more descriptors than this process may open", Errno.EMSGSIZE);
            }

            return (int)received;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => File.Dispose();

    internal static FileDescriptor Open()
    {
        int fd = Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0);
        return fd >= 0 ? new FileDescriptor(fd) : throw new LinuxException("socket", "AF_UNIX");
    }

    internal static Libc.SockAddrUn ToAddress(string path, out uint length)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(path);

        if (bytes.Length is 0 or > MaxPathBytes)
        {
            throw new LinuxException("connect", $"socket path '{path}' is {bytes.Length} bytes long; 1 to {MaxPathBytes} are allowed", Errno.EINVAL);
        }

        var address = new Libc.SockAddrUn { Family = Libc.AF_UNIX };
        bytes.CopyTo(new Span<byte>(address.Path, Libc.SockAddrUn.PathCapacity));
        length = (uint)(sizeof(ushort) + bytes.Length + 1);
        return address;
    }

    private static void TakeDescriptors(byte* control, nuint length, ICollection<FileDescriptor> descriptors)
    {
        for (nuint at = 0; at + ControlHeader <= length;)
        {
            ulong size = *(ulong*)(control + at);
            if (size < ControlHeader || size > length - at)
            {
                return;
            }

            int* header = (int*)(control + at);
            if (header[2] == Libc.SOL_SOCKET && header[3] == Libc.SCM_RIGHTS)
            {
                int count = (int)(size - ControlHeader) / sizeof(int);
                for (int i = 0; i < count; i++)
                {
                    descriptors.Add(new FileDescriptor(header[4 + i]));
                }
            }

            at += (nuint)((size + 7) & ~7UL);
        }
    }

    private static bool WasInterrupted(nint result) => result < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR;
}
