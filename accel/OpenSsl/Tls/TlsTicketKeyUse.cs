namespace WarpDrive.OpenSsl.Tls;

/// <summary>Which of a server's keys the session ticket of a client was made with. A known key does not mean that the session is resumed.</summary>
public enum TlsTicketKeyUse
{
    /// <summary>The client has shown no ticket.</summary>
    None,

    /// <summary>The one that encrypts.</summary>
    Current,

    /// <summary>One before it: the client gets a new ticket.</summary>
    Old,

    /// <summary>One after it: another server, which shares the keys, has gone on to it already.</summary>
    Next,

    /// <summary>None of them.</summary>
    Unknown,
}
