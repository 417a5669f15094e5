using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.Protocol;

/// <summary>
/// What a profile of Mozilla's guidelines "Server Side TLS" says: <c>modern</c> and <c>intermediate</c> as in version 6.0 of 2026, <c>old</c> as in 5.8,
/// the last that has it. Sources: https://ssl-config.mozilla.org/guidelines/6.0.json and 5.8.json.
/// </summary>
/// <param name="LowestVersion">The highest is TLS 1.3 in all of them.</param>
/// <param name="Preference">
/// Whose order of suites decides. The guidelines have the client's for <c>intermediate</c> too, since it knows whether it has AES in hardware. Here it is the
/// server's, which testssl.sh 3.0 wants wherever TLS 1.2 is spoken, with ChaCha20 first for clients that put it first: that serves the same end.
/// </param>
/// <param name="CipherSuites">By their names in the RFCs, in order.</param>
/// <param name="SignatureAlgorithms">The guidelines have none for handshakes: everything with SHA-2, and SHA-1 for clients of <c>old</c>.</param>
internal sealed record MozillaProfile(
    TlsVersion LowestVersion, ProtocolPreference Preference, IReadOnlyList<string> CipherSuites, IReadOnlyList<string> SignatureAlgorithms)
{
    private static readonly string[] Tls13Suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

    private static readonly string[] Tls12Suites =
    [
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    ];

    // 5.8 took the suites with DHE out, of which 5.7 had five.
    private static readonly string[] OldSuites =
    [
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_RSA_WITH_AES_256_CBC_SHA256",
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_RSA_WITH_AES_256_CBC_SHA",
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    ];

    private static readonly string[] Sha2Algorithms =
    [
        "ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512", "ed25519", "ed448",
        "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512", "rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512",
        "rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512",
    ];

    private static readonly MozillaProfile Modern = new(TlsVersion.Tls13, ProtocolPreference.Client, Tls13Suites, Sha2Algorithms);
    private static readonly MozillaProfile Intermediate = new(
        TlsVersion.Tls12, ProtocolPreference.Server, [.. Tls13Suites, .. Tls12Suites], Sha2Algorithms);
    private static readonly MozillaProfile Old = new(
        TlsVersion.Tls10, ProtocolPreference.Server, [.. Tls13Suites, .. Tls12Suites, .. OldSuites], [.. Sha2Algorithms, "ecdsa_sha1", "rsa_pkcs1_sha1"]);

    /// <summary>Groups of the key exchange, the same in all of them.</summary>
    public static IReadOnlyList<string> Groups { get; } = ["X25519MLKEM768", "x25519", "secp256r1", "secp384r1"];

    /// <summary>The profile of this name.</summary>
    public static MozillaProfile Of(ProtocolProfile profile) => profile switch
    {
        ProtocolProfile.Modern => Modern,
        ProtocolProfile.Old => Old,
        _ => Intermediate,
    };
}
