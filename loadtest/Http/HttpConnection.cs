using System.Net;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Http;

/// <summary>
/// HTTP/1.1 requests one after the other, over one connection for as long as both sides keep it, or over a new one each. In the second case the
/// request says so, and the server ends the connection, so that no port of the client stays reserved (TIME_WAIT). One thread.
/// </summary>
internal sealed class HttpConnection : ILoadSlot
{
    private readonly SocketAddress _address;
    private readonly RequestShape _request;
    private readonly byte[] _head;
    private readonly HttpCounters _counters;
    private readonly RunWindow _window;
    private readonly TcpSocket _socket = new();
    private readonly IHttpTransport _transport;
    private readonly ResponseReader _response = new();
    private Step _step;
    private long _sent; // of head and body
    private bool _isNewSocket;
    private bool _isReused;

    /// <param name="options">What to do.</param>
    /// <param name="address">Of the server.</param>
    /// <param name="context">Of the TLS client; null for plain HTTP.</param>
    /// <param name="counters">Counts connections and bytes; the thread's.</param>
    /// <param name="window">The run's.</param>
    public HttpConnection(HttpOptions options, SocketAddress address, TlsClientContext? context, HttpCounters counters, RunWindow window)
    {
        _address = address;
        _request = options.Request;
        _head = options.Request.HeadFor(options.Target, isLast: options.IsNewConnectionEach);
        _counters = counters;
        _window = window;
        _transport = context is null
            ? new PlainTransport(_socket)
            : new TlsTransport(_socket, context, new TlsServerName(options.Target.Host));
    }

    private enum Step
    {
        Closed,
        Handshaking,
        Sending,
        Receiving,
        Ready,
        Ending,
    }

    public TcpSocket Socket => _socket;

    public bool IsBusy => _step is not (Step.Closed or Step.Ready);

    public bool IsEnding => _step == Step.Ending;

    public long Intended { get; private set; }

    public long Started { get; private set; }

    /// <summary>When the response was there; 0 before.</summary>
    public long Done { get; private set; }

    public long MeasuredAt => Done;

    public LoadError Error { get; private set; }

    /// <summary>Of the last response.</summary>
    public int Status => _response.Status;

    private bool IsSent => _sent == _head.Length + (_request.BodyBytes ?? 0);

