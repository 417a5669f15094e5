using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Tls;

namespace WarpDrive.OpenSsl.Native;

/// <content>Certificates of clients.</content>
internal static unsafe partial class Libssl
{
    // Belongs to the context; connections inherit it.
    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_get0_param(SslContextHandle context);

    public const int SSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2;
    public const int SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE = 199;
    public const int SSL_TICKET_SUCCESS = 5;
    public const int SSL_TICKET_SUCCESS_RENEW = 6;
    public const int SSL_TICKET_RETURN_IGNORE_RENEW = 2;
    public const int SSL_TICKET_RETURN_USE = 3;
    public const int SSL_TICKET_RETURN_USE_RENEW = 4;

    // How many certificates may stand between the client's and a trusted one.
    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_verify_depth(SslContextHandle context, int depth);

    // Takes its own reference.
    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set1_cert_store(SslContextHandle context, X509StoreHandle store);

    // Belongs to the context.
    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_get_cert_store(nint context);

    // Copies the certificate's name.
    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_add_client_CA(SslContextHandle context, nint certificate);

    // The second callback is asked what to do with a ticket, whether it could be decrypted or not; the session is null then.
    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_session_ticket_cb(
        SslContextHandle context,
        delegate* unmanaged<nint, void*, int> generating,
        delegate* unmanaged<nint, nint, byte*, nuint, int, void*, int> decrypted,
        void* argument);

    // Belongs to the connection.
    [LibraryImport(Ssl)]
    public static partial nint SSL_get_SSL_CTX(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_get_security_level(nint ssl);

    // Belongs to the session. Null when the client showed none.
    [LibraryImport(Ssl)]
    public static partial nint SSL_SESSION_get0_peer(nint session);

    // Belongs to the connection: the client's first, the trusted one last. Null without one, and in a resumed session.
    [LibraryImport(Ssl)]
    public static partial nint SSL_get0_verified_chain(SslHandle ssl);
}
