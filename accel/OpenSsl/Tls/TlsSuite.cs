using System.Collections.Frozen;
using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Provider;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>A cipher suite that this OpenSSL has, for servers with certificates of RSA and ECDSA keys.</summary>
public sealed unsafe class TlsSuite
{
    private static readonly Lazy<FrozenDictionary<string, TlsSuite>> Known = new(ReadAll);

    private TlsSuite(nint cipher)
    {
        Name = Text(Libssl.SSL_CIPHER_standard_name(cipher));
        OpenSslName = Text(Libssl.SSL_CIPHER_get_name(cipher));
        LowestVersion = Text(Libssl.SSL_CIPHER_get_version(cipher)) switch
        {
            "TLSv1.3" => TlsVersion.Tls13,
            "TLSv1.2" => TlsVersion.Tls12,
            _ => TlsVersion.Tls10,
        };
        KeyExchange = Libssl.SSL_CIPHER_get_kx_nid(cipher) switch
        {
            Libssl.NID_kx_ecdhe => TlsKeyExchange.EllipticCurve,
            Libssl.NID_kx_dhe => TlsKeyExchange.FiniteField,
            Libssl.NID_kx_rsa => TlsKeyExchange.Rsa,
            _ => TlsKeyExchange.Any,
        };
        IsFitForHttp2 = IsFitForHttp2Of(cipher);
    }

    /// <summary>The name in the RFCs: <c>TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256</c>.</summary>
    public string Name { get; }

    /// <summary>The lowest version that has it. The highest is TLS 1.2, or else both are TLS 1.3.</summary>
    public TlsVersion LowestVersion { get; }

    /// <summary>How keys are agreed on.</summary>
    public TlsKeyExchange KeyExchange { get; }

    /// <summary>Whether HTTP/2 may be spoken with it (RFC 9113 9.2.2 and appendix A).</summary>
    public bool IsFitForHttp2 { get; }

    /// <summary>The name in the language of ciphers(1).</summary>
    internal string OpenSslName { get; }

    /// <summary>The suite of this name; null when this OpenSSL has none, or it is for no certificate (PSK, anonymous), or encrypts nothing.</summary>
    public static TlsSuite? Find(string name) => Known.Value.GetValueOrDefault(name);

    /// <summary>Appendix A of RFC 9113 has the suites without ephemeral keys and those without an AEAD.</summary>
    internal static bool IsFitForHttp2Of(nint cipher) =>
        Libssl.SSL_CIPHER_is_aead(cipher) == 1 && Libssl.SSL_CIPHER_get_kx_nid(cipher) is Libssl.NID_kx_ecdhe or Libssl.NID_kx_dhe or Libssl.NID_kx_any;

    private static FrozenDictionary<string, TlsSuite> ReadAll()
    {
        using var context = new SslContextHandle(Libssl.SSL_CTX_new_ex(WarpProvider.Library, null, Libssl.TLS_server_method()));
        SslContextHandle.Require(!context.IsInvalid, "OpenSSL made no context for TLS servers");
        context.SetCiphers(
            "ALL:!aNULL:!eNULL:!PSK:!SRP:!aDSS:@SECLEVEL=0",
            "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256");
        nint stack = Libssl.SSL_CTX_get_ciphers(context);
        return Enumerable.Range(0, Libcrypto.OPENSSL_sk_num(stack))
            .Select(index => new TlsSuite(Libcrypto.OPENSSL_sk_value(stack, index)))
            .ToFrozenDictionary(static suite => suite.Name, StringComparer.Ordinal);
    }

    private static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";
}
