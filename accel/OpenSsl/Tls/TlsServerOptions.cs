namespace WarpDrive.OpenSsl.Tls;

/// <summary>What a server shows and accepts.</summary>
public sealed class TlsServerOptions
{
    /// <summary>At least one; of several for the same names, with keys of different types, the client's signature algorithms decide.</summary>
    public required IReadOnlyList<TlsServerCertificate> Certificates { get; init; }

    /// <summary>The lowest version. Below TLS 1.2, what OpenSSL takes for weak is allowed: its security level is 0 then, and 2 otherwise.</summary>
    public TlsVersion LowestVersion { get; init; } = TlsVersion.Tls12;

    /// <summary>The highest version.</summary>
    public TlsVersion HighestVersion { get; init; } = TlsVersion.Tls13;

    /// <summary>
    /// Cipher suites as the RFCs name them, of both versions, in order of preference; a version without a suite is off. Empty: those of
    /// TLS 1.3, and of TLS 1.2 those with ephemeral keys and AES or ChaCha20.
    /// </summary>
    public IReadOnlyList<string> CipherSuites { get; init; } = [];

    /// <summary>
    /// Whether this side's order of suites, groups and signature algorithms decides; ChaCha20 still comes first for a client that prefers it,
    /// which has no AES in hardware. If not, the client's order does.
    /// </summary>
    public bool IsServerPreferring { get; init; } = true;

    /// <summary>Groups of the key exchange, with colons between: <c>X25519:P-256</c>. Null leaves them to OpenSSL.</summary>
    public string? Groups { get; init; }

    /// <summary>
    /// Signature algorithms, with colons between: <c>rsa_pss_rsae_sha256:rsa_pkcs1_sha256</c>. Null leaves them to OpenSSL. TLS 1.0 and 1.1
    /// know no choice (MD5 with SHA-1 for RSA).
    /// </summary>
    public string? SignatureAlgorithms { get; init; }

    /// <summary>
    /// Application protocols (ALPN), the preferred first. A client that offers protocols, but none of these, is refused with
    /// no_application_protocol (RFC 7301 3.2). Empty: none is agreed on. <c>h2</c> is passed over below TLS 1.2, and with the suites of TLS 1.2 that
    /// RFC 9113 appendix A forbids it.
    /// </summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [];

    /// <summary>The keys of session tickets; null: no session is resumed, in neither version. Outlives the contexts made with it.</summary>
    public TlsTicketKeyRing? TicketKeys { get; init; }

    /// <summary>How long a session may be resumed; in TLS 1.3 counted anew from each ticket. Whole seconds, at most seven days (RFC 8446 4.6.1).</summary>
    public TimeSpan TicketLifetime { get; init; } = TimeSpan.FromHours(12);

    /// <summary>
    /// Whose sessions they are: a ticket is resumed only where this text is the same, whatever the keys. It holds all that decided whether
    /// the first handshake was accepted, and what was shown in it.
    /// </summary>
    public string SessionContext { get; init; } = "";

    /// <summary>How certificates of clients are verified; null: clients are not asked for them. May be disposed afterwards.</summary>
    public TlsClientVerification? ClientVerification { get; init; }

    /// <summary>The clock by which OCSP responses are current.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
