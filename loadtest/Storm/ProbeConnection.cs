using System.Buffers.Binary;
using System.Net;
using System.Text;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.LoadTest.Storm;

/// <summary>
/// An established connection over HTTP/2 with one request at a time, as thin as can be: of what comes, only the frames are looked at, and of
/// those only where one ends that ends a stream. The requests are bytes made once (RFC 9113, RFC 7541):
/// <code>
/// preface, SETTINGS (none), WINDOW_UPDATE of the connection by 2^30, then for each request
/// HEADERS, END_STREAM and END_HEADERS: :method GET, :scheme https, :path and :authority as literals that are not indexed
/// </code>
/// One thread.
/// </summary>
internal sealed class ProbeConnection : IDisposable
{
    private const int FrameHeaderBytes = 9;
    private const byte Data = 0;
    private const byte Headers = 1;
    private const byte ResetStream = 3;
    private const byte Settings = 4;
    private const byte GoAway = 7;
    private const byte Acknowledged = 1;
    private const byte EndStream = 1;

    private static readonly byte[] Preface =
        [.. Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 0, 0, 0, Settings, 0, 0, 0, 0, 0, 0, 0, 4, 8, 0, 0, 0, 0, 0, 0x40, 0, 0, 0];

    private readonly TcpSocket _socket = new();
    private readonly TlsClientConnection _tls = new();
    private readonly byte[] _request;
    private readonly byte[] _header = new byte[FrameHeaderBytes];
    private readonly List<byte> _toSend = [];
    private int _headerBytes;
    private int _left;              // of the frame's body
    private int _nextStream = 1;
    private bool _isShaken;

    public ProbeConnection(LoadTarget target)
    {
        byte[] block = [0x82, 0x87, .. Literal(4, target.PathAndQuery), .. Literal(1, target.Authority)];
        _request = [0, (byte)(block.Length >> 8), (byte)block.Length, Headers, 5, 0, 0, 0, 0, .. block];
    }

    public TcpSocket Socket => _socket;

    /// <summary>Whether it waits for an answer.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>When the request under way was due.</summary>
    public long Due { get; private set; }

    /// <summary>Whether handshake and preface are done.</summary>
    public bool IsReady => _isShaken && _toSend.Count == 0;

    /// <summary>Why it is over; null while it is not.</summary>
    public string? Failure { get; private set; }

    public void Begin(SocketAddress address, TlsClientContext context, TlsServerName name)
    {
        int error = _socket.Connect(address);
        if (error != 0)
        {
            Failure = LoadError.OfSocket(error).ToString();
            return;
        }

        context.Connect(_tls, _socket, name, null);
        _toSend.AddRange(Preface);
    }

    /// <summary>Sends a request; there is none under way.</summary>
    public void Request(long due)
    {
        (IsBusy, Due) = (true, due);
        BinaryPrimitives.WriteInt32BigEndian(_request.AsSpan(5), _nextStream);
        _nextStream += 2;
        _toSend.AddRange(_request);
        Send();
    }

    /// <summary>Goes as far as the socket allows; true when an answer has come to its end.</summary>
    public bool Advance(Span<byte> buffer)
    {
        if (Failure is not null)
        {
            return false;
        }

        if (!_isShaken)
        {
            TlsStatus status = _tls.Handshake();
            _isShaken = status == TlsStatus.Done;
            if (!_isShaken)
            {
                FailUnlessWaiting(status);
                return false;
            }
        }

        Send();
        bool isAnswered = false;
        while (Failure is null)
        {
            TlsStatus status = _tls.Read(buffer, out int count);
            if (status != TlsStatus.Done)
            {
                FailUnlessWaiting(status);
                break;
            }

            isAnswered |= Take(buffer[..count]);
        }

        IsBusy &= !isAnswered;
        return isAnswered;
    }

    public void Dispose()
    {
        _tls.Dispose();
        _socket.Reset();
        _socket.Dispose();
    }

    /// <summary>RFC 7541 6.2.2, with the name at an index under 16, without Huffman's code.</summary>
    private static byte[] Literal(byte name, string value)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(value);
        return bytes.Length < 127
            ? [name, (byte)bytes.Length, .. bytes]
            : throw new LoadFailure($"The URL has '{value}'; it must be shorter than 127 characters there.", LoadFailure.BadInput);
    }

    private void Send()
    {
        while (_toSend.Count > 0 && Failure is null)
        {
            TlsStatus status = _tls.Write(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_toSend), out int count);
            if (status != TlsStatus.Done)
            {
                FailUnlessWaiting(status);
                return;
            }

            _toSend.RemoveRange(0, count);
        }
    }

    private bool Take(ReadOnlySpan<byte> bytes)
    {
        bool isAnswered = false;
        while (!bytes.IsEmpty)
        {
            if (_headerBytes < FrameHeaderBytes)
            {
                int part = Math.Min(FrameHeaderBytes - _headerBytes, bytes.Length);
                bytes[..part].CopyTo(_header.AsSpan(_headerBytes));
                bytes = bytes[part..];
                _headerBytes += part;
                _left = (_header[0] << 16) | (_header[1] << 8) | _header[2];
            }
            else
            {
                int part = Math.Min(_left, bytes.Length);
                bytes = bytes[part..];
                _left -= part;
            }

            if (_headerBytes == FrameHeaderBytes && _left == 0)
            {
                isAnswered |= EndFrame(_header[3], _header[4]);
                _headerBytes = 0;
            }
        }

        return isAnswered;
    }

    private bool EndFrame(byte type, byte flags)
    {
        switch (type)
        {
            case Data or Headers:
                return (flags & EndStream) != 0;
            case ResetStream or GoAway:
                Failure = type == GoAway ? "GOAWAY" : "RST_STREAM";
                return false;
            case Settings when (flags & Acknowledged) == 0:
                _toSend.AddRange((ReadOnlySpan<byte>)[0, 0, 0, Settings, Acknowledged, 0, 0, 0, 0]);
                Send();
                return false;
            default:
                return false;
        }
    }

    private void FailUnlessWaiting(TlsStatus status)
    {
        if (status is not (TlsStatus.WantRead or TlsStatus.WantWrite))
        {
            Failure = status == TlsStatus.Closed ? "closed by the server" : LoadError.Of(_tls.Failure).ToString();
        }
    }
}
