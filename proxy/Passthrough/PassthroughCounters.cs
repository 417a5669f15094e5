namespace WarpProxy.Passthrough;

/// <summary>What became of the connections of one <see cref="PassthroughRoute"/>. Any thread.</summary>
internal sealed class PassthroughCounters
{
    private long _open;
    private long _opened;
    private long _connectFailures;
    private long _connectTimeouts;
    private long _idleTimeouts;
    private long _failures;
    private long _bytesToUpstream;
    private long _bytesToClient;

    /// <summary>Connections passed through now.</summary>
    public long OpenCount => Interlocked.Read(ref _open);

    /// <summary>Connections for which the upstream was reached, since the start.</summary>
    public long OpenedCount => Interlocked.Read(ref _opened);

    /// <summary>Connections closed because the upstream was not reached: refused, no route, no such name.</summary>
    public long ConnectFailureCount => Interlocked.Read(ref _connectFailures);

    /// <summary>Connections closed because the upstream was not reached in time.</summary>
    public long ConnectTimeoutCount => Interlocked.Read(ref _connectTimeouts);

    /// <summary>Connections closed because no byte went either way for too long.</summary>
    public long IdleTimeoutCount => Interlocked.Read(ref _idleTimeouts);

    /// <summary>Connections that one side cut off, or the end of the proxy.</summary>
    public long FailureCount => Interlocked.Read(ref _failures);

    /// <summary>Bytes of clients that were sent on.</summary>
    public long BytesToUpstream => Interlocked.Read(ref _bytesToUpstream);

    /// <summary>Bytes of the upstream that were sent back.</summary>
    public long BytesToClient => Interlocked.Read(ref _bytesToClient);

    // Each of these counts alone; no order between them is promised, so the atomic operation is all that is needed.
    internal void Opened()
    {
        Interlocked.Increment(ref _open);
        Interlocked.Increment(ref _opened);
    }

    internal void Closed() => Interlocked.Decrement(ref _open);

    internal void ConnectFailed() => Interlocked.Increment(ref _connectFailures);

    internal void ConnectTimeout() => Interlocked.Increment(ref _connectTimeouts);

    internal void IdleTimeout() => Interlocked.Increment(ref _idleTimeouts);

    internal void Failed() => Interlocked.Increment(ref _failures);

    internal void SentToUpstream(long bytes) => Interlocked.Add(ref _bytesToUpstream, bytes);

    internal void SentToClient(long bytes) => Interlocked.Add(ref _bytesToClient, bytes);
}
