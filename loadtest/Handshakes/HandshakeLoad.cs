using System.Net;
using System.Text;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Pacing;

namespace WarpProxy.LoadTest.Handshakes;

/// <summary>What one thread does: one connection after the other in each slot.</summary>
internal sealed class HandshakeLoad : LoadLoop<HandshakeConnection>
{
    private readonly SocketAddress _address;
    private readonly TlsClientContext _context;
    private readonly IReadOnlyList<TlsServerName> _names;
    private readonly byte[] _request;
    private readonly SessionStore _sessions;
    private int _nextName;

    /// <param name="options">What to do.</param>
    /// <param name="address">Of the server.</param>
    /// <param name="context">Of the TLS client; shared by the threads.</param>
    /// <param name="pacing">This thread's.</param>
    /// <param name="window">The run's.</param>
    /// <param name="connections">How many connections this thread may have open.</param>
    public HandshakeLoad(
        HandshakesOptions options, IPEndPoint address, TlsClientContext context, IPacing pacing, RunWindow window, int connections)
        : this(new HandshakeCounters(), options, address, context, pacing, window, connections)
    {
    }

    private HandshakeLoad(
        HandshakeCounters counters,
        HandshakesOptions options,
        IPEndPoint address,
        TlsClientContext context,
        IPacing pacing,
        RunWindow window,
        int connections)
        : base(counters.Load, options.Timeout, pacing, window, [.. Enumerable.Range(0, connections).Select(static _ => new HandshakeConnection())])
    {
        Counters = counters;
        _address = address.Serialize();
        _context = context;
        _names = options.Names;
        _request = options.IsRequesting ? RequestOf(options) : [];
        _sessions = new SessionStore(options.Names.Count, options.Resume);
    }

    public HandshakeCounters Counters { get; }

    /// <summary>The request that each connection sends.</summary>
    public static byte[] RequestOf(HandshakesOptions options) => Encoding.ASCII.GetBytes(
        $"GET {options.Target.PathAndQuery} HTTP/1.1\r\nHost: {options.Target.Authority}\r\n"
        + "User-Agent: warp-loadtest\r\nAccept: */*\r\nConnection: close\r\n\r\n");

    public override void Dispose()
    {
        base.Dispose();
        _sessions.Dispose();
    }

    protected override LoadProgress Begin(HandshakeConnection slot, long intended)
    {
        int name = _nextName;
        _nextName = (_nextName + 1) % _names.Count;
        return slot.Begin(_address, _context, (_names[name], name), _sessions.Take(name), _request, intended);
    }

    protected override void End(HandshakeConnection slot, bool isCut)
    {
        _sessions.Keep(slot.Tls, slot.NameIndex);
        Counters.Cut += isCut ? 1 : 0;
        if (!isCut)
        {
            slot.End();
        }
    }

    protected override void CountDone(HandshakeConnection slot, bool isInWindow, bool isLatencyMeasured)
    {
        Counters.Resumed += isInWindow && slot.IsResumed ? 1 : 0;
        if (isLatencyMeasured)
        {
            Counters.Load.Latency.Record(slot.HandshakeDone - slot.Intended);
            if (slot.ResponseDone != 0)
            {
                Counters.Response.Record(slot.ResponseDone - slot.Intended);
            }
        }
    }
}
