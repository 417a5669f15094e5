namespace WarpDrive.OpenSsl.Tls;

/// <content>The response that is stapled to the certificate.</content>
public sealed unsafe partial class TlsServerCertificate
{
    // Volatile: a handshake on another thread sees the response with all that is in it.
    private volatile OcspResponse? _ocspResponse;

    /// <summary>
    /// What clients that ask for it are sent together with the certificate (RFC 6066 8, RFC 8446 4.4.2.1), while it is current; null for
    /// nothing. May be set at any time, by any thread; the handshakes that come take the new one.
    /// </summary>
    public OcspResponse? OcspResponse
    {
        get => _ocspResponse;
        set => _ocspResponse = value;
    }
}
