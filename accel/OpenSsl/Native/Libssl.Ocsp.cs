using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Tls;

namespace WarpDrive.OpenSsl.Native;

/// <content>OCSP responses that a server staples to its certificate.</content>
internal static unsafe partial class Libssl
{
    public const int SSL_TLSEXT_ERR_NOACK = 3;

    private const int SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB = 63;
    private const int SSL_CTRL_SET_TLSEXT_STATUS_REQ_OCSP_RESP = 71;

    // SSL_CTX_set_tlsext_status_cb is a macro. Called when a client asks, after the certificate was chosen.
    public static bool SetStatusCallback(SslContextHandle context, delegate* unmanaged<nint, void*, int> callback) =>
        SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB, callback) == 1;

    // SSL_set_tlsext_status_ocsp_resp is a macro. Frees the one before and, once it succeeds, owns the bytes, which CRYPTO_malloc made.
    public static bool SetStatusResponse(nint ssl, void* response, int length) =>
        SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_STATUS_REQ_OCSP_RESP, length, response) == 1;

    public static void DropStatusResponse(SslHandle ssl) => SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_STATUS_REQ_OCSP_RESP, 0, null);

    // Belongs to the connection. In the callback: the certificate that was chosen.
    [LibraryImport(Ssl)]
    public static partial nint SSL_get_certificate(nint ssl);

    [LibraryImport(Ssl)]
    private static partial nint SSL_CTX_callback_ctrl(SslContextHandle context, int command, void* callback);
}
