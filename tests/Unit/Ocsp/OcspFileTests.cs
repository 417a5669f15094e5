using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Ocsp;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Certificates;
using WarpProxy.Configuration;
using WarpProxy.Files;
using WarpProxy.Ocsp;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.Ocsp;

public sealed class OcspFileTests : IDisposable
{
    private readonly PemFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly FileWatch _files;
    private readonly RecordedLog<OcspFile> _log = new();
    private readonly TestAuthority _root = TestAuthority.Root("Root");
    private readonly TestAuthority _issuing;

    public OcspFileTests()
    {
        _issuing = _root.Intermediate("Issuing");
        _files = new FileWatch(TimeSpan.FromSeconds(2), _time, NullLogger<FileWatch>.Instance);
    }

    private string File => System.IO.Path.Combine(_folder.Root, "ocsp.der");

    private DateTimeOffset Now => _time.GetUtcNow();

    public void Dispose()
    {
        _files.Dispose();
        _folder.Dispose();
        _issuing.Dispose();
        _root.Dispose();
    }

    [Fact]
    public void Response_is_stapled_replaced_and_told()
    {
        using ServerCertificate certificate = Issue();
        Write(certificate, Now, Now.AddDays(7));
        using OcspFile file = Open(certificate);
        OcspResponse first = certificate.Tls.OcspResponse!;
        Assert.True(first.IsVerified);
        Assert.Equal([$"Information: OCSP response for CN=localhost from {File}, valid until 2026-01-08 00:00Z"], _log.Take());

        Write(certificate, Now, DateTimeOffset.MaxValue);
        _files.LookNow();
        Assert.NotSame(first, certificate.Tls.OcspResponse);
        Assert.Equal([$"Information: OCSP response for CN=localhost from {File}, valid without an end"], _log.Take());
    }

    [Fact]
    public void Bad_new_response_leaves_the_old_one()
    {
        using ServerCertificate certificate = Issue();
        Write(certificate, Now, Now.AddDays(7));
        using OcspFile file = Open(certificate);
        OcspResponse first = certificate.Tls.OcspResponse!;
        _log.Take();

        System.IO.File.WriteAllText(File, "half of it");
        _files.LookNow();
        Assert.Same(first, certificate.Tls.OcspResponse);
        Assert.Equal(
            [$"Warning: OCSP response not taken: OCSP file '{File}' cannot be stapled to the certificate in 'site.pem': It is not an OCSP response in DER."], _log.Take());
    }

    [Fact]
    public void Response_that_expires_is_told_once_and_so_is_a_certificate_that_must_have_one()
    {
        using ServerCertificate certificate = Issue(mustStaple: true);
        Write(certificate, Now, Now.AddDays(7));
        using OcspFile file = Open(certificate);
        Assert.Single(_log.Take());
        _time.Advance(TimeSpan.FromDays(7));
        string[] expected =
        [
            $"Warning: OCSP response for CN=localhost in {File} expired on 2026-01-08 00:00Z; it is not stapled until a new one is there",
            "Warning: Certificate CN=localhost from site.pem asks to be refused without an OCSP response (must-staple), and there is no valid one",
        ];
        Assert.Equal(expected, _log.Take());
        _time.Advance(TimeSpan.FromDays(7));
        Assert.Empty(_log.Take());
        Assert.False(certificate.Tls.OcspResponse!.IsCurrent(Now));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Certificate_that_must_have_a_response_is_told_at_start_without_one(bool mustStaple)
    {
        using ServerCertificate certificate = Issue(mustStaple: mustStaple);
        using var file = new OcspFile(null, certificate, _files, _time, _log);
        Assert.Equal(mustStaple ? 1 : 0, _log.Take().Length);
    }

    [Fact]
    public void Revoked_certificate_is_told_and_its_response_stapled()
    {
        using ServerCertificate certificate = Issue();
        System.IO.File.WriteAllBytes(
            File, _issuing.OcspResponse(certificate.ReadChain()[0], new RevokedStatus(Now.UtcDateTime, CrlReason.KeyCompromise), Now, Now.AddDays(1)));
        using OcspFile file = Open(certificate);
        Assert.Equal(OcspCertificateStatus.Revoked, certificate.Tls.OcspResponse!.Status);
        Assert.Contains(
            $"Warning: Certificate CN=localhost is revoked, says the OCSP response in {File}, which is stapled: clients that read it will refuse the certificate", _log.Take());
    }

    [Fact]
    public void Successor_of_a_certificate_gets_the_response_as_soon_as_it_is_about_it()
    {
        using ServerCertificate certificate = Issue();
        using ServerCertificate successor = Issue(mustStaple: true);
        Write(certificate, Now, Now.AddDays(7));
        using OcspFile file = Open(certificate);
        _log.Take();

        file.Attach(successor);
        Assert.Null(successor.Tls.OcspResponse);
        string[] lines = _log.Take();
        Assert.Equal(2, lines.Length);
        Assert.EndsWith("It is about another certificate.", lines[0], StringComparison.Ordinal);
        Assert.Contains("must-staple", lines[1], StringComparison.Ordinal);

        Write(successor, Now, Now.AddDays(7));
        _files.LookNow();
        Assert.True(successor.Tls.OcspResponse!.IsCurrent(Now));
    }

    [Theory]
    [InlineData(null, "OCSP file 'PATH' does not exist.")]
    [InlineData("", "OCSP file 'PATH' cannot be stapled to the certificate in 'site.pem': It is not an OCSP response in DER.")]
    public void Bad_file_is_refused_with_one_sentence(string? content, string sentence)
    {
        if (content is not null)
        {
            System.IO.File.WriteAllText(File, content);
        }

        using ServerCertificate certificate = Issue();
        Assert.Equal(sentence.Replace("PATH", File, StringComparison.Ordinal), Assert.Throws<BadInputException>(() => Open(certificate)).Message);
    }

    [Fact]
    public void File_that_is_far_too_long_is_refused()
    {
        System.IO.File.WriteAllBytes(File, new byte[70_000]);
        using ServerCertificate certificate = Issue();
        Assert.Equal($"OCSP file '{File}' has 70000 bytes; at most 65536 are read.", Assert.Throws<BadInputException>(() => Open(certificate)).Message);
    }

    private OcspFile Open(ServerCertificate certificate) => new(File, certificate, _files, _time, _log);

    private void Write(ServerCertificate certificate, DateTimeOffset from, DateTimeOffset to) =>
        System.IO.File.WriteAllBytes(File, _issuing.OcspResponse(certificate.ReadChain()[0], thisUpdate: from, nextUpdate: to));

    private ServerCertificate Issue(bool mustStaple = false)
    {
        X509Certificate2 certificate = _issuing.Issue("localhost", TestAuthority.ForServers, mustStaple: mustStaple);
        using ECDsa exported = certificate.GetECDsaPrivateKey()!;
        using PrivateKey key = PrivateKeyPem.Load(Encoding.ASCII.GetBytes(exported.ExportPkcs8PrivateKeyPem()), []);
        return new ServerCertificate(certificate, [X509CertificateLoader.LoadCertificate(_issuing.Certificate.RawData)], key, "site.pem");
    }
}
