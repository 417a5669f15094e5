using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <content>Certificates of clients.</content>
public sealed unsafe partial class TlsServerContext
{
    /// <summary>Whether clients are asked for certificates.</summary>
    internal bool VerifiesClients { get; private set; }

    /// <summary>Whether a client without one is refused.</summary>
    internal bool RequiresClientCertificate { get; private set; }

    private void VerifyClients(TlsClientVerification verification)
    {
        verification.ApplyTo(_context);
        VerifiesClients = true;
        RequiresClientCertificate = verification.IsRequired;
        SslContextHandle.Require(Libssl.SSL_CTX_set_session_ticket_cb(_context, null, &JudgeTicket, null) == 1, "OpenSSL takes no callback for tickets");
    }

    /// <summary>
    /// A ticket vouches for the certificate that its client once showed, and libssl asks no further. Here that certificate is verified
    /// again, with what is trusted now: whoever was revoked or has expired since, or got the ticket where others are trusted,
    /// goes through a full handshake, which ends as it has to.
    /// </summary>
    [UnmanagedCallersOnly]
    private static int JudgeTicket(nint ssl, nint session, byte* keyName, nuint keyNameLength, int status, void* argument)
    {
        try
        {
            bool isDecrypted = status is Libssl.SSL_TICKET_SUCCESS or Libssl.SSL_TICKET_SUCCESS_RENEW;
            if (!isDecrypted || TlsServerConnection.Stepping is not { } connection || !connection.TryResume(ssl, session))
            {
                return Libssl.SSL_TICKET_RETURN_IGNORE_RENEW;
            }

            return status == Libssl.SSL_TICKET_SUCCESS ? Libssl.SSL_TICKET_RETURN_USE : Libssl.SSL_TICKET_RETURN_USE_RENEW;
        }
        catch (Exception)
        {
            // None may cross libssl. A certificate that could not be verified again is one that was not: a full handshake.
            return Libssl.SSL_TICKET_RETURN_IGNORE_RENEW;
        }
    }
}
