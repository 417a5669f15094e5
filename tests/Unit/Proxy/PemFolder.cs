using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace WarpProxy.Tests.Unit.Proxy;

/// <summary>A folder of PEM files that is deleted with the test.</summary>
internal sealed class PemFolder : IDisposable
{
    public PemFolder()
    {
        Directory.CreateDirectory(Root);
    }

    public string Root { get; } = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    public void Dispose() => Directory.Delete(Root, recursive: true);

    public string Write(string name, params string[] blocks)
    {
        string path = Path.Combine(Root, name);
        File.WriteAllText(path, string.Join('\n', blocks) + "\n");
        return path;
    }

    /// <summary>Writes a new certificate for the names and its key as <c>NAME.pem</c> and <c>NAME.key</c>; returns the certificate as it is encoded.</summary>
    public byte[] WritePair(string name, string[] names, bool isRsa = false, DateTimeOffset? notAfter = null)
    {
        (string certificate, string key, byte[] der) = Make(names, isRsa, notAfter);
        Write(name + ".pem", certificate);
        Write(name + ".key", key);
        return der;
    }

    /// <summary>A new certificate for the names and its key, as PEM, and the certificate as it is encoded.</summary>
    public static (string Certificate, string Key, byte[] Der) Make(string[] names, bool isRsa = false, DateTimeOffset? notAfter = null)
    {
        using AsymmetricAlgorithm key = isRsa ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string subject = $"CN={names[0]}";
        CertificateRequest request = key is RSA rsa
            ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        Array.ForEach(names, alternatives.AddDnsName);
        request.CertificateExtensions.Add(alternatives.Build());
        DateTimeOffset end = notAfter ?? DateTimeOffset.UtcNow.AddDays(30);
        using X509Certificate2 certificate = request.CreateSelfSigned(end.AddDays(-90), end);
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), certificate.RawData);
    }

    public static X509Certificate2 Sign(RSA key, DateTimeOffset? notBefore = null, int days = 30) =>
        Sign(new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), notBefore, days);

    public static X509Certificate2 Sign(ECDsa key) => Sign(new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256), null, 30);

    private static X509Certificate2 Sign(CertificateRequest request, DateTimeOffset? notBefore, int days)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset start = notBefore ?? DateTimeOffset.UtcNow.AddMinutes(-1);
        return request.CreateSelfSigned(start, start.AddDays(days));
    }
}
