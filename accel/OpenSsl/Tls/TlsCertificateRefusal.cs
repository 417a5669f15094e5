namespace WarpDrive.OpenSsl.Tls;

/// <summary>Why a peer's certificate was refused, in the few kinds that people act on differently.</summary>
public enum TlsCertificateRefusal
{
    /// <summary>It was not.</summary>
    None,

    /// <summary>There was none.</summary>
    NotGiven,

    /// <summary>It leads to no authority that is trusted, or is not signed by it.</summary>
    UnknownAuthority,

    /// <summary>It, or one above it, has expired.</summary>
    Expired,

    /// <summary>It, or one above it, is not valid yet.</summary>
    NotYetValid,

    /// <summary>It, or one above it, was revoked.</summary>
    Revoked,

    /// <summary>There is no revocation list for it, or the list has expired, or cannot be trusted.</summary>
    RevocationUnknown,

    /// <summary>It is meant for something else, such as for servers.</summary>
    WrongPurpose,

    /// <summary>More certificates than allowed stand between it and a trusted one.</summary>
    ChainTooLong,

    /// <summary>Anything else.</summary>
    Other,
}
