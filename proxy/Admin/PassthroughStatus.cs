using WarpProxy.Passthrough;

namespace WarpProxy.Admin;

/// <summary>Connections of one passthrough entry since the start; <c>Open</c> is of now.</summary>
internal sealed record PassthroughStatus(
    string Listener,
    string Name,
    string Upstream,
    long Open,
    long Opened,
    long ConnectFailed,
    long ConnectTimeout,
    long IdleTimeout,
    long Failed,
    long BytesToUpstream,
    long BytesToClient)
{
    /// <summary>Reads the counters.</summary>
    public static PassthroughStatus Read(PassthroughRoute route) => new(
        route.Listener,
        route.Name,
        route.Options.Upstream,
        route.Counters.OpenCount,
        route.Counters.OpenedCount,
        route.Counters.ConnectFailureCount,
        route.Counters.ConnectTimeoutCount,
        route.Counters.IdleTimeoutCount,
        route.Counters.FailureCount,
        route.Counters.BytesToUpstream,
        route.Counters.BytesToClient);
}
