namespace WarpDrive.OpenSsl.Tls;

/// <summary>What a server shows and accepts.</summary>
public sealed class TlsServerOptions
{
    /// <summary>At least one; of several for the same names, with keys of different types, the client's signature algorithms decide.</summary>
    public required IReadOnlyList<TlsServerCertificate> Certificates { get; init; }

    /// <summary>The lowest version.</summary>
    public TlsVersion LowestVersion { get; init; } = TlsVersion.Tls12;

    /// <summary>The highest version.</summary>
    public TlsVersion HighestVersion { get; init; } = TlsVersion.Tls13;

    /// <summary>
    /// Cipher suites as the RFCs name them, of both versions, in order of preference; a version without a suite is off. Empty: those of
    /// TLS 1.3, and of TLS 1.2 those with ephemeral keys and AES or ChaCha20.
    /// </summary>
    public IReadOnlyList<string> CipherSuites { get; init; } = [];

    /// <summary>Groups of the key exchange, with colons between: <c>X25519:P-256</c>. Null leaves them to OpenSSL.</summary>
    public string? Groups { get; init; }

    /// <summary>
    /// Application protocols (ALPN), the preferred first. A client that offers protocols, but none of these, is refused with
    /// no_application_protocol (RFC 7301 3.2). Empty: none is agreed on.
    /// </summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [];
}
