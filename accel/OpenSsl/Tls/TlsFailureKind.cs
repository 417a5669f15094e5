namespace WarpDrive.OpenSsl.Tls;

/// <summary>Why a connection failed; says what <see cref="TlsFailure.Code"/> is.</summary>
public enum TlsFailureKind
{
    /// <summary>It did not.</summary>
    None,

    /// <summary>The peer sent a fatal alert. Code: its number (RFC 8446 6).</summary>
    Alert,

    /// <summary>The peer's certificate is not trusted. Code: X509_V_ERR_... of OpenSSL's x509_vfy.h.</summary>
    Verification,

    /// <summary>The peer showed no certificate although it had to. Code: 0.</summary>
    NoCertificate,

    /// <summary>The peer broke the protocol, or nothing acceptable to both was found. Code: OpenSSL's error code.</summary>
    Protocol,

    /// <summary>The socket failed. Code: errno.</summary>
    Transport,

    /// <summary>The peer closed the connection without close_notify. Code: 0.</summary>
    EndOfStream,
}
