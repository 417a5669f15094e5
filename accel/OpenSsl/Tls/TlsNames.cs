using System.Security.Cryptography;
using System.Text;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Provider;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>What this OpenSSL knows of groups and signature algorithms, by the names that IANA gave them. Any thread.</summary>
public static unsafe class TlsNames
{
    // Names, the preferred first, of what servers may want; OpenSSL before 3.5 has no post-quantum groups.
    private static readonly string[] GroupNames =
    [
        "X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024", "x25519", "secp256r1", "secp384r1", "secp521r1", "x448",
        "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192",
    ];

    private static readonly string[] AlgorithmNames =
    [
        "ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512", "ed25519", "ed448",
        "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512", "rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512",
        "rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512", "ecdsa_sha1", "rsa_pkcs1_sha1",
    ];

    private static readonly Lazy<string[]> KnownGroups = new(() => Filter(GroupNames, &Libssl.SetGroups));
    private static readonly Lazy<string[]> KnownAlgorithms = new(() => Filter(AlgorithmNames, &Libssl.SetSignatureAlgorithms));

    /// <summary>The library with its version: <c>OpenSSL 3.0.19</c>.</summary>
    public static string Library { get; } = Describe(SafeEvpPKeyHandle.OpenSslVersion);

    /// <summary>Groups of the key exchange.</summary>
    public static IReadOnlyList<string> Groups => KnownGroups.Value;

    /// <summary>Signature algorithms. Those that end in <c>sha1</c> are allowed by being named.</summary>
    public static IReadOnlyList<string> SignatureAlgorithms => KnownAlgorithms.Value;

    // 0xMNN00PP0: opensslv.h.
    private static string Describe(long version) => $"OpenSSL {version >> 28}.{(version >> 20) & 0xFF}.{(version >> 4) & 0xFF}";

    private static string[] Filter(string[] names, delegate*<SslContextHandle, byte*, bool> trySet)
    {
        using var context = new SslContextHandle(Libssl.SSL_CTX_new_ex(WarpProvider.Library, null, Libssl.TLS_server_method()));
        SslContextHandle.Require(!context.IsInvalid, "OpenSSL made no context for TLS servers");
        List<string> known = [];
        foreach (string name in names)
        {
            fixed (byte* bytes = Encoding.ASCII.GetBytes(name + '\0'))
            {
                if (trySet(context, bytes))
                {
                    known.Add(name);
                }
            }
        }

        Libcrypto.ERR_clear_error();
        return [.. known];
    }
}
