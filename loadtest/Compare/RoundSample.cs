using WarpProxy.LoadTest.Handshakes;
using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Compare;

/// <summary>One server in one round.</summary>
internal sealed record RoundSample
{
    /// <summary>From 0.</summary>
    public required int Round { get; init; }

    public required double Seconds { get; init; }

    public required long Handshakes { get; init; }

    /// <summary>To the end of the handshake, or of the response where there is one.</summary>
    public required LatencyHistogram Latency { get; init; }

    /// <summary>Processor time of all processes of the server.</summary>
    public required TimeSpan ServerCpu { get; init; }

    /// <summary>How long the servers' processors were busy, whoever used them.</summary>
    public TimeSpan ProcessorBusy { get; init; }

    public required ClientUsage Client { get; init; }

    public required IReadOnlyDictionary<string, long> Errors { get; init; }

    public required IReadOnlyList<LoadSecond> Timeline { get; init; }

    /// <summary>Null for servers that do not tell.</summary>
    public ProxyActivity? Activity { get; init; }

    public double HandshakesPerSecond => Handshakes / Seconds;

    public double CpuMicrosecondsPerHandshake => ServerCpu.TotalMicroseconds / Handshakes;

    public static RoundSample Of(int round, HandshakesMeasurement measured, bool isRequesting) => new()
    {
        Round = round,
        Seconds = measured.Load.Seconds,
        Handshakes = measured.Load.Counters.Completed,
        Latency = isRequesting ? measured.Counters.Response : measured.Load.Counters.Latency,
        ServerCpu = measured.Load.ServerCpu,
        Client = measured.Load.Usage,
        Errors = measured.Load.Counters.Errors.ByKind(),
        Timeline = measured.Load.Timeline,
    };
}