    /// <summary>Begins a request, and a connection if there is none. A failure shows in <see cref="Error"/>.</summary>
    /// <param name="intended">When this should have happened.</param>
    public LoadProgress Begin(long intended)
    {
        (Intended, Started, Done, Error) = (intended, LoadClock.Now, 0, default);
        _response.Begin(_request.IsHead);
        _sent = 0;
        _isReused = _step == Step.Ready;
        if (!_isReused)
        {
            return Connect();
        }

        _step = Step.Sending;
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
            Step before = _step;
            LoadProgress progress = before switch
            {
                Step.Handshaking => Handshake(),
                Step.Sending => Send(buffer),
                Step.Receiving => Receive(buffer),
                Step.Ending => ReadToEnd(buffer),
                _ => LoadProgress.Waiting,
            };
            if (_step == before || progress != LoadProgress.Waiting)
            {
                return progress;
            }
        }
    }

    /// <summary>Frees the connection after its end; one that is kept stays.</summary>
    public void End()
    {
        if (_step == Step.Ending)
        {
            _transport.End();
            _socket.End();
            _step = Step.Closed;
        }
    }

    public void Cut()
    {
        _transport.End();
        _socket.Reset();
        _step = Step.Closed;
    }

    public void Dispose()
    {
        _transport.Dispose();
        _socket.Dispose();
    }

    private LoadProgress Connect()
    {
        int error = _socket.Connect(_address);
        if (error != 0)
        {
            Error = LoadError.OfSocket(error);
            return LoadProgress.Failed;
        }

        _isNewSocket = true;
        _counters.Connections += _window.Contains(LoadClock.Now) ? 1 : 0;
        _transport.Begin();
        _step = Step.Handshaking;
        return LoadProgress.Waiting;
    }

    private LoadProgress Handshake()
    {
        TlsStatus status = _transport.Handshake();
        if (status != TlsStatus.Done)
        {
            return WaitOrFail(status);
        }

        _step = Step.Sending;
        return LoadProgress.Waiting;
    }

    private LoadProgress Send(Span<byte> buffer)
    {
        while (!IsSent)
        {
            long ofBody = _sent - _head.Length;
            ReadOnlyMemory<byte> next = ofBody < 0
                ? _head.AsMemory((int)_sent)
                : RequestShape.BodyFrom(ofBody, _request.BodyBytes!.Value - ofBody);
            TlsStatus status = _transport.Write(next.Span, out int count);
            if (status != TlsStatus.Done)
            {
                // A server may answer and close before it has read all of a body; what it said is worth more than the failed write.
                return ofBody < 0 && status != TlsStatus.Failed ? LoadProgress.Waiting : Receive(buffer);
            }

            _sent += count;
            _counters.BytesSent += _window.Contains(LoadClock.Now) ? count : 0;
        }

        _step = Step.Receiving;
        return LoadProgress.Waiting;
    }

    private LoadProgress Receive(Span<byte> buffer)
    {
        while (true)
        {
            TlsStatus status = _transport.Read(buffer, out int count);
            if (status == TlsStatus.Done)
            {
                _counters.BytesReceived += _window.Contains(LoadClock.Now) ? count : 0;
                int taken = _response.Take(buffer[..count]);
                if (_response.IsDone)
                {
                    return Complete(isKept: _response.KeepsConnection && taken == count);
                }

                if (_response.IsBroken)
                {
                    Error = new LoadError(LoadErrorKind.NotHttp);
                    return LoadProgress.Failed;
                }

                continue;
            }

            bool isEnd = status == TlsStatus.Closed || (status == TlsStatus.Failed && _transport.Failure.Kind == TlsFailureKind.EndOfStream);
            return isEnd && _response.TakeEnd() ? Complete(isKept: false) : WaitOrFail(status);
        }
    }

    private LoadProgress Complete(bool isKept)
    {
        Done = LoadClock.Now;
        if (!IsSent)
        {
            // The rest of the body would be taken for a request.
            Cut();
            return LoadProgress.Ended;
        }

        if (isKept)
        {
            _step = Step.Ready;
            return LoadProgress.Ended;
        }

        _transport.Shutdown();
        _step = Step.Ending;
        return LoadProgress.Waiting;
    }

    /// <summary>To the server's end. The response is there: an end with a reset is no failure.</summary>
    private LoadProgress ReadToEnd(Span<byte> buffer)
    {
        TlsStatus status;
        while ((status = _transport.Read(buffer, out _)) == TlsStatus.Done)
        {
        }

        bool isEnded = status == TlsStatus.Failed || (status == TlsStatus.Closed && _socket.IsEnded());
        return isEnded ? LoadProgress.Ended : LoadProgress.Waiting;
    }

    private LoadProgress WaitOrFail(TlsStatus status)
    {
        if (status is TlsStatus.WantRead or TlsStatus.WantWrite)
        {
            return LoadProgress.Waiting;
        }

        TlsFailure failure = status == TlsStatus.Closed ? new TlsFailure(TlsFailureKind.EndOfStream, 0) : _transport.Failure;
        if (_isReused && !_response.HasBegun && _request.IsIdempotent && failure.Kind is TlsFailureKind.EndOfStream or TlsFailureKind.Transport)
        {
            // The server has just closed a connection that was kept: every client begins another (RFC 9112 9.3.1), once.
            _transport.End();
            _socket.End();
            (_isReused, _sent) = (false, 0);
            return Connect();
        }

        Error = LoadError.Of(failure);
        return LoadProgress.Failed;
    }
}
