using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <content>The OCSP response that was stapled.</content>
public sealed unsafe partial class TlsServerConnection
{
    /// <summary>Set when a response was handed to this connection.</summary>
    internal bool HasStatusResponse { get; set; }

    /// <summary>libssl would keep its copy of the response, about as long as a certificate, until the connection ends.</summary>
    private TlsStatus EndHandshake()
    {
        if (HasStatusResponse)
        {
            HasStatusResponse = false;
            Libssl.DropStatusResponse(_ssl);
        }

        return TlsStatus.Done;
    }
}
