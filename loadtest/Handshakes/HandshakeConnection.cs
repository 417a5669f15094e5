using System.Net;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Handshakes;

/// <summary>
/// One connection as a state machine: connect and handshake, one request if there is one, close_notify, and the server's end of it. The
/// server ends the connection, as it does with browsers: it has then taken the client's last message, its session tickets have been
/// read, and no port of the client stays reserved (TIME_WAIT). Used again and again; one thread.
/// </summary>
internal sealed class HandshakeConnection : ILoadSlot
{
    private readonly TcpSocket _socket = new();
    private readonly TlsClientConnection _tls = new();
    private readonly ResponseStatus _response = new();
    private Step _step;
    private byte[] _request = [];
    private int _requestSent;
    private bool _isNewSocket;

    private enum Step
    {
        Idle,
        Handshaking,
        Requesting,
        Responding,
        Ending,
        Draining,
    }

    public TcpSocket Socket => _socket;

    /// <summary>What was agreed on, after the handshake.</summary>
    public TlsClientConnection Tls => _tls;

    public bool IsBusy => _step != Step.Idle;

    /// <summary>Whether handshake and response are there and only the server's end of the connection is missing.</summary>
    public bool IsEnding => _step is Step.Ending or Step.Draining;

    /// <summary>Which name it asked for.</summary>
    public int NameIndex { get; private set; }

    /// <summary>When it should have begun.</summary>
    public long Intended { get; private set; }

    /// <summary>When it began.</summary>
    public long Started { get; private set; }

    /// <summary>When the handshake was done; 0 before.</summary>
    public long HandshakeDone { get; private set; }

    /// <summary>When the response was there; 0 before.</summary>
    public long ResponseDone { get; private set; }

    public long MeasuredAt => HandshakeDone;

    public long Done => Math.Max(HandshakeDone, ResponseDone);

    /// <summary>Whether the handshake resumed a session.</summary>
    public bool IsResumed { get; private set; }

    /// <summary>Why it failed.</summary>
    public LoadError Error { get; private set; }

    /// <summary>Begins a connection. A failure shows in <see cref="Error"/>; otherwise <see cref="Advance"/> goes on.</summary>
    /// <param name="address">Of the server.</param>
    /// <param name="context">Of the TLS client.</param>
    /// <param name="name">What to ask for, and its index.</param>
    /// <param name="session">To offer, or null.</param>
    /// <param name="request">To send after the handshake; empty for none.</param>
    /// <param name="intended">When this should have happened.</param>
    public LoadProgress Begin(
        SocketAddress address, TlsClientContext context, (TlsServerName Name, int Index) name, TlsSession? session, byte[] request, long intended)
    {
        (Intended, Started, HandshakeDone, ResponseDone) = (intended, LoadClock.Now, 0, 0);
        (_request, _requestSent, NameIndex, IsResumed, Error) = (request, 0, name.Index, false, default);
        int error = _socket.Connect(address);
        if (error != 0)
        {
            Error = LoadError.OfSocket(error);
            return LoadProgress.Failed;
        }

        _isNewSocket = true;
        context.Connect(_tls, _socket, name.Name, session);
        _step = Step.Handshaking;
        return LoadProgress.Waiting;
    }

    public bool TakeNewSocket()
    {
        bool isNew = _isNewSocket;
        _isNewSocket = false;
        return isNew;
    }

    public LoadProgress Advance(Span<byte> buffer)
    {
        while (true)
        {
            (Step before, LoadProgress progress) = (_step, LoadProgress.Waiting);
            switch (_step)
            {
                case Step.Handshaking:
                    progress = Handshake();
                    break;
                case Step.Requesting:
                    progress = Send();
                    break;
                case Step.Responding:
                    progress = Receive(buffer);
                    break;
                case Step.Ending:
                    progress = ReadToEnd(buffer);
                    break;
                case Step.Draining:
                    return _socket.IsEnded() ? LoadProgress.Ended : LoadProgress.Waiting;
            }

            if (_step == before || progress != LoadProgress.Waiting)
            {
                return progress;
            }
        }
    }

