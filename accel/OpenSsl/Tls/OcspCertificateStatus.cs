namespace WarpDrive.OpenSsl.Tls;

/// <summary>What an OCSP response says of a certificate (RFC 6960 2.2).</summary>
public enum OcspCertificateStatus
{
    /// <summary>Never used.</summary>
    None,

    /// <summary>It is not revoked.</summary>
    Good,

    /// <summary>It is revoked; clients that see it refuse the certificate.</summary>
    Revoked,
}
