using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Provider;

namespace WarpDrive.OpenSsl.Tls;

/// <content>Versions, suites, groups and signatures.</content>
public sealed unsafe partial class TlsServerContext
{
    // Security levels of SSL_CTX_set_security_level(3). 2 is 112 bits: no key under RSA-2048, no SHA-1. Only 0 has versions below TLS 1.2, whose
    // signatures have SHA-1 (63 bits) in them.
    private const int LevelOf112Bits = 2;
    private const int LevelOfAnything = 0;

    // What .NET offers on Linux: ephemeral keys only.
    private const string DefaultCipherList =
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"
        + "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
        + "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256";

    /// <summary>Before certificates are used: the security level is for them too.</summary>
    private void SetProtocol(TlsServerOptions options)
    {
        bool isLegacy = options.LowestVersion is TlsVersion.Tls10 or TlsVersion.Tls11
            || options.SignatureAlgorithms?.Contains("sha1", StringComparison.Ordinal) == true;
        Libssl.SSL_CTX_set_security_level(_context, isLegacy ? LevelOfAnything : LevelOf112Bits);
        if (options.IsServerPreferring)
        {
            _ = Libssl.SSL_CTX_set_options(_context, Libssl.SSL_OP_CIPHER_SERVER_PREFERENCE | Libssl.SSL_OP_PRIORITIZE_CHACHA);
        }

        SetSuites(options);
        _context.SetGroups(options.Groups);
        _context.SetSignatureAlgorithms(options.SignatureAlgorithms);
    }

    private void SetSuites(TlsServerOptions options)
    {
        TlsSuite[] suites = [.. options.CipherSuites.Select(Find)];
        string tls13 = Join(suites.Where(static suite => suite.LowestVersion == TlsVersion.Tls13));
        string tls12 = Join(suites.Where(static suite => suite.LowestVersion != TlsVersion.Tls13));
        bool isDefault = suites.Length == 0;
        _context.SetVersions(
            isDefault || tls12.Length > 0 ? options.LowestVersion : TlsVersion.Tls13,
            isDefault || tls13.Length > 0 ? options.HighestVersion : TlsVersion.Tls12);
        _context.SetCiphers(isDefault ? DefaultCipherList : tls12.Length > 0 ? tls12 : null, tls13.Length > 0 ? tls13 : null);
        if (suites.Any(static suite => suite.KeyExchange == TlsKeyExchange.FiniteField))
        {
            UseFiniteField();
        }
    }

    private static TlsSuite Find(string name) =>
        TlsSuite.Find(name) ?? throw new OpenSslException(OpenSslError.Failed, $"OpenSSL does not know the cipher suite '{name}'.");

    private static string Join(IEnumerable<TlsSuite> suites) => string.Join(':', suites.Select(static suite => suite.OpenSslName));

    /// <summary>
    /// The group ffdhe2048 (RFC 7919) for every key. What OpenSSL would choose itself has 1024 bits beside a key of 1024, and beside larger
    /// ones more than clients take.
    /// </summary>
    private void UseFiniteField()
    {
        nint parameters = Libcrypto.CreateFiniteField(WarpProvider.Library, "ffdhe2048"u8);
        bool isTaken = parameters != 0 && Libssl.SSL_CTX_set0_tmp_dh_pkey(_context, parameters) == 1;
        if (!isTaken)
        {
            Libcrypto.EVP_PKEY_free(parameters);
        }

        SslContextHandle.Require(isTaken, "OpenSSL has no group ffdhe2048");
    }

    /// <summary>
    /// RFC 9113 9.2: TLS 1.2 at least, and there none of the suites of appendix A, which are those without ephemeral keys or without an AEAD. The
    /// suite is chosen before the application protocol.
    /// </summary>
    private static bool MayCarryHttp2(nint ssl)
    {
        int version = Libssl.SSL_version(ssl);
        return version >= (int)TlsVersion.Tls13
            || (version == (int)TlsVersion.Tls12 && Libssl.SSL_get_pending_cipher(ssl) is not 0 and nint cipher && TlsSuite.IsFitForHttp2Of(cipher));
    }
}