    /// <summary>Frees it after its end.</summary>
    public void End()
    {
        _tls.End();
        _socket.End();
        _step = Step.Idle;
    }

    /// <summary>Frees it at once; the server sees a reset.</summary>
    public void Cut()
    {
        _tls.End();
        _socket.Reset();
        _step = Step.Idle;
    }

    public void Dispose()
    {
        _tls.Dispose();
        _socket.Dispose();
    }

    private LoadProgress Handshake()
    {
        TlsStatus status = _tls.Handshake();
        if (status != TlsStatus.Done)
        {
            return WaitOrFail(status);
        }

        HandshakeDone = LoadClock.Now;
        IsResumed = _tls.IsResumed;
        if (_request.Length > 0)
        {
            _response.Begin();
            _step = Step.Requesting;
            return LoadProgress.Waiting;
        }

        return Shutdown();
    }

    private LoadProgress Send()
    {
        while (_requestSent < _request.Length)
        {
            TlsStatus status = _tls.Write(_request.AsSpan(_requestSent), out int count);
            if (status != TlsStatus.Done)
            {
                return WaitOrFail(status);
            }

            _requestSent += count;
        }

        _step = Step.Responding;
        return LoadProgress.Waiting;
    }

    /// <summary>The request asks the server to close, so the response ends with the connection.</summary>
    private LoadProgress Receive(Span<byte> buffer)
    {
        TlsStatus status;
        while ((status = _tls.Read(buffer, out int count)) == TlsStatus.Done)
        {
            _response.Take(buffer[..count]);
        }

        bool isEnd = status == TlsStatus.Closed
            || (status == TlsStatus.Failed && _tls.Failure.Kind == TlsFailureKind.EndOfStream && _response.HasBegun);
        if (!isEnd)
        {
            return WaitOrFail(status);
        }

        ResponseDone = LoadClock.Now;
        if (_response.Refusal() is LoadError refusal)
        {
            Error = refusal;
            return LoadProgress.Failed;
        }

        return status == TlsStatus.Closed ? Shutdown() : LoadProgress.Ended;
    }

    private LoadProgress Shutdown()
    {
        // One small record into an empty send buffer. Where it does not fit, the server has stopped reading and the limit ends it.
        TlsStatus status = _tls.Shutdown();
        _step = Step.Ending;
        return status == TlsStatus.Failed ? EndOrFail() : LoadProgress.Waiting;
    }

    /// <summary>Reads tickets, and an alert if the server has refused what the client sent last.</summary>
    private LoadProgress ReadToEnd(Span<byte> buffer)
    {
        TlsStatus status;
        while ((status = _tls.Read(buffer, out _)) == TlsStatus.Done)
        {
        }

        switch (status)
        {
            case TlsStatus.Closed:
                _step = Step.Draining;
                return LoadProgress.Waiting;
            case TlsStatus.Failed:
                return EndOrFail();
            default:
                return LoadProgress.Waiting;
        }
    }

    /// <summary>All that was wanted is there: a server that just closes, even with a reset, is no failure. An alert is.</summary>
    private LoadProgress EndOrFail() =>
        _tls.Failure.Kind is TlsFailureKind.EndOfStream or TlsFailureKind.Transport ? LoadProgress.Ended : WaitOrFail(TlsStatus.Failed);

    private LoadProgress WaitOrFail(TlsStatus status)
    {
        if (status is TlsStatus.WantRead or TlsStatus.WantWrite)
        {
            return LoadProgress.Waiting;
        }

        Error = LoadError.Of(status == TlsStatus.Closed ? new TlsFailure(TlsFailureKind.EndOfStream, 0) : _tls.Failure);
        return LoadProgress.Failed;
    }
}
