using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace WarpProxy.Tests.EndToEnd.Kubernetes;

/// <summary>Secrets of the type kubernetes.io/tls as the kubelet mounts them, with certificates of one authority.</summary>
internal sealed class TlsSecrets : IDisposable
{
    private readonly ECDsa _authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _authority;
    private readonly string _folder;

    /// <param name="folder">Where they are mounted.</param>
    public TlsSecrets(string folder)
    {
        _folder = folder;
        var request = new CertificateRequest("CN=Test root", _authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(30));
    }

    /// <summary>What clients trust.</summary>
    public string RootPem => _authority.ExportCertificatePem() + "\n";

    /// <summary>
    /// Makes a Secret for a host, in the files that a projected volume has: what is seen are links, which lead through <c>..data</c> to the folder of the moment.
    /// </summary>
    public void Write(string name, string host, bool isEcdsa)
    {
        using ECDsa ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using RSA rsa = RSA.Create(2048);
        CertificateRequest request = isEcdsa
            ? new CertificateRequest($"CN={host}", ecdsa, HashAlgorithmName.SHA256)
            : new CertificateRequest($"CN={host}", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        byte[] serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x3F) | 0x40);      // positive
        using X509Certificate2 certificate = request.Create(
            _authority.SubjectName, X509SignatureGenerator.CreateForECDsa(_authorityKey), _authority.NotBefore.AddMinutes(1), _authority.NotAfter.AddMinutes(-1), serial);
        string moment = Path.Combine(_folder, "..2026_01_01_00_00_00.1");
        Directory.CreateDirectory(Path.Combine(moment, name));
        File.WriteAllText(Path.Combine(moment, name, "tls.crt"), certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(Path.Combine(moment, name, "tls.key"), (isEcdsa ? ecdsa.ExportPkcs8PrivateKeyPem() : rsa.ExportRSAPrivateKeyPem()) + "\n");
        if (!Path.Exists(Path.Combine(_folder, "..data")))
        {
            Directory.CreateSymbolicLink(Path.Combine(_folder, "..data"), Path.GetFileName(moment));
        }

        Directory.CreateSymbolicLink(Path.Combine(_folder, name), Path.Combine("..data", name));
    }

    public void Dispose()
    {
        _authority.Dispose();
        _authorityKey.Dispose();
    }
}
