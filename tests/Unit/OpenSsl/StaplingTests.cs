using System.Security.Cryptography.X509Certificates;
using System.Text;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Ocsp;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.OpenSsl;

/// <summary>OCSP responses as clients get them.</summary>
[Collection(ProviderTests.Name)]
public sealed class StaplingTests : IDisposable
{
    private const string NoResponse = "OCSP response: no response sent";

    private readonly TestAuthority _authority = TestAuthority.Root("Stapling root");

    public static TheoryData<string> Versions => ["-tls1_2", "-tls1_3"];

    public void Dispose() => _authority.Dispose();

    [DebianPackageTheory("openssl", OpenSslClient.Path)]
    [MemberData(nameof(Versions))]
    public async Task Client_that_asks_gets_the_response_and_one_that_does_not_gets_none(string version)
    {
        using X509Certificate2 certificate = _authority.Issue("localhost", TestAuthority.ForServers);
        using TlsServerCertificate server = Load(certificate);
        server.OcspResponse = OcspResponse.Parse(_authority.OcspResponse(certificate), certificate, _authority.Certificate);
        using var context = new TlsServerContext(new TlsServerOptions { Certificates = [server] });

        OpenSslClient.Result asked = await OpenSslClient.ConnectAsync(context, version, "-status");
        Assert.Equal((TlsStatus.Done, true), (asked.Status, asked.IsErrorQueueEmpty));
        Assert.Contains("OCSP Response Status: successful", asked.Said, StringComparison.Ordinal);
        Assert.Contains("Cert Status: good", asked.Said, StringComparison.Ordinal);
        Assert.Contains($"Serial Number: {certificate.SerialNumber}", asked.Said, StringComparison.Ordinal);

        OpenSslClient.Result silent = await OpenSslClient.ConnectAsync(context, version, "-msg");
        Assert.Equal(TlsStatus.Done, silent.Status);
        Assert.DoesNotContain("CertificateStatus", silent.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("OCSP", silent.Said, StringComparison.Ordinal);
    }

    [DebianPackageTheory("openssl", OpenSslClient.Path)]
    [MemberData(nameof(Versions))]
    public async Task Handshake_goes_on_without_a_response_where_asking_for_it_fails(string version)
    {
        using X509Certificate2 certificate = _authority.Issue("localhost", TestAuthority.ForServers);
        using TlsServerCertificate server = Load(certificate);
        server.OcspResponse = OcspResponse.Parse(_authority.OcspResponse(certificate), certificate, _authority.Certificate);
        using var context = new TlsServerContext(new TlsServerOptions { Certificates = [server], Time = new BrokenTime() });
        OpenSslClient.Result asked = await OpenSslClient.ConnectAsync(context, version, "-status");
        Assert.Equal((TlsStatus.Done, true), (asked.Status, asked.IsErrorQueueEmpty));
        Assert.Contains(NoResponse, asked.Said, StringComparison.Ordinal);
    }

    [DebianPackageTheory("openssl", OpenSslClient.Path)]
    [MemberData(nameof(Versions))]
    public async Task Of_two_certificates_the_response_is_of_the_chosen_one(string version)
    {
        using X509Certificate2 rsa = _authority.Issue("localhost", TestAuthority.ForServers, isRsa: true);
        using X509Certificate2 ecdsa = _authority.Issue("localhost", TestAuthority.ForServers);
        using TlsServerCertificate rsaServer = Load(rsa);
        using TlsServerCertificate ecdsaServer = Load(ecdsa);
        rsaServer.OcspResponse = OcspResponse.Parse(_authority.OcspResponse(rsa), rsa, _authority.Certificate);
        ecdsaServer.OcspResponse = OcspResponse.Parse(_authority.OcspResponse(ecdsa), ecdsa, _authority.Certificate);
        using var context = new TlsServerContext(new TlsServerOptions { Certificates = [rsaServer, ecdsaServer] });

        foreach ((X509Certificate2 expected, string algorithms) in new[] { (rsa, "RSA-PSS+SHA256:RSA+SHA256"), (ecdsa, "ECDSA+SHA256") })
        {
            OpenSslClient.Result result = await OpenSslClient.ConnectAsync(context, version, "-status", "-sigalgs", algorithms);
            Assert.Contains($"Serial Number: {expected.SerialNumber}", result.Said, StringComparison.Ordinal);
        }

        // Of one alone, the other goes without.
        rsaServer.OcspResponse = null;
        Assert.Contains(NoResponse, (await OpenSslClient.ConnectAsync(context, version, "-status", "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256")).Said, StringComparison.Ordinal);
        Assert.Contains("Cert Status: good", (await OpenSslClient.ConnectAsync(context, version, "-status", "-sigalgs", "ECDSA+SHA256")).Said, StringComparison.Ordinal);
    }

    [DebianPackageFact("openssl", OpenSslClient.Path)]
    public async Task Response_is_stapled_while_it_is_current_and_replaced_at_once()
    {
        var time = new ManualTime();
        DateTimeOffset now = time.GetUtcNow();
        using X509Certificate2 certificate = _authority.Issue("localhost", TestAuthority.ForServers);
        using TlsServerCertificate server = Load(certificate);
        using var context = new TlsServerContext(new TlsServerOptions { Certificates = [server], Time = time });
        Assert.Contains(NoResponse, (await OpenSslClient.ConnectAsync(context, "-status")).Said, StringComparison.Ordinal);

        server.OcspResponse = Parse(certificate, null, now, now.AddHours(1));
        Assert.Contains("Cert Status: good", (await OpenSslClient.ConnectAsync(context, "-status")).Said, StringComparison.Ordinal);

        time.Advance(TimeSpan.FromHours(1));
        Assert.Contains(NoResponse, (await OpenSslClient.ConnectAsync(context, "-status")).Said, StringComparison.Ordinal);

        server.OcspResponse = Parse(certificate, new RevokedStatus(now.UtcDateTime, CrlReason.KeyCompromise), now, now.AddHours(2));
        Assert.Contains("Cert Status: revoked", (await OpenSslClient.ConnectAsync(context, "-status")).Said, StringComparison.Ordinal);
    }

    private static TlsServerCertificate Load(X509Certificate2 certificate)
    {
        using System.Security.Cryptography.AsymmetricAlgorithm exported =
            (System.Security.Cryptography.AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey()!;
        using PrivateKey key = PrivateKeyPem.Load(Encoding.ASCII.GetBytes(exported.ExportPkcs8PrivateKeyPem()), []);
        return new TlsServerCertificate([certificate], key);
    }

    private OcspResponse Parse(X509Certificate2 certificate, CertificateStatus? status, DateTimeOffset from, DateTimeOffset to) =>
        OcspResponse.Parse(_authority.OcspResponse(certificate, status, from, to), certificate, _authority.Certificate);

    private sealed class BrokenTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => throw new InvalidOperationException("The clock has stopped.");
    }
}
