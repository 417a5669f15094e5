namespace WarpDrive.OpenSsl.Tls;

/// <summary>What a step of a connection came to.</summary>
public enum TlsStatus
{
    /// <summary>It is done.</summary>
    Done,

    /// <summary>To be repeated when the peer has sent more: when the socket can be read, or with further bytes.</summary>
    WantRead,

    /// <summary>To be repeated when the socket can be written. Servers have no such wait: what they send is handed to the caller.</summary>
    WantWrite,

    /// <summary>The peer has closed its side with close_notify.</summary>
    Closed,

    /// <summary>The connection is over; the connection's <c>Failure</c> says why.</summary>
    Failed,
}
