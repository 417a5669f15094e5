using System.Net.Sockets;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.LoadTest.Http;

/// <summary>Bytes as they are.</summary>
internal sealed class PlainTransport(TcpSocket tcp) : IHttpTransport
{
    private Socket? _socket;

    public TlsFailure Failure { get; private set; }

    /// <summary>Wraps the descriptor, which stays the TCP socket's: that one polls, .NET's reads and writes.</summary>
    public void Begin()
    {
        _socket = new Socket(new SafeSocketHandle(tcp.Number, ownsHandle: false)) { Blocking = false };
        Failure = default;
    }

    public TlsStatus Handshake() => TlsStatus.Done;

    public TlsStatus Read(Span<byte> buffer, out int count)
    {
        count = _socket!.Receive(buffer, SocketFlags.None, out SocketError error);
        return error == SocketError.Success && count == 0 ? TlsStatus.Closed : StatusOf(error, TlsStatus.WantRead);
    }

    public TlsStatus Write(ReadOnlySpan<byte> data, out int count)
    {
        count = _socket!.Send(data, SocketFlags.None, out SocketError error);
        return StatusOf(error, TlsStatus.WantWrite);
    }

    public void Shutdown()
    {
        // The server closes after the response to a request that said so.
    }

    public void End()
    {
        _socket?.Dispose();
        _socket = null;
    }

    public void Dispose() => End();

    private TlsStatus StatusOf(SocketError error, TlsStatus wait)
    {
        switch (error)
        {
            case SocketError.Success:
                return TlsStatus.Done;
            case SocketError.WouldBlock or SocketError.InProgress:
                return wait;
            default:
                // The exception knows the system's number of .NET's error.
                Failure = new TlsFailure(TlsFailureKind.Transport, new SocketException((int)error).NativeErrorCode);
                return TlsStatus.Failed;
        }
    }
}
