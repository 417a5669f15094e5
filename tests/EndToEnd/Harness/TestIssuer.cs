using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>A root that clients trust, and certificates that it issues.</summary>
internal sealed class TestIssuer : IDisposable
{
    private readonly ECDsa _rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly List<RSA> _keys = [];
    private int _serial;

    public TestIssuer()
    {
        var request = new CertificateRequest("CN=Test root", _rootKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        Root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(60));
    }

    public X509Certificate2 Root { get; }

    public string RootPem => Root.ExportCertificatePem() + "\n";

    /// <summary>A new certificate and its key. RSA keys take turns, since making them takes long.</summary>
    public (string Certificate, string Key, string Thumbprint) Issue(bool isRsa, params string[] names)
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Issue(isRsa ? NextRsa() : ecdsa, names);
    }

    /// <summary>A new certificate for a key. Several threads may ask.</summary>
    public (string Certificate, string Key, string Thumbprint) Issue(AsymmetricAlgorithm key, params string[] names)
    {
        CertificateRequest request = key is RSA rsa
            ? new CertificateRequest($"CN={names[0]}", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest($"CN={names[0]}", (ECDsa)key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        Array.ForEach(names, alternatives.AddDnsName);
        alternatives.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(alternatives.Build());
        using X509Certificate2 certificate = request.Create(
            Root.SubjectName, X509SignatureGenerator.CreateForECDsa(_rootKey), DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(30),
            BitConverter.GetBytes(IPAddress.HostToNetworkOrder(Interlocked.Increment(ref _serial))));
        return (certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n", certificate.Thumbprint);
    }

    public void Dispose()
    {
        Root.Dispose();
        _rootKey.Dispose();
        _keys.ForEach(static key => key.Dispose());
    }

    private RSA NextRsa()
    {
        const int Count = 3;
        if (_keys.Count < Count)
        {
            _keys.Add(RSA.Create(2048));
        }

        return _keys[_serial % _keys.Count];
    }
}
