using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Tls;

namespace WarpDrive.OpenSsl.Native;

/// <content>What decides which version, suite and signature a connection has.</content>
internal static unsafe partial class Libssl
{
    public const ulong SSL_OP_PRIORITIZE_CHACHA = 1UL << 21;
    public const int NID_kx_rsa = 1037;
    public const int NID_kx_ecdhe = 1038;
    public const int NID_kx_dhe = 1039;
    public const int NID_kx_any = 1063;

    private const int SSL_CTRL_SET_SIGALGS_LIST = 98;

    // Of keys, signatures and versions; counts for what is set from now on.
    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_security_level(SslContextHandle context, int level);

    // Takes ownership of the parameters unless it fails.
    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set0_tmp_dh_pkey(SslContextHandle context, nint parameters);

    // A stack of SSL_CIPHER, both the context's; those of TLS 1.3 first.
    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_get_ciphers(SslContextHandle context);

    // The name in the RFCs, which belongs to the library.
    [LibraryImport(Ssl)]
    public static partial byte* SSL_CIPHER_standard_name(nint cipher);

    // The lowest version that has it: "TLSv1.3", "TLSv1.2", "TLSv1.0" or "SSLv3".
    [LibraryImport(Ssl)]
    public static partial byte* SSL_CIPHER_get_version(nint cipher);

    [LibraryImport(Ssl)]
    public static partial int SSL_CIPHER_get_kx_nid(nint cipher);

    [LibraryImport(Ssl)]
    public static partial int SSL_CIPHER_is_aead(nint cipher);

    // That of the handshake under way, when it is chosen; belongs to the library.
    [LibraryImport(Ssl)]
    public static partial nint SSL_get_pending_cipher(nint ssl);

    // A macro over SSL_CTX_ctrl. Fails for one unknown name.
    public static bool SetSignatureAlgorithms(SslContextHandle context, byte* list) =>
        SSL_CTX_ctrl(context, SSL_CTRL_SET_SIGALGS_LIST, 0, list) == 1;
}
