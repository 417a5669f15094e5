using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl;
using WarpProxy.Certificates;

namespace WarpProxy.Tests.Unit.Proxy;

public sealed class CertificateIndexTests : IDisposable
{
    private readonly List<ServerCertificate> _certificates = [];

    public void Dispose() => _certificates.ForEach(static certificate => certificate.Dispose());

    [Theory]
    [InlineData("a.example", "exact")]
    [InlineData("A.Example", "exact")]
    [InlineData("a.example.", "exact")]
    [InlineData("b.example", "wildcard")]
    [InlineData("c.b.example", null)]       // a wildcard is one label
    [InlineData("example", null)]           // and not none
    [InlineData(".example", null)]
    [InlineData("b.example.org", null)]
    [InlineData("", null)]
    public void Exact_name_comes_before_the_wildcard_of_one_label(string asked, string? found)
    {
        ServerCertificate wildcard = Add("*.example");
        ServerCertificate exact = Add("a.example");
        CertificateSet? set = new CertificateIndex([wildcard, exact]).Find(asked);
        Assert.Equal(found switch { "exact" => exact, "wildcard" => wildcard, _ => null }, set?.Certificates.Single());
    }

    [Fact]
    public void Certificates_with_other_types_of_keys_serve_one_name_together()
    {
        ServerCertificate first = Add("a.example");
        ServerCertificate same = Add("a.example");
        ServerCertificate other = AddEcdsaOr(isRsa: true, "a.example", "b.example");
        var index = new CertificateIndex([first, same, other]);
        Assert.Equal([first, other], index.Find("a.example")!.Certificates);
        Assert.Equal([other], index.Find("b.example")!.Certificates);
        Assert.Equal([first, other], index.Default.Certificates);
        Assert.True(index.Default.IsOffloaded);
        Assert.False(index.Find("a.example") == index.Find("b.example"));
    }

    [Fact]
    public void Names_of_one_certificate_share_a_set()
    {
        var index = new CertificateIndex([Add("a.example", "b.example", "*.c.example")]);
        Assert.Same(index.Find("a.example"), index.Find("x.c.example"));
        Assert.Same(index.Default, index.Find("b.example"));
    }

    [Fact]
    public void Certificate_without_names_can_be_the_default_one()
    {
        ServerCertificate nameless = Add();
        var index = new CertificateIndex([nameless, Add("a.example")]);
        Assert.Same(nameless, index.Default.Certificates.Single());
    }

    private ServerCertificate Add(params string[] names) => AddEcdsaOr(isRsa: false, names);

    private ServerCertificate AddEcdsaOr(bool isRsa, params string[] names)
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        CertificateRequest request = isRsa
            ? new CertificateRequest("O=Test", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest("O=Test", ecdsa, HashAlgorithmName.SHA256);
        if (names.Length > 0)
        {
            var alternatives = new SubjectAlternativeNameBuilder();
            Array.ForEach(names, alternatives.AddDnsName);
            request.CertificateExtensions.Add(alternatives.Build());
        }

        // Its key is not this request's to keep: the certificate is what is looked at.
        X509Certificate2 signed = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(signed.RawData);
        signed.Dispose();
        using PrivateKey key = PrivateKeyPem.Load(System.Text.Encoding.ASCII.GetBytes(isRsa ? rsa.ExportPkcs8PrivateKeyPem() : ecdsa.ExportECPrivateKeyPem()), []);
        ServerCertificate loaded = isRsa
            ? new ServerCertificate(certificate, [], new OffloadedRsaKey(new SoftwareRsaKey(key), null, new OperationCounters(), static () => true), "test")
            : new ServerCertificate(certificate, [], key, "test");
        _certificates.Add(loaded);
        return loaded;
    }
}
