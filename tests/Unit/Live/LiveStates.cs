using WarpProxy.Admin;
using WarpProxy.Live;
using WarpProxy.Offload;

namespace WarpProxy.Tests.Unit.Live;

/// <summary>How a proxy is, made by hand.</summary>
internal static class LiveStates
{
    /// <summary>One that serves.</summary>
    /// <param name="deviceState">Of its one device.</param>
    /// <param name="fallbacks">Operations that timed out so far.</param>
    public static LiveState Make(string deviceState = "ready", long fallbacks = 0)
    {
        var device = new DeviceSnapshot("embedded:", deviceState, "simd", 2, 16, 0)
        {
            Breaker = new BreakerSnapshot(deviceState == "ready" ? "closed" : "open", null, "it did not answer", 0, new Dictionary<string, long>(), new ProbeCounts(1, 0), new BreakerSeconds(1, 0, 0)),
            ProcessorSeconds = 1,
        };
        var operations = new OperationSnapshot(0, fallbacks, fallbacks == 0 ? new Dictionary<string, long>() : new Dictionary<string, long> { ["deadline"] = fallbacks });
        var status = new StatusDocument(
            operations,
            [device],
            new LeakStatus(1, 2, 3),
            new HandshakeStatus(0, 4, 0, 0, 0, 0, 0, 0, 0, new Dictionary<string, long>()),
            new ResumptionStatus(0, 0, 0, 0, 0, 0),
            new ProxyProtocolStatus(0, 0, 0, 0, 0),
            []);
        return new LiveState(status, Readiness.Of(Readiness.Serving, OffloadPath.Compare, hasRsa: true, [device]), OffloadPath.Compare, 16, []);
    }
}
