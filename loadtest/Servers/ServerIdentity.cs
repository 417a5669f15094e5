using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace WarpProxy.LoadTest.Servers;

/// <summary>The key and the self-signed certificate that all servers of a comparison show, as PEM.</summary>
/// <param name="Key">Of which kind it is.</param>
/// <param name="CertificatePem">The certificate.</param>
/// <param name="KeyPem">The key, PKCS#8.</param>
internal sealed record ServerIdentity(ServerKey Key, string CertificatePem, string KeyPem)
{
    public const string CertificateFile = "certificate.pem";
    public const string KeyFile = "key.pem";
    public const string CombinedFile = "certificate-and-key.pem";

    /// <summary>For localhost and 127.0.0.1, valid for a day.</summary>
    public static ServerIdentity Create(ServerKey kind)
    {
        using var rsa = kind.IsRsa ? RSA.Create(kind.Bits) : null;
        using var ecdsa = kind.IsRsa ? null : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        AsymmetricAlgorithm key = (AsymmetricAlgorithm?)rsa ?? ecdsa!;
        CertificateRequest request = rsa is not null
            ? new CertificateRequest("CN=localhost", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest("CN=localhost", ecdsa!, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        return new ServerIdentity(kind, certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>Writes the three files into a folder that only its owner can enter.</summary>
    public void WriteTo(string folder)
    {
        File.WriteAllText(Path.Combine(folder, CertificateFile), CertificatePem);
        File.WriteAllText(Path.Combine(folder, KeyFile), KeyPem);
        File.WriteAllText(Path.Combine(folder, CombinedFile), CertificatePem + KeyPem);
    }
}
