using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>A certificate for localhost and 127.0.0.1 with its key, made for one test.</summary>
internal sealed class TestCertificate : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    private TestCertificate(AsymmetricAlgorithm key, X509Certificate2 certificate, string chain, X509Certificate2 root)
    {
        _key = key;
        Certificate = certificate;
        ChainPem = chain;
        Root = root;
    }

    /// <summary>The server's, without its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The key, where it is RSA.</summary>
    public RSA RsaKey => (RSA)_key;

    /// <summary>What clients trust.</summary>
    public X509Certificate2 Root { get; }

    /// <summary>The server's and its intermediates.</summary>
    public string ChainPem { get; }

    public string RootPem => Root.ExportCertificatePem() + "\n";

    public string KeyPem => _key.ExportPkcs8PrivateKeyPem() + "\n";

    public string Pkcs1KeyPem => ((RSA)_key).ExportRSAPrivateKeyPem() + "\n";

    public static TestCertificate Rsa(int bits)
    {
        (DateTimeOffset from, DateTimeOffset to) = Validity();
        return Rsa(bits, from, to);
    }

    public static TestCertificate Rsa(int bits, DateTimeOffset from, DateTimeOffset to)
    {
        RSA key = RSA.Create(bits);
        return SelfSigned(key, new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), from, to);
    }

    public static TestCertificate Ecdsa()
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        (DateTimeOffset from, DateTimeOffset to) = Validity();
        return SelfSigned(key, new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256), from, to);
    }

    /// <summary>RSA-2048, issued by an intermediate, which a root has issued.</summary>
    public static TestCertificate WithIntermediate()
    {
        using RSA rootKey = RSA.Create(2048);
        using RSA intermediateKey = RSA.Create(2048);
        RSA key = RSA.Create(2048);
        (DateTimeOffset from, DateTimeOffset to) = Validity();
        using X509Certificate2 root = Authority("CN=Test root", rootKey).CreateSelfSigned(from, to);
        using X509Certificate2 issued = Authority("CN=Test intermediate", intermediateKey).Create(root, from, to, [1]);
        using X509Certificate2 intermediate = issued.CopyWithPrivateKey(intermediateKey);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        AddServerExtensions(request);
        X509Certificate2 certificate = request.Create(intermediate, from, to, [2]);
        string chain = $"{certificate.ExportCertificatePem()}\n{intermediate.ExportCertificatePem()}\n";
        return new TestCertificate(key, certificate, chain, X509CertificateLoader.LoadCertificate(root.RawData));
    }

    public string EncryptedKeyPem(string password) =>
        _key.ExportEncryptedPkcs8PrivateKeyPem(password, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 2048)) + "\n";

    /// <summary>Writes <c>certificate.pem</c>, <c>key.pem</c> and <c>root.pem</c>; returns the options that name the first two.</summary>
    public string[] WriteTo(Scenario scenario)
    {
        scenario.Write("root.pem", RootPem);
        return ["--certificate", scenario.Write("certificate.pem", ChainPem), "--key", scenario.Write("key.pem", KeyPem)];
    }

    public void Dispose()
    {
        Certificate.Dispose();
        Root.Dispose();
        _key.Dispose();
    }

    private static TestCertificate SelfSigned(AsymmetricAlgorithm key, CertificateRequest request, DateTimeOffset from, DateTimeOffset to)
    {
        AddServerExtensions(request);
        using X509Certificate2 withKey = request.CreateSelfSigned(from, to);
        X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(withKey.RawData);
        return new TestCertificate(key, certificate, certificate.ExportCertificatePem() + "\n", X509CertificateLoader.LoadCertificate(withKey.RawData));
    }

    private static (DateTimeOffset From, DateTimeOffset To) Validity() => (DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(30));

    private static CertificateRequest Authority(string name, RSA key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        return request;
    }

    private static void AddServerExtensions(CertificateRequest request)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, critical: true));
    }
}
