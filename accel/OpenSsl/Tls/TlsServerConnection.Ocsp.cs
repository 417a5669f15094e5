using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <content>The OCSP response that was stapled.</content>
public sealed unsafe partial class TlsServerConnection
{
    /// <summary>Set when a response was handed to this connection.</summary>
    internal bool HasStatusResponse { get; set; }

    /// <summary>Frees what libssl would keep until the connection ends, for days perhaps, and nothing needs: certificates, keys, the response.</summary>
    private TlsStatus EndHandshake()
    {
        if (HasStatusResponse)
        {
            HasStatusResponse = false;
            Libssl.DropStatusResponse(_ssl);
        }

        Libssl.SSL_certs_clear(_ssl);
        return TlsStatus.Done;
    }
}
