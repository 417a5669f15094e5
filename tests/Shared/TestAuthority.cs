using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Ocsp;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.X509;

namespace WarpProxy.Tests;

/// <summary>A certificate authority with an EC key: issues certificates, revokes them in lists, and answers OCSP.</summary>
internal sealed class TestAuthority : IDisposable
{
    public const string ForClients = "1.3.6.1.5.5.7.3.2";
    public const string ForServers = "1.3.6.1.5.5.7.3.1";
    public const string ForOcsp = "1.3.6.1.5.5.7.3.9";

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private TestAuthority(string name, TestAuthority? parent)
    {
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        (DateTimeOffset from, DateTimeOffset to) = (DateTimeOffset.UtcNow.AddYears(-2), DateTimeOffset.UtcNow.AddYears(2));
        if (parent is null)
        {
            Certificate = request.CreateSelfSigned(from, to);
        }
        else
        {
            using X509Certificate2 issued = request.Create(parent.Certificate, from.AddDays(1), to.AddDays(-1), Serial());
            Certificate = issued.CopyWithPrivateKey(_key);
        }
    }

    /// <summary>Its own certificate, with the key.</summary>
    public X509Certificate2 Certificate { get; }

    public string Pem => Certificate.ExportCertificatePem() + "\n";

    public static TestAuthority Root(string name) => new(name, null);

    public TestAuthority Intermediate(string name) => new(name, this);

    /// <summary>A certificate with its key, valid now unless times are given.</summary>
    public X509Certificate2 Issue(
        string name,
        string? purpose = ForClients,
        DateTimeOffset? from = null,
        DateTimeOffset? to = null,
        bool isRsa = false,
        bool mustStaple = false)
    {
        using RSA? rsa = isRsa ? RSA.Create(2048) : null;
        using ECDsa? ecdsa = isRsa ? null : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = rsa is not null
            ? new($"CN={name}", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new($"CN={name}", ecdsa!, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        if (purpose is not null)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], critical: false));
        }

        if (mustStaple)
        {
            // SEQUENCE { INTEGER 5 }: status_request (RFC 7633).
            request.CertificateExtensions.Add(new System.Security.Cryptography.X509Certificates.X509Extension("1.3.6.1.5.5.7.1.24", [0x30, 0x03, 0x02, 0x01, 0x05], critical: false));
        }

        using X509Certificate2 issued = request.Create(
            Certificate.SubjectName,
            X509SignatureGenerator.CreateForECDsa(_key),
            from ?? DateTimeOffset.UtcNow.AddHours(-1),
            to ?? DateTimeOffset.UtcNow.AddDays(30),
            Serial());
        return rsa is not null ? issued.CopyWithPrivateKey(rsa) : issued.CopyWithPrivateKey(ecdsa!);
    }

    /// <summary>A revocation list in DER, good for a day unless told otherwise.</summary>
    public byte[] RevocationList(DateTimeOffset? nextUpdate, params X509Certificate2[] revoked)
    {
        var list = new CertificateRevocationListBuilder();
        foreach (X509Certificate2 certificate in revoked)
        {
            list.AddEntry(certificate);
        }

        DateTimeOffset end = nextUpdate ?? DateTimeOffset.UtcNow.AddDays(1);
        return list.Build(Certificate, System.Numerics.BigInteger.One, end, HashAlgorithmName.SHA256, thisUpdate: end.AddDays(-2));
    }

    public string RevocationListPem(DateTimeOffset? nextUpdate, params X509Certificate2[] revoked) =>
        PemEncoding.WriteString("X509 CRL", RevocationList(nextUpdate, revoked)) + "\n";

    /// <summary>An OCSP response in DER about one certificate, signed by this authority, or by the responder when one is given.</summary>
    /// <param name="subject">What it is about.</param>
    /// <param name="status">Null: good.</param>
    /// <param name="thisUpdate">A minute ago unless given.</param>
    /// <param name="nextUpdate">A day from now unless given; <see cref="DateTimeOffset.MaxValue"/> leaves it out, and makes it new.</param>
    /// <param name="responder">Signs in the authority's name.</param>
    public byte[] OcspResponse(
        X509Certificate2 subject,
        CertificateStatus? status = null,
        DateTimeOffset? thisUpdate = null,
        DateTimeOffset? nextUpdate = null,
        X509Certificate2? responder = null)
    {
        var parser = new X509CertificateParser();
        Org.BouncyCastle.X509.X509Certificate issuer = parser.ReadCertificate(Certificate.RawData);
        Org.BouncyCastle.X509.X509Certificate signer = responder is null ? issuer : parser.ReadCertificate(responder.RawData);
        using ECDsa key = responder is null ? Certificate.GetECDsaPrivateKey()! : responder.GetECDsaPrivateKey()!;
        AsymmetricKeyParameter signerKey = PrivateKeyFactory.CreateKey(key.ExportPkcs8PrivateKey());
        DateTimeOffset from = thisUpdate ?? DateTimeOffset.UtcNow.AddMinutes(-1);
        DateTimeOffset to = nextUpdate ?? DateTimeOffset.UtcNow.AddDays(1);
        var generator = new BasicOcspRespGenerator(new RespID(signer.SubjectDN));
        var id = new CertificateID(CertificateID.HashSha1, issuer, parser.ReadCertificate(subject.RawData).SerialNumber);
        if (to == DateTimeOffset.MaxValue)
        {
            generator.AddResponse(id, status ?? CertificateStatus.Good);
        }
        else
        {
            generator.AddResponse(id, status ?? CertificateStatus.Good, from.UtcDateTime, to.UtcDateTime, null);
        }

        BasicOcspResp basic = generator.Generate("SHA256withECDSA", signerKey, responder is null ? null : [signer], from.UtcDateTime);
        return new OCSPRespGenerator().Generate(OcspRespStatus.Successful, basic).GetEncoded();
    }

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }

    private static byte[] Serial()
    {
        byte[] serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x3F) | 0x40);      // positive, and of one length
        return serial;
    }
}
