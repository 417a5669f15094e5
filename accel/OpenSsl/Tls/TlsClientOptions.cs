namespace WarpDrive.OpenSsl.Tls;

/// <summary>What a client offers and accepts. Null leaves a list to OpenSSL.</summary>
public sealed class TlsClientOptions
{
    /// <summary>The lowest version.</summary>
    public TlsVersion LowestVersion { get; init; } = TlsVersion.Tls12;

    /// <summary>The highest version.</summary>
    public TlsVersion HighestVersion { get; init; }

    /// <summary>For TLS 1.2, in the language of ciphers(1): <c>ECDHE-RSA-AES128-GCM-SHA256</c>.</summary>
    public string? CipherList { get; init; }

    /// <summary>For TLS 1.3, with colons between: <c>TLS_AES_128_GCM_SHA256</c>.</summary>
    public string? CipherSuites { get; init; }

    /// <summary>Groups of the key exchange, with colons between: <c>X25519:P-256</c>. TLS 1.3 sends a key of the first.</summary>
    public string? Groups { get; init; }

    /// <summary>Application protocols (ALPN), the preferred first; empty for none.</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; init; } = [];

    /// <summary>
    /// PEM file with the certificates to trust. Null: the chain and the name are not looked at. That the server has the private key
    /// of the certificate it shows is always checked.
    /// </summary>
    public string? TrustedFile { get; init; }
}
