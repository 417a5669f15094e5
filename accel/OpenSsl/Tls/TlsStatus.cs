namespace WarpDrive.OpenSsl.Tls;

/// <summary>What a step of a connection came to.</summary>
public enum TlsStatus
{
    /// <summary>It is done.</summary>
    Done,

    /// <summary>To be repeated when the socket can be read.</summary>
    WantRead,

    /// <summary>To be repeated when the socket can be written.</summary>
    WantWrite,

    /// <summary>The peer has closed its side with close_notify.</summary>
    Closed,

    /// <summary>The connection is over; <see cref="TlsConnection.Failure"/> says why.</summary>
    Failed,
}
