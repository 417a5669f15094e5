using System.Net;
using System.Runtime.InteropServices;

namespace WarpDrive.Linux;

/// <summary>
/// A non-blocking TCP connection of a client, or none; one after the other in the same object, so that a connection slot allocates
/// nothing managed. One thread at a time.
/// </summary>
public sealed unsafe class TcpSocket() : SafeHandle(-1, ownsHandle: true)
{
    /// <inheritdoc/>
    public override bool IsInvalid => handle < 0;

    /// <summary>The descriptor; -1, which the kernel refuses, while there is none.</summary>
    public int Number => IsClosed ? -1 : (int)handle;

    /// <summary>
    /// Opens a socket that sends at once what it is given (TCP_NODELAY), and begins to connect. The end of it shows when the socket
    /// is written: EAGAIN until then, and its error if it failed.
    /// </summary>
    /// <param name="address">Of <see cref="EndPoint.Serialize"/>, which lays it out as the kernel does.</param>
    /// <param name="source">
    /// The address to connect from, with port 0; null: the kernel's choice. Each has ports of its own, for more connections to one
    /// server than one address has ports.
    /// </param>
    /// <returns>0, or the error number: no descriptor left, no port left, no route, refused, not an address of this machine.</returns>
    public int Connect(SocketAddress address, SocketAddress? source = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        ObjectDisposedException.ThrowIf(IsClosed, this);
        End();
        fixed (byte* bytes = address.Buffer.Span)
        {
            // The family is the first field of every sockaddr.
            int fd = Libc.socket(*(ushort*)bytes, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0);
            if (fd < 0)
            {
                return Marshal.GetLastPInvokeError();
            }

            SetHandle(fd);
            int on = 1;
            bool isBegun = Libc.setsockopt(fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, &on, sizeof(int)) == 0
                && (source is null || Bind(fd, source))
                && Libc.connect(fd, bytes, (uint)address.Size) == 0;
            int error = isBegun ? 0 : Marshal.GetLastPInvokeError();
            if (error is 0 or Errno.EINPROGRESS)
            {
                return 0;
            }

            End();
            return error;
        }
    }

    /// <summary>Whether the peer has closed, or the connection has failed. What arrived and was not read is lost.</summary>
    public bool IsEnded()
    {
        byte* bytes = stackalloc byte[512];
        nint count;
        do
        {
            count = Libc.read(Number, bytes, 512);
        }
        while (count > 0);
        return count == 0 || Marshal.GetLastPInvokeError() is not (Errno.EAGAIN or Errno.EINTR);
    }

    /// <summary>Closes it; what was sent still arrives. The side that closes first keeps the port for a minute (TIME_WAIT).</summary>
    public void End()
    {
        if (handle >= 0)
        {
            _ = Libc.close((int)handle);
            SetHandle(-1);
        }
    }

    /// <summary>Closes it with a reset: what is under way is lost, and the port is free at once.</summary>
    public void Reset()
    {
        if (handle >= 0)
        {
            var linger = new Libc.Linger { OnOff = 1 };
            _ = Libc.setsockopt((int)handle, Libc.SOL_SOCKET, Libc.SO_LINGER, &linger, (uint)sizeof(Libc.Linger));
            End();
        }
    }

    private static bool Bind(int fd, SocketAddress source)
    {
        // The port is chosen when the peer is known, so that it has to be free towards that peer only.
        int on = 1;
        fixed (byte* bytes = source.Buffer.Span)
        {
            return Libc.setsockopt(fd, Libc.IPPROTO_IP, Libc.IP_BIND_ADDRESS_NO_PORT, &on, sizeof(int)) == 0
                && Libc.bind(fd, bytes, (uint)source.Size) == 0;
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.close((int)handle) == 0;
}
