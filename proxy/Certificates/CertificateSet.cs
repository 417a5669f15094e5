using System.Runtime.CompilerServices;

namespace WarpProxy.Certificates;

/// <summary>What clients that ask for a name may be shown: one certificate, or one for each type of key, of which the client's signature algorithms decide.</summary>
internal sealed class CertificateSet(IReadOnlyList<ServerCertificate> certificates) : IEquatable<CertificateSet>
{
    /// <summary>At least one, the preferred first, each with another type of key.</summary>
    public IReadOnlyList<ServerCertificate> Certificates => certificates;

    /// <summary>Whether a device may compute a private-key operation of a handshake with one of them.</summary>
    public bool IsOffloaded { get; } = certificates.Any(static certificate => certificate.IsOffloaded);

    /// <summary>For people: the subject of the one that was shown, as far as it is known which.</summary>
    /// <param name="hasRsaOperation">Whether an operation with an RSA key was computed.</param>
    public string Describe(bool hasRsaOperation) =>
        (certificates.FirstOrDefault(certificate => hasRsaOperation && certificate.IsOffloaded) ?? certificates[0]).Subject;

    /// <summary>Sets are equal that have the same certificates, so that what was made for one outlives a reload that leaves them be.</summary>
    public bool Equals(CertificateSet? other) => other is not null && certificates.SequenceEqual(other.Certificates);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CertificateSet);

    /// <inheritdoc/>
    public override int GetHashCode() => RuntimeHelpers.GetHashCode(certificates[0]);
}
