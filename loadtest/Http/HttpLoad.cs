using System.Net;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Pacing;

namespace WarpProxy.LoadTest.Http;

/// <summary>What one thread does with HTTP/1.1: one request after the other in each connection.</summary>
internal sealed class HttpLoad : LoadLoop<HttpConnection>
{
    /// <param name="options">What to do.</param>
    /// <param name="address">Of the server.</param>
    /// <param name="context">Of the TLS client, shared by the threads; null for plain HTTP.</param>
    /// <param name="pacing">This thread's.</param>
    /// <param name="window">The run's.</param>
    /// <param name="connections">How many connections this thread may have open.</param>
    public HttpLoad(HttpOptions options, IPEndPoint address, TlsClientContext? context, IPacing pacing, RunWindow window, int connections)
        : this(new HttpCounters(), options, address.Serialize(), context, pacing, window, connections)
    {
    }

    private HttpLoad(
        HttpCounters counters,
        HttpOptions options,
        SocketAddress address,
        TlsClientContext? context,
        IPacing pacing,
        RunWindow window,
        int connections)
        : base(
            counters.Load,
            options.Timeout,
            pacing,
            window,
            [.. Enumerable.Range(0, connections).Select(_ => new HttpConnection(options, address, context, counters, window))])
    {
        Counters = counters;
    }

    public HttpCounters Counters { get; }

    protected override LoadProgress Begin(HttpConnection slot, long intended) => slot.Begin(intended);

    protected override void End(HttpConnection slot, bool isCut)
    {
        Counters.Cut += isCut ? 1 : 0;
        if (!isCut)
        {
            slot.End();
        }
    }

    protected override void CountDone(HttpConnection slot, bool isInWindow, bool isLatencyMeasured)
    {
        if (isInWindow)
        {
            Counters.CountStatus(slot.Status);
        }

        if (isLatencyMeasured)
        {
            Counters.Load.Latency.Record(slot.Done - slot.Intended);
        }
    }
}
