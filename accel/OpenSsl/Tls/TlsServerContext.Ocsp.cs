using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <content>OCSP stapling.</content>
public sealed unsafe partial class TlsServerContext
{
    /// <summary>The response of the certificate that was chosen, if there is one and it is current.</summary>
    private OcspResponse? FindResponse(nint certificate) =>
        FindCertificate(certificate)?.OcspResponse is { } response && response.IsCurrent(_time.GetUtcNow()) ? response : null;

    /// <summary>Hands a copy over: libssl frees what it sends.</summary>
    [UnmanagedCallersOnly]
    private static int GiveStatus(nint ssl, void* argument)
    {
        try
        {
            return TlsServerConnection.Stepping is { } connection
                && connection.Context.FindResponse(Libssl.SSL_get_certificate(ssl)) is { } response
                && TryGive(ssl, connection, response)
                    ? Libssl.SSL_TLSEXT_ERR_OK
                    : Libssl.SSL_TLSEXT_ERR_NOACK;
        }
        catch (Exception)
        {
            // None may cross libssl. The handshake goes on without a response, as with one that has expired; so nothing is in the error queue.
            return Libssl.SSL_TLSEXT_ERR_NOACK;
        }
    }

    private static bool TryGive(nint ssl, TlsServerConnection connection, OcspResponse response)
    {
        ReadOnlySpan<byte> der = response.Der;
        void* copy;
        fixed (byte* bytes = der)
        {
            copy = Libcrypto.CRYPTO_memdup(bytes, (nuint)der.Length, null, 0);
        }

        if (copy == null || !Libssl.SetStatusResponse(ssl, copy, der.Length))
        {
            Libcrypto.CRYPTO_free(copy, null, 0);
            return false;
        }

        connection.HasStatusResponse = true;
        return true;
    }
}
