namespace WarpProxy.Tls;

/// <summary>What became of connections before HTTP: counted, since nothing is logged for each. Any thread.</summary>
internal sealed class HandshakeCounters
{
    private readonly long[] _refused = new long[Enum.GetValues<LaneRefusal>().Length];
    private long _completed;
    private long _notTls;
    private long _clientHelloTimeouts;
    private long _clientHellosTooLong;
    private long _unknownNames;

    /// <summary>Handshakes that ended in an encrypted connection.</summary>
    public long CompletedCount => Interlocked.Read(ref _completed);

    /// <summary>Connections whose first bytes were not a ClientHello.</summary>
    public long NotTlsCount => Interlocked.Read(ref _notTls);

    /// <summary>Connections closed because the ClientHello did not arrive in time.</summary>
    public long ClientHelloTimeoutCount => Interlocked.Read(ref _clientHelloTimeouts);

    /// <summary>Connections closed because the ClientHello was longer, or in more records, than allowed.</summary>
    public long ClientHelloTooLongCount => Interlocked.Read(ref _clientHellosTooLong);

    /// <summary>Connections refused because they asked for a name that the listener has no certificate for, or for none.</summary>
    public long UnknownNameCount => Interlocked.Read(ref _unknownNames);

    /// <summary>Connections closed because no lane took them, by reason.</summary>
    public long RefusedCount(LaneRefusal reason) => Interlocked.Read(ref _refused[(int)reason]);

    // Each of these counts alone; no order between them is promised, so the atomic increment is all that is needed.
    internal void Completed() => Interlocked.Increment(ref _completed);

    internal void NotTls() => Interlocked.Increment(ref _notTls);

    internal void ClientHelloTimeout() => Interlocked.Increment(ref _clientHelloTimeouts);

    internal void ClientHelloTooLong() => Interlocked.Increment(ref _clientHellosTooLong);

    internal void UnknownName() => Interlocked.Increment(ref _unknownNames);

    internal void Refused(LaneRefusal reason) => Interlocked.Increment(ref _refused[(int)reason]);
}
