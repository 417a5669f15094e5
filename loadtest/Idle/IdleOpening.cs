using System.Net;
using System.Text;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Http;
using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.LoadTest.Idle;

/// <summary>One connection on its way to rest: handshake, one GET, its response. After it the server waits for the next request. One thread.</summary>
internal sealed class IdleOpening : IDisposable
{
    private readonly TlsClientConnection _tls = new();
    private readonly ResponseReader _response = new();
    private TcpSocket _socket = new();
    private byte[] _request = [];
    private int _sent;
    private bool _isSending;
    private bool _isShaken;

    /// <summary>What to send to this server.</summary>
    public static byte[] RequestOf(LoadTarget target) =>
        Encoding.ASCII.GetBytes($"GET {target.PathAndQuery} HTTP/1.1\r\nHost: {target.Authority}\r\nUser-Agent: warp-loadtest\r\nAccept: */*\r\n\r\n");

    public TcpSocket Socket => _socket;

    /// <summary>When it began.</summary>
    public long Started { get; private set; }

    /// <summary>Why it failed.</summary>
    public LoadError Error { get; private set; }

    /// <summary>Begins a connection; false when there can be none.</summary>
    public bool TryBegin(SocketAddress address, SocketAddress? source, TlsClientContext context, TlsServerName name, byte[] request)
    {
        (Started, _request, _sent, _isSending, _isShaken) = (LoadClock.Now, request, 0, true, false);
        _response.Begin(isHead: false);
        int error = _socket.Connect(address, source);
        if (error != 0)
        {
            Error = LoadError.OfSocket(error);
            return false;
        }

        context.Connect(_tls, _socket, name, null);
        return true;
    }

    /// <summary>Goes on as far as the socket allows.</summary>
    public LoadProgress Advance(Span<byte> buffer)
    {
        if (!_isShaken)
        {
            TlsStatus status = _tls.Handshake();
            if (status != TlsStatus.Done)
            {
                return WaitOrFail(status);
            }

            _isShaken = true;
        }

        while (_isSending)
        {
            TlsStatus status = _tls.Write(_request.AsSpan(_sent), out int count);
            if (status != TlsStatus.Done)
            {
                return WaitOrFail(status);
            }

            _sent += count;
            _isSending = _sent < _request.Length;
        }

        while (!_response.IsDone && !_response.IsBroken)
        {
            TlsStatus status = _tls.Read(buffer, out int count);
            if (status != TlsStatus.Done)
            {
                return WaitOrFail(status);
            }

            _response.Take(buffer[..count]);
        }

        if (_response is { IsDone: true, KeepsConnection: true, Status: >= 200 and < 400 })
        {
            return LoadProgress.Ended;
        }

        Error = _response.IsBroken ? new LoadError(LoadErrorKind.NotHttp)
            : _response.Status is < 200 or >= 400 ? new LoadError(LoadErrorKind.HttpStatus, default, _response.Status)
            : LoadError.Of(new TlsFailure(TlsFailureKind.EndOfStream, 0)); // it says that it will close
        return LoadProgress.Failed;
    }

    /// <summary>Gives away the connection, which stays open without its keys: the server sees no difference.</summary>
    public TcpSocket Release()
    {
        TcpSocket socket = _socket;
        _tls.End();
        _socket = new TcpSocket();
        return socket;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _tls.Dispose();
        _socket.Reset();
        _socket.Dispose();
    }

    private LoadProgress WaitOrFail(TlsStatus status)
    {
        if (status is TlsStatus.WantRead or TlsStatus.WantWrite)
        {
            return LoadProgress.Waiting;
        }

        Error = status == TlsStatus.Closed ? LoadError.Of(new TlsFailure(TlsFailureKind.EndOfStream, 0)) : LoadError.Of(_tls.Failure);
        return LoadProgress.Failed;
    }
}
