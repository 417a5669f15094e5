namespace WarpProxy.ProxyProtocol;

/// <summary>What became of connections to listeners that require a PROXY protocol header. Any thread.</summary>
internal sealed class ProxyProtocolCounters
{
    private long _proxied;
    private long _local;
    private long _malformed;
    private long _untrusted;
    private long _timeouts;

    /// <summary>Connections whose header told the client's address.</summary>
    public long ProxiedCount => Interlocked.Read(ref _proxied);

    /// <summary>Connections whose header had none: health checks of the load balancer, as a rule.</summary>
    public long LocalCount => Interlocked.Read(ref _local);

    /// <summary>Connections closed because their first bytes were no header, or a wrong one.</summary>
    public long MalformedCount => Interlocked.Read(ref _malformed);

    /// <summary>Connections closed, unread, because they came from an address that is not trusted.</summary>
    public long UntrustedCount => Interlocked.Read(ref _untrusted);

    /// <summary>Connections closed because the header did not arrive in time.</summary>
    public long TimeoutCount => Interlocked.Read(ref _timeouts);

    // Each of these counts alone; no order between them is promised, so the atomic increment is all that is needed.
    internal void Proxied() => Interlocked.Increment(ref _proxied);

    internal void Local() => Interlocked.Increment(ref _local);

    internal void Malformed() => Interlocked.Increment(ref _malformed);

    internal void Untrusted() => Interlocked.Increment(ref _untrusted);

    internal void Timeout() => Interlocked.Increment(ref _timeouts);
}
