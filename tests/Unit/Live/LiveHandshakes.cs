using System.Diagnostics;
using WarpProxy.Live;
using WarpProxy.Telemetry;
using WarpProxy.Tls;

namespace WarpProxy.Tests.Unit.Live;

/// <summary>Handshakes that are over, made by hand.</summary>
internal static class LiveHandshakes
{
    /// <summary>When all of them began.</summary>
    public const long Begun = 1_000_000_000_000;

    /// <summary>One of a path, in which the proxy took so long, and the client as long again.</summary>
    public static Handshake Make(string path, double proxyMs, double processorMs = 0, int bits = 2048)
    {
        var handshake = new Handshake
        {
            Begun = Begun,
            Path = path,
            ModulusBits = path == HandshakePath.None ? 0 : bits,
            Certificate = "CN=localhost",
            Outcome = HandshakeOutcomes.Completed,
            ProcessorNanoseconds = (long)(processorMs * 1e6),
        };
        handshake.Steps.LaneAsked = Begun;
        handshake.Steps.LaneBegun = Begun + Ticks(proxyMs / 10);
        handshake.Steps.OperationBegun = Begun + Ticks(proxyMs / 5);
        handshake.Steps.OperationEnded = Begun + Ticks(proxyMs * 0.9);
        handshake.Steps.Answered = Begun + Ticks(proxyMs);
        return handshake;
    }

    /// <summary>When it was over.</summary>
    public static long EndOf(Handshake handshake) => Begun + (2 * (handshake.Steps.Answered - Begun));

    public static long Ticks(double milliseconds) => (long)(milliseconds * Stopwatch.Frequency / 1000);

    public static void Record(this HandshakeStatistics statistics, Handshake handshake) => statistics.Record(handshake, EndOf(handshake));
}
