using System.Security.Cryptography.X509Certificates;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>Which certificates of clients a server accepts.</summary>
public sealed class TlsClientVerificationOptions
{
    /// <summary>Whether a client without a certificate is refused.</summary>
    public bool IsRequired { get; init; }

    /// <summary>At least one. A chain may end at any of them, whether it is a root or not. Their names are told to clients.</summary>
    public required IReadOnlyList<X509Certificate2> Authorities { get; init; }

    /// <summary>The most certificates between the client's and a trusted one.</summary>
    public int Depth { get; init; } = 1;

    /// <summary>
    /// When there is one, every certificate of a chain but the trusted one at its end must be covered by the list of its issuer, which is
    /// not expired; otherwise the client is refused. Empty: nothing is asked.
    /// </summary>
    public IReadOnlyList<CertificateRevocationList> RevocationLists { get; init; } = [];
}
