using System.Security.Cryptography.X509Certificates;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Ocsp;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.Tests.Unit.OpenSsl;

/// <summary>Which OCSP responses may be stapled to which certificate.</summary>
[Collection(ProviderTests.Name)]
public sealed class OcspResponseTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TestAuthority _authority = TestAuthority.Root("OCSP root");
    private readonly X509Certificate2 _certificate;

    public OcspResponseTests() => _certificate = _authority.Issue("localhost", TestAuthority.ForServers);

    public void Dispose()
    {
        Assert.Equal((nuint)0, Libcrypto.ERR_peek_error());
        _certificate.Dispose();
        _authority.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Times_and_status_are_read(bool isIssuerKnown)
    {
        byte[] der = _authority.OcspResponse(_certificate, thisUpdate: Noon, nextUpdate: Noon.AddDays(7));
        OcspResponse response = OcspResponse.Parse(der, _certificate, isIssuerKnown ? _authority.Certificate : null);
        Assert.Equal((OcspCertificateStatus.Good, Noon, Noon.AddDays(7)), (response.Status, response.ThisUpdate, response.NextUpdate));
        Assert.Equal(isIssuerKnown, response.IsVerified);
    }

    [Fact]
    public void Response_is_current_from_five_minutes_before_its_first_moment_until_its_last()
    {
        OcspResponse response = Parse(_authority.OcspResponse(_certificate, thisUpdate: Noon, nextUpdate: Noon.AddDays(7)));
        Assert.False(response.IsCurrent(Noon.AddMinutes(-5).AddTicks(-1)));
        Assert.True(response.IsCurrent(Noon.AddMinutes(-5)));
        Assert.True(response.IsCurrent(Noon.AddDays(7).AddTicks(-1)));
        Assert.False(response.IsCurrent(Noon.AddDays(7)));
    }

    [Fact]
    public void Response_without_an_end_does_not_expire()
    {
        OcspResponse response = Parse(_authority.OcspResponse(_certificate, nextUpdate: DateTimeOffset.MaxValue));
        Assert.Null(response.NextUpdate);
        Assert.False(response.IsExpired(DateTimeOffset.MaxValue));
    }

    [Fact]
    public void Revoked_certificate_is_told()
    {
        OcspResponse response = Parse(_authority.OcspResponse(_certificate, new RevokedStatus(Noon.UtcDateTime, CrlReason.KeyCompromise)));
        Assert.Equal(OcspCertificateStatus.Revoked, response.Status);
    }

    [Fact]
    public void Responder_that_the_issuer_has_named_may_sign()
    {
        using X509Certificate2 responder = _authority.Issue("responder", TestAuthority.ForOcsp);
        Assert.True(Parse(_authority.OcspResponse(_certificate, responder: responder)).IsVerified);
    }

    [Fact]
    public void Responder_whose_certificate_has_ended_is_no_reason_to_call_the_response_forged()
    {
        using X509Certificate2 responder = _authority.Issue("responder", TestAuthority.ForOcsp, Noon.AddDays(-1), Noon.AddDays(1));
        OcspResponse response = Parse(_authority.OcspResponse(_certificate, thisUpdate: Noon, nextUpdate: Noon.AddHours(1), responder: responder));
        Assert.True(response.IsExpired(DateTimeOffset.UtcNow));
    }

    [Fact]
    public void Signer_whom_the_issuer_has_not_named_is_refused()
    {
        using X509Certificate2 responder = _authority.Issue("no responder", TestAuthority.ForServers);
        Assert.Contains("signature is not of the certificate's issuer", Refusal(_authority.OcspResponse(_certificate, responder: responder)), StringComparison.Ordinal);
    }

    [Fact]
    public void Forged_signature_is_refused()
    {
        byte[] der = _authority.OcspResponse(_certificate);
        der[^3] ^= 1;
        Assert.Contains("signature is not of", Refusal(der), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Response_about_another_certificate_of_the_issuer_is_refused(bool isIssuerKnown)
    {
        using X509Certificate2 other = _authority.Issue("localhost", TestAuthority.ForServers);
        byte[] der = _authority.OcspResponse(other);
        Assert.Equal("It is about another certificate.", Refusal(der, isIssuerKnown ? _authority.Certificate : null));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Response_of_another_issuer_is_refused(bool isIssuerKnown)
    {
        using TestAuthority other = TestAuthority.Root("Another");
        Assert.Equal("It is about another certificate.", Refusal(other.OcspResponse(_certificate), isIssuerKnown ? _authority.Certificate : null));
    }

    [Fact]
    public void Response_of_another_issuer_with_the_same_name_is_refused_when_the_issuer_is_known()
    {
        using TestAuthority other = TestAuthority.Root("OCSP root");
        Assert.Equal("It is about another certificate.", Refusal(other.OcspResponse(_certificate)));
    }

    [Fact]
    public void Unknown_certificate_is_refused() => Assert.Equal(
        "It says that the responder does not know the certificate.", Refusal(_authority.OcspResponse(_certificate, new UnknownStatus())));

    [Fact]
    public void Error_of_the_responder_is_refused_by_its_name() =>
        Assert.Equal("It is the responder's error 'trylater'.", Refusal([0x30, 0x03, 0x0A, 0x01, 0x03]));

    [Fact]
    public void Bytes_after_the_response_are_refused() =>
        Assert.Equal("2 bytes follow the OCSP response.", Refusal([.. _authority.OcspResponse(_certificate), 0, 0]));

    [Fact]
    public void Every_response_that_is_cut_off_is_refused()
    {
        byte[] der = _authority.OcspResponse(_certificate);
        for (int length = 0; length < der.Length; length++)
        {
            Assert.Equal("It is not an OCSP response in DER.", Refusal(der[..length]));
        }
    }

    [Fact]
    public void Text_is_refused() => Assert.Equal("It is not an OCSP response in DER.", Refusal("-----BEGIN OCSP RESPONSE-----"u8.ToArray()));

    private OcspResponse Parse(byte[] der) => OcspResponse.Parse(der, _certificate, _authority.Certificate);

    private string Refusal(byte[] der) => Refusal(der, _authority.Certificate);

    private string Refusal(byte[] der, X509Certificate2? issuer)
    {
        OpenSslException refusal = Assert.Throws<OpenSslException>(() => OcspResponse.Parse(der, _certificate, issuer));
        Assert.Equal(OpenSslError.UnusableOcspResponse, refusal.Error);
        return refusal.Message;
    }
}
