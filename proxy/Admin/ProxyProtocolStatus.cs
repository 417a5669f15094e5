using WarpProxy.ProxyProtocol;

namespace WarpProxy.Admin;

/// <summary>Connections since the start to listeners that require the PROXY protocol.</summary>
internal sealed record ProxyProtocolStatus(long Proxied, long Local, long Malformed, long Untrusted, long Timeout)
{
    /// <summary>Reads the counters.</summary>
    public static ProxyProtocolStatus Read(ProxyProtocolCounters counters) =>
        new(counters.ProxiedCount, counters.LocalCount, counters.MalformedCount, counters.UntrustedCount, counters.TimeoutCount);
}
