using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>
/// An RSA-2048 and an ECDSA P-256 certificate for localhost and 127.0.0.1 from one authority, in which a scanner finds nothing to say against: valid for long
/// enough, with a place of its revocation list.
/// </summary>
internal static class SiteCertificates
{
    /// <summary>Writes <c>root.pem</c>, and <c>rsa.pem</c> and <c>ecdsa.pem</c> with their keys. Returns section <c>Certificates</c>, in JSON.</summary>
    public static string WriteTo(Scenario scenario)
    {
        using RSA rootKey = RSA.Create(2048);
        DateTimeOffset from = DateTimeOffset.UtcNow.AddHours(-1);
        DateTimeOffset to = from.AddDays(180);
        var authority = new CertificateRequest("CN=Test root", rootKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        authority.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        using X509Certificate2 root = authority.CreateSelfSigned(from, to);
        scenario.Write("root.pem", root.ExportCertificatePem() + "\n");

        using RSA rsa = RSA.Create(2048);
        using ECDsa ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string rsaFile = Write("rsa.pem", new CertificateRequest("CN=localhost", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), rsa, 1);
        string ecdsaFile = Write("ecdsa.pem", new CertificateRequest("CN=localhost", ecdsa, HashAlgorithmName.SHA256), ecdsa, 2);
        return $$"""{ "rsa": { "File": "{{rsaFile}}" }, "ecdsa": { "File": "{{ecdsaFile}}" } }""";

        string Write(string name, CertificateRequest request, AsymmetricAlgorithm key, byte serial)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName("localhost");
            names.AddIpAddress(IPAddress.Loopback);
            bool isRsa = key is RSA;
            request.CertificateExtensions.Add(names.Build());
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
            request.CertificateExtensions.Add(new X509KeyUsageExtension(
                X509KeyUsageFlags.DigitalSignature | (isRsa ? X509KeyUsageFlags.KeyEncipherment : X509KeyUsageFlags.None), critical: true));
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
            request.CertificateExtensions.Add(CertificateRevocationListBuilder.BuildCrlDistributionPointExtension(["http://localhost/root.crl"]));
            X509SignatureGenerator signer = X509SignatureGenerator.CreateForRSA(rootKey, RSASignaturePadding.Pkcs1);
            byte[] number = [.. RandomNumberGenerator.GetBytes(15).Prepend(serial)];
            using X509Certificate2 certificate = request.Create(root.SubjectName, signer, from, to, number);
            return scenario.Write(name, $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
        }
    }
}
