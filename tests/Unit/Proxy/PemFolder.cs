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
