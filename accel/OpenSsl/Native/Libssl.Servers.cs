using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Tls;

namespace WarpDrive.OpenSsl.Native;

/// <content>What only servers need of SSL_CTX and SSL.</content>
internal static unsafe partial class Libssl
{
    public const ulong SSL_OP_NO_COMPRESSION = 1UL << 17;
    public const ulong SSL_OP_CIPHER_SERVER_PREFERENCE = 1UL << 22;
    public const ulong SSL_OP_NO_RENEGOTIATION = 1UL << 30;
    public const int SSL_TLSEXT_ERR_OK = 0;
    public const int SSL_TLSEXT_ERR_ALERT_FATAL = 2;

    private const int SSL_CTRL_CHAIN_CERT = 89;
    private const int SSL_MODE_NO_AUTO_CHAIN = 8;
    private const int SSL_MODE_RELEASE_BUFFERS = 16;

    // Belongs to the library.
    [LibraryImport(Ssl)]
    public static partial nint TLS_server_method();

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_new_ex(nint library, byte* properties, nint method);

    // Adds to the options there are, and returns them.
    [LibraryImport(Ssl)]
    public static partial ulong SSL_CTX_set_options(SslContextHandle context, ulong options);

    // Takes its own reference. The settings of keys and chains that follow are this certificate's.
    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_use_certificate(SslContextHandle context, nint certificate);

    // Takes its own reference. Fails for a key of another certificate.
    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_use_PrivateKey(SslContextHandle context, nint key);

    // SSL_CTX_add1_chain_cert is a macro. Takes its own reference.
    public static bool AddChainCertificate(SslContextHandle context, nint certificate) =>
        SSL_CTX_ctrl(context, SSL_CTRL_CHAIN_CERT, 1, (void*)certificate) == 1;

    // Buffers of 16 KiB are returned whenever they are empty; a chain is what was given, not what the trust store would add to it
    // with a verification per handshake.
    public static void SetServerModes(SslContextHandle context) => SSL_CTX_ctrl(
        context, SSL_CTRL_MODE, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN, null);

    // Tickets are bound to it; without one, those of clients that show certificates are refused.
    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_session_id_context(SslContextHandle context, byte* id, uint length);

    // Called once a connection whose client offers protocols; what it selects is copied when it returns.
    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_alpn_select_cb(
        SslContextHandle context, delegate* unmanaged<nint, byte**, byte*, byte*, uint, void*, int> callback, void* argument);

    // Takes the reference to the BIO: one, when both are the same.
    [LibraryImport(Ssl)]
    public static partial void SSL_set_bio(nint ssl, nint reader, nint writer);

    [LibraryImport(Ssl)]
    public static partial void SSL_set_accept_state(nint ssl);

    // Belongs to the connection. Null when the client named none.
    [LibraryImport(Ssl)]
    public static partial byte* SSL_get_servername(SslHandle ssl, int type);

    // The number that IANA gave it. Crashes for null.
    [LibraryImport(Ssl)]
    public static partial ushort SSL_CIPHER_get_protocol_id(nint cipher);
}
