using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using WarpProxy.Certificates;
using WarpProxy.Configuration;
using WarpProxy.Offload;

namespace WarpProxy.Tests.Unit.Proxy;

public sealed class CertificateFileTests : IDisposable
{
    private static readonly PbeParameters Encryption = new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000);

    private readonly PemFolder _folder = new();
    private readonly Accelerator _accelerator = new(new OffloadOptions { Devices = ["none"] }, TimeProvider.System, NullLoggerFactory.Instance);
    private readonly RSA _rsa = RSA.Create(2048);

    public void Dispose()
    {
        _rsa.Dispose();
        _accelerator.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Certificate_and_key_in_one_file_are_loaded()
    {
        using X509Certificate2 certificate = PemFolder.Sign(_rsa);
        string file = _folder.Write("both.pem", certificate.ExportCertificatePem(), _rsa.ExportPkcs8PrivateKeyPem());
        using ServerCertificate loaded = Load(file, file);
        Assert.Equal(("RSA-2048", true), (loaded.KeyDescription, loaded.IsOffloaded));
        Assert.Equal(certificate.RawData, loaded.Tls.Chain.Single().ToArray());
    }

    [Fact]
    public void Pkcs1_and_encrypted_Pkcs8_keys_are_loaded()
    {
        string file = WriteCertificate();
        using ServerCertificate first = Load(file, _folder.Write("p1", _rsa.ExportRSAPrivateKeyPem()));
        using ServerCertificate second = Load(file, _folder.Write("p8", _rsa.ExportEncryptedPkcs8PrivateKeyPem("secret", Encryption)), "secret");
        Assert.Equal(first.KeyDescription, second.KeyDescription);
    }

    [Fact]
    public void Ecdsa_key_stays_in_software()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = PemFolder.Sign(key);
        string file = _folder.Write("ec.pem", certificate.ExportCertificatePem(), key.ExportECPrivateKeyPem());
        using ServerCertificate loaded = Load(file, file);
        Assert.Equal(("ECDSA-256", false), (loaded.KeyDescription, loaded.IsOffloaded));
    }

    [Fact]
    public void Intermediate_certificates_of_the_file_are_sent_in_their_order_and_the_root_is_not()
    {
        using RSA authorityKey = RSA.Create(2048);
        var authority = new CertificateRequest("CN=Intermediate", authorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using RSA rootKey = RSA.Create(2048);
        var root = new CertificateRequest("CN=Root", rootKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        root.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        DateTimeOffset start = DateTimeOffset.UtcNow.AddMinutes(-1);
        using X509Certificate2 rootCertificate = root.CreateSelfSigned(start, start.AddDays(3));
        using X509Certificate2 intermediate = authority.Create(rootCertificate, start, start.AddDays(2), [1]).CopyWithPrivateKey(authorityKey);
        using X509Certificate2 leaf = new CertificateRequest("CN=localhost", _rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .Create(intermediate, start, start.AddDays(1), [2]);
        string file = _folder.Write(
            "chain.pem", leaf.ExportCertificatePem(), rootCertificate.ExportCertificatePem(), intermediate.ExportCertificatePem(), _rsa.ExportPkcs8PrivateKeyPem());
        using ServerCertificate loaded = Load(file, file);
        Assert.Equal([leaf.RawData, intermediate.RawData], loaded.Tls.Chain.Select(static sent => sent.ToArray()));
    }

    [Fact]
    public void Missing_file_is_refused() => Refuses("Certificate file '/nowhere/c.pem' does not exist.", "/nowhere/c.pem", "/nowhere/k.pem");

    [Fact]
    public void Directory_in_place_of_a_file_is_refused() =>
        Refuses($"Certificate file '{_folder.Root}' cannot be read: it is a directory.", _folder.Root, _folder.Root);

    [Fact]
    public void File_without_a_certificate_is_refused()
    {
        string file = _folder.Write("text", "hello");
        Refuses($"Certificate file '{file}' has no certificate; it must have a block -----BEGIN CERTIFICATE-----.", file, file);
    }

    [Fact]
    public void Damaged_certificate_is_refused()
    {
        string file = _folder.Write("bad", PemEncoding.WriteString("CERTIFICATE", [1, 2, 3]));
        Refuses($"Certificate file '{file}' has a damaged certificate, number 1 in the file.", file, file);
    }

    [Fact]
    public void File_without_a_key_is_refused()
    {
        string file = WriteCertificate();
        Refuses($"Key file '{file}' has no private key; it must have a block PRIVATE KEY, ENCRYPTED PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY.", file, file);
    }

    [Fact]
    public void Key_of_another_certificate_is_refused()
    {
        using RSA other = RSA.Create(2048);
        string file = WriteCertificate();
        string key = _folder.Write("other.key", other.ExportPkcs8PrivateKeyPem());
        Refuses($"The key in '{key}' does not belong to the certificate in '{file}'.", file, key);
    }

    [Fact]
    public void Key_of_another_kind_is_refused()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string file = WriteCertificate();
        string key = _folder.Write("ec.key", other.ExportPkcs8PrivateKeyPem());
        Refuses($"The key in '{key}' does not belong to the certificate in '{file}'.", file, key);
    }

    [Fact]
    public void EC_key_that_is_not_its_own_public_keys_is_refused()
    {
        // SEC 1 has both; here the public key is the certificate's, and the private one is another's.
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = PemFolder.Sign(key);
        byte[] der = key.ExportECPrivateKey();
        byte[] secret = key.ExportParameters(true).D!;
        other.ExportParameters(true).D!.CopyTo(der, der.AsSpan().IndexOf(secret));
        string file = _folder.Write("ec.pem", certificate.ExportCertificatePem(), PemEncoding.WriteString("EC PRIVATE KEY", der));
        BadInputException refusal = Assert.Throws<BadInputException>(() => Load(file, file).Dispose());
        Assert.StartsWith($"The key in '{file}' cannot be used: The EC private key does not fit its own public key: ", refusal.Message);
    }

    [Fact]
    public void Curve_that_no_client_of_TLS_takes_is_refused()
    {
        using var key = ECDsa.Create(ECCurve.CreateFromFriendlyName("secp256k1"));
        using X509Certificate2 certificate = PemFolder.Sign(key);
        string file = _folder.Write("ec.pem", certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
        Refuses(
            $"The key in '{file}' cannot be used: The curve of the private key is secp256k1; it must be one of prime256v1, secp384r1, secp521r1.", file, file);
    }

    [Fact]
    public void What_OpenSSL_would_refuse_in_a_handshake_is_refused_when_it_is_loaded()
    {
        using RSA weakKey = RSA.Create(1024);
        X509SignatureGenerator root = X509SignatureGenerator.CreateForRSA(_rsa, RSASignaturePadding.Pkcs1);
        var authority = new CertificateRequest("CN=Weak", weakKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        DateTimeOffset start = DateTimeOffset.UtcNow.AddMinutes(-1);
        using X509Certificate2 intermediate = authority.Create(new X500DistinguishedName("CN=Root"), root, start, start.AddDays(3), [1]);
        using X509Certificate2 leaf = new CertificateRequest("CN=localhost", _rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .Create(intermediate.SubjectName, X509SignatureGenerator.CreateForRSA(weakKey, RSASignaturePadding.Pkcs1), start, start.AddDays(1), [2]);
        string file = _folder.Write("weak.pem", leaf.ExportCertificatePem(), intermediate.ExportCertificatePem(), _rsa.ExportPkcs8PrivateKeyPem());
        BadInputException refusal = Assert.Throws<BadInputException>(() => Load(file, file).Dispose());
        Assert.StartsWith($"The certificate in '{file}' cannot be served: OpenSSL refused the certificate: ", refusal.Message);
        Assert.Contains("key too small", refusal.Message);
    }

    [Fact]
    public void Short_RSA_key_is_refused()
    {
        using RSA small = RSA.Create(1024);
        using X509Certificate2 certificate = PemFolder.Sign(small);
        string file = _folder.Write("small.pem", certificate.ExportCertificatePem(), small.ExportPkcs8PrivateKeyPem());
        Refuses($"The RSA key in '{file}' has 1024 bits; it must have at least 2048.", file, file);
    }

    [Fact]
    public void Encrypted_key_without_a_password_is_refused()
    {
        string key = _folder.Write("p8", _rsa.ExportEncryptedPkcs8PrivateKeyPem("secret", Encryption));
        Refuses(
            $"The key in '{key}' is encrypted; give its password with --key-password-file or in the environment as WARPPROXY_KEY_PASSWORD.",
            WriteCertificate(), key);
    }

    [Fact]
    public void Wrong_password_is_refused()
    {
        string key = _folder.Write("p8", _rsa.ExportEncryptedPkcs8PrivateKeyPem("secret", Encryption));
        Refuses($"The password given does not open the key in '{key}', or the key is damaged.", WriteCertificate(), key, "wrong");
    }

    [Fact]
    public void Password_is_the_first_line_of_its_file()
    {
        using var password = KeyPassword.Read(_folder.Write("pw", "secret\r", "more"));
        Assert.Equal("secret"u8.ToArray(), password.Value.ToArray());
    }

    [Fact]
    public void Empty_password_file_is_refused()
    {
        string file = _folder.Write("pw", "");
        Assert.Equal(
            $"Key password file '{file}' has an empty first line; it must be the password.",
            Assert.Throws<BadInputException>(() => KeyPassword.Read(file)).Message);
    }

    private string WriteCertificate()
    {
        using X509Certificate2 certificate = PemFolder.Sign(_rsa);
        return _folder.Write("certificate.pem", certificate.ExportCertificatePem());
    }

    private ServerCertificate Load(string file, string keyFile, string password = "") =>
        CertificateFile.Load(file, keyFile, System.Text.Encoding.UTF8.GetBytes(password), _accelerator);

    private void Refuses(string sentence, string file, string keyFile, string password = "") =>
        Assert.Equal(sentence, Assert.Throws<BadInputException>(() => Load(file, keyFile, password).Dispose()).Message);
}
