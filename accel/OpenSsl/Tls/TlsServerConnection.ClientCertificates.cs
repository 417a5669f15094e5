using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <content>The client's certificate.</content>
public sealed unsafe partial class TlsServerConnection
{
    private ReadOnlyMemory<byte>[] _resumedChain = [];

    /// <summary>
    /// The client's verified certificate and those by which it is trusted, in DER: the client's first, the one that is trusted by itself last.
    /// Empty when the client showed none or was not asked. Once the handshake is done; in a resumed session it is what the certificate
    /// was verified with again.
    /// </summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> GetClientChain()
    {
        if (!Context.VerifiesClients)
        {
            // A session may come from where clients are asked.
            return [];
        }

        return IsResumed ? _resumedChain : TlsClientVerification.Encode(Libssl.SSL_get0_verified_chain(_ssl));
    }

    /// <summary>For the ticket callback: whether a session with that client's certificate, or without one, may be resumed.</summary>
    internal bool TryResume(nint ssl, nint session)
    {
        nint certificate = Libssl.SSL_SESSION_get0_peer(session);
        if (certificate == 0)
        {
            _resumedChain = [];
            return !Context.RequiresClientCertificate;
        }

        ReadOnlyMemory<byte>[] chain = TlsClientVerification.VerifyAgain(ssl, certificate);
        if (chain.Length == 0)
        {
            return false;
        }

        // Of several tickets, the last one that this allows is the one that libssl resumes.
        _resumedChain = chain;
        return true;
    }
}
