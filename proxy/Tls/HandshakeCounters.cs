using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.Tls;

/// <summary>What became of connections before HTTP: counted, since nothing is logged for each. Any thread.</summary>
internal sealed class HandshakeCounters
{
    private readonly long[] _refused = new long[Enum.GetValues<LaneRefusal>().Length];
    private readonly long[] _refusedCertificates = new long[Enum.GetValues<TlsCertificateRefusal>().Length];
    private long _full;
    private long _resumed;
    private long _resumedWithOldKey;
    private long _resumedWithNextKey;
    private long _unknownTicketKeys;
    private long _refusedTickets;
    private long _notTls;
    private long _clientHelloTimeouts;
    private long _timeouts;
    private long _clientHellosTooLong;
    private long _unknownNames;

    /// <summary>Handshakes that ended in an encrypted connection.</summary>
    public long CompletedCount => FullCount + ResumedCount;

    /// <summary>Those of them that resumed no session.</summary>
    public long FullCount => Interlocked.Read(ref _full);

    /// <summary>Those of them that resumed a session.</summary>
    public long ResumedCount => Interlocked.Read(ref _resumed);

    /// <summary>Those of them that resumed a session with a ticket of an old key.</summary>
    public long ResumedWithOldKeyCount => Interlocked.Read(ref _resumedWithOldKey);

    /// <summary>Those of them that resumed a session with a ticket of the next key, which another proxy uses already.</summary>
    public long ResumedWithNextKeyCount => Interlocked.Read(ref _resumedWithNextKey);

    /// <summary>Full handshakes of clients whose ticket no key here has made.</summary>
    public long UnknownTicketKeyCount => Interlocked.Read(ref _unknownTicketKeys);

    /// <summary>Full handshakes of clients whose ticket names a key of ours: expired, changed, or of another listener or site.</summary>
    public long RefusedTicketCount => Interlocked.Read(ref _refusedTickets);

    /// <summary>Connections whose first bytes were not a ClientHello.</summary>
    public long NotTlsCount => Interlocked.Read(ref _notTls);

    /// <summary>Connections closed because the ClientHello did not arrive in time.</summary>
    public long ClientHelloTimeoutCount => Interlocked.Read(ref _clientHelloTimeouts);

    /// <summary>Connections closed because the rest of the handshake did not come in time.</summary>
    public long TimeoutCount => Interlocked.Read(ref _timeouts);

    /// <summary>Connections closed because the ClientHello was longer, or in more records, than allowed.</summary>
    public long ClientHelloTooLongCount => Interlocked.Read(ref _clientHellosTooLong);

    /// <summary>Connections refused because they asked for a name that the listener has no certificate for, or for none.</summary>
    public long UnknownNameCount => Interlocked.Read(ref _unknownNames);

    /// <summary>Connections closed because no lane took them, by reason.</summary>
    public long RefusedCount(LaneRefusal reason) => Interlocked.Read(ref _refused[(int)reason]);

    /// <summary>Handshakes that failed for the client's certificate, by reason.</summary>
    public long RefusedCount(TlsCertificateRefusal reason) => Interlocked.Read(ref _refusedCertificates[(int)reason]);

    // Each of these counts alone; no order between them is promised, so the atomic increment is all that is needed.
    internal void Completed(bool isResumed, TlsTicketKeyUse ticketKey)
    {
        Interlocked.Increment(ref isResumed ? ref _resumed : ref _full);
        switch (isResumed, ticketKey)
        {
            case (true, TlsTicketKeyUse.Old):
                Interlocked.Increment(ref _resumedWithOldKey);
                break;
            case (true, TlsTicketKeyUse.Next):
                Interlocked.Increment(ref _resumedWithNextKey);
                break;
            case (false, TlsTicketKeyUse.Unknown):
                Interlocked.Increment(ref _unknownTicketKeys);
                break;
            case (false, not TlsTicketKeyUse.None):
                Interlocked.Increment(ref _refusedTickets);
                break;
        }
    }

    internal void NotTls() => Interlocked.Increment(ref _notTls);

    internal void ClientHelloTimeout() => Interlocked.Increment(ref _clientHelloTimeouts);

    internal void Timeout() => Interlocked.Increment(ref _timeouts);

    internal void ClientHelloTooLong() => Interlocked.Increment(ref _clientHellosTooLong);

    internal void UnknownName() => Interlocked.Increment(ref _unknownNames);

    internal void ClientCertificateRefused(TlsCertificateRefusal reason) => Interlocked.Increment(ref _refusedCertificates[(int)reason]);

    internal void Refused(LaneRefusal reason) => Interlocked.Increment(ref _refused[(int)reason]);
}
