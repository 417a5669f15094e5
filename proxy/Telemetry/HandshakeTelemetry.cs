using System.Diagnostics;
using System.Diagnostics.Metrics;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Live;
using WarpProxy.Tls;

namespace WarpProxy.Telemetry;

/// <summary>
/// What is told of each handshake: duration and processor time by path, and, of a connection that is traced, the span <c>tls.handshake</c> with one child
/// for each private-key operation (<see cref="OperationTelemetry"/>). Any thread.
/// </summary>
internal sealed class HandshakeTelemetry
{
    /// <summary>Name of the span.</summary>
    public const string SpanName = "tls.handshake";

    // From half a millisecond, the least that a full handshake takes, to what any bound allows. Seconds.
    private static readonly double[] Bounds =
        [0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2.5, 5, 10];

    private readonly ActivitySource _source;
    private readonly Histogram<double> _duration;
    private readonly Counter<double> _processorTime;

    private readonly HandshakeStatistics? _statistics;

    /// <summary>Makes the instruments.</summary>
    /// <param name="meter">Owns them.</param>
    /// <param name="source">Makes spans.</param>
    /// <param name="statistics">Counts for the live page; null: there is nothing to be kept for it.</param>
    public HandshakeTelemetry(Meter meter, ActivitySource source, HandshakeStatistics? statistics = null)
    {
        _source = source;
        _statistics = statistics;
        _duration = meter.CreateHistogram(
            "warpproxy.handshake.duration", "s", "From the first byte of the ClientHello to the end of the handshake, by path, protocol and outcome.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = Bounds });
        _processorTime = meter.CreateCounter<double>(
            "warpproxy.handshake.cpu.time", "s", "Processor time of the proxy's own threads in the TLS of handshakes, by path; engines of devices are counted apart.");
        Operations = new OperationTelemetry(meter, source) { Statistics = statistics };
    }

    /// <summary>What is told of their private-key operations.</summary>
    public OperationTelemetry Operations { get; }

    /// <summary>A connection has sent its first byte.</summary>
    public void Begin(Handshake handshake)
    {
        handshake.Begun = Stopwatch.GetTimestamp();
        handshake.MeasuresProcessorTime = _processorTime.Enabled;
        if (_source.HasListeners())
        {
            handshake.Span = _source.CreateActivity(SpanName, ActivityKind.Server, parentContext: default) is { IsAllDataRequested: true } span ? span.Start() : null;

            // It is given to its children by hand: what runs in its context is not all its own.
            Activity.Current = null;
        }
    }

    /// <summary>Processor time of the calling thread, if it is wanted; else 0.</summary>
    public static long ReadProcessorTime(Handshake handshake) => handshake.MeasuresProcessorTime ? ThreadTime.ReadNanoseconds() : 0;

    /// <summary>It is over.</summary>
    /// <param name="handshake">The handshake.</param>
    /// <param name="tls">The connection, when it is done; else null.</param>
    public void End(Handshake handshake, TlsServerConnection? tls)
    {
        if (handshake.Begun == 0)
        {
            return;     // an idle connection: nothing ever came
        }

        if (_duration.Enabled)
        {
            _duration.Record(
                Stopwatch.GetElapsedTime(handshake.Begun).TotalSeconds,
                new TagList { { "path", handshake.Path }, { "tls.protocol.version", VersionOf(tls) }, { "outcome", handshake.Outcome } });
        }

        if (handshake.MeasuresProcessorTime && handshake.ProcessorNanoseconds > 0)
        {
            _processorTime.Add(handshake.ProcessorNanoseconds / 1e9, new KeyValuePair<string, object?>("path", handshake.Path));
        }

        if (tls is not null)
        {
            _statistics?.Record(handshake, Stopwatch.GetTimestamp());
        }

        if (handshake.Span is { } span)
        {
            handshake.Span = null;
            Describe(span, handshake, tls);
            span.Stop();
            Activity.Current = null;
        }
    }

    private static void Describe(Activity span, Handshake handshake, TlsServerConnection? tls)
    {
        span.SetTag("warpproxy.path", handshake.Path).SetTag("warpproxy.outcome", handshake.Outcome).SetTag("warpproxy.certificate", handshake.Certificate);
        if (tls is null)
        {
            span.SetStatus(ActivityStatusCode.Error, handshake.Outcome).SetTag("error.type", handshake.Outcome).SetTag("tls.established", false);
            return;
        }

        span.SetTag("tls.established", true)
            .SetTag("tls.protocol.name", "tls")
            .SetTag("tls.protocol.version", VersionOf(tls))
            .SetTag("tls.cipher", ((System.Net.Security.TlsCipherSuite)tls.CipherSuite).ToString())
            .SetTag("tls.curve", tls.Group)
            .SetTag("tls.client.server_name", tls.ServerName)
            .SetTag("tls.next_protocol", System.Text.Encoding.ASCII.GetString(tls.ApplicationProtocol.Span))
            .SetTag("tls.resumed", tls.IsResumed);
    }

    private static string VersionOf(TlsServerConnection? tls) => tls?.Version switch
    {
        null => "none",
        TlsVersion.Tls10 => "1.0",
        TlsVersion.Tls11 => "1.1",
        TlsVersion.Tls12 => "1.2",
        _ => "1.3",
    };
}
