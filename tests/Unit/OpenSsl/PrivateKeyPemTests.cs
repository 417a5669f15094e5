using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Org.BouncyCastle.OpenSsl;
using Org.BouncyCastle.Security;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Native;

namespace WarpProxy.Tests.Unit.OpenSsl;

public sealed class PrivateKeyPemTests
{
    private const string Password = "correct horse";

    private static readonly PbeParameters Encryption = new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000);

    [Fact]
    public void Rsa_key_in_PKCS_8_and_PKCS_1_is_read()
    {
        foreach (string pem in new[] { TestKeys.Rsa(2048).ExportPkcs8PrivateKeyPem(), TestKeys.Rsa(2048).ExportRSAPrivateKeyPem() })
        {
            using PrivateKey key = Load(pem);

            Assert.Equal(PrivateKeyType.Rsa, key.Type);
            Assert.Equal(2048, key.Bits);
        }
    }

    [Fact]
    public void Ec_key_in_PKCS_8_and_SEC_1_is_read_and_attached()
    {
        using ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=ec", ec, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        foreach (string pem in new[] { ec.ExportPkcs8PrivateKeyPem(), ec.ExportECPrivateKeyPem() })
        {
            using PrivateKey key = Load(pem);
            using X509Certificate2 attached = key.Attach(certificate);
            using ECDsa signer = attached.GetECDsaPrivateKey()!;

            Assert.Equal(PrivateKeyType.Ec, key.Type);
            Assert.Equal(256, key.Bits);
            byte[] data = [1, 2, 3];
            Assert.True(ec.VerifyData(data, signer.SignData(data, HashAlgorithmName.SHA256), HashAlgorithmName.SHA256));
        }
    }

    [Fact]
    public void Ec_key_behind_its_EC_PARAMETERS_block_is_read()
    {
        using ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string parameters = PemEncoding.WriteString("EC PARAMETERS", Convert.FromHexString("06082a8648ce3d030107"));

        using PrivateKey key = Load(parameters + "\n" + ec.ExportECPrivateKeyPem());

        Assert.Equal(PrivateKeyType.Ec, key.Type);
    }

    [Fact]
    public void Refusal_does_not_tell_an_error_that_somebody_left_on_the_thread()
    {
        string pem = PemEncoding.WriteString("PRIVATE KEY", [0x30, 3, 2, 1, 0]);
        string clean = Assert.Throws<OpenSslException>(() => Load(pem)).Message;
        Libcrypto.RaiseError("left behind");

        Assert.Equal(clean, Assert.Throws<OpenSslException>(() => Load(pem)).Message);
    }

    [Fact]
    public void Key_between_certificates_and_text_is_found()
    {
        using X509Certificate2 certificate = TestKeys.Certificate(2048);
        string pem = $"Bag Attributes\n{certificate.ExportCertificatePem()}\n{TestKeys.Rsa(2048).ExportPkcs8PrivateKeyPem()}\n{certificate.ExportCertificatePem()}";

        using PrivateKey key = Load(pem);

        Assert.Equal(2048, key.Bits);
    }

    [Fact]
    public void Key_with_Windows_line_ends_is_read()
    {
        using PrivateKey key = Load(TestKeys.Rsa(2048).ExportPkcs8PrivateKeyPem().ReplaceLineEndings("\r\n"));

        Assert.Equal(2048, key.Bits);
    }

    [Fact]
    public void Encrypted_PKCS_8_key_is_read_with_its_password()
    {
        using PrivateKey key = Load(TestKeys.Rsa(2048).ExportEncryptedPkcs8PrivateKeyPem(Password, Encryption), Password);

        Assert.Equal(2048, key.Bits);
    }

    [Fact]
    public void Key_in_the_older_encrypted_form_is_read_with_its_password()
    {
        using PrivateKey key = Load(OlderEncryptedForm("AES-256-CBC"), Password);

        Assert.Equal(2048, key.Bits);
    }

    [Fact]
    public void Encrypted_keys_without_a_password_say_that_one_is_needed()
    {
        AssertRefused(OpenSslError.PasswordNeeded, TestKeys.Rsa(2048).ExportEncryptedPkcs8PrivateKeyPem(Password, Encryption), "");
        AssertRefused(OpenSslError.PasswordNeeded, OlderEncryptedForm("AES-128-CBC"), "");
    }

    [Fact]
    public void Wrong_password_is_named_as_such_and_not_repeated()
    {
        AssertRefused(OpenSslError.WrongPassword, TestKeys.Rsa(2048).ExportEncryptedPkcs8PrivateKeyPem(Password, Encryption), "battery staple");
        AssertRefused(OpenSslError.WrongPassword, OlderEncryptedForm("AES-128-CBC"), "battery staple");
    }

    [Fact]
    public void Password_of_1025_bytes_is_refused()
    {
        OpenSslException exception = AssertRefused(
            OpenSslError.WrongPassword, TestKeys.Rsa(2048).ExportEncryptedPkcs8PrivateKeyPem(Password, Encryption), new string('p', 1025));

        Assert.Equal("The password is 1025 bytes long; at most 1024 are allowed.", exception.Message);
    }

    [Fact]
    public void Password_for_a_key_that_is_not_encrypted_is_not_needed()
    {
        using PrivateKey key = Load(TestKeys.Rsa(2048).ExportPkcs8PrivateKeyPem(), Password);

        Assert.Equal(2048, key.Bits);
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("-----BEGIN ")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")]
    public void Text_without_a_private_key_is_refused(string pem) => AssertRefused(OpenSslError.NoPrivateKey, pem, "");

    [Fact]
    public void Certificate_alone_is_refused_as_no_private_key()
    {
        using X509Certificate2 certificate = TestKeys.Certificate(2048);

        AssertRefused(OpenSslError.NoPrivateKey, certificate.ExportCertificatePem(), "");
    }

    [Fact]
    public void Key_types_other_than_RSA_and_EC_are_refused_by_name()
    {
        // RFC 8410, section 10.3: an Ed25519 key.
        const string Ed25519 = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

        OpenSslException exception = AssertRefused(OpenSslError.UnsupportedKey, Ed25519, "");

        Assert.Equal("The private key is of type ED25519; RSA and EC are supported.", exception.Message);
    }

    [Fact]
    public void Key_in_OpenSSH_form_is_refused_by_name()
    {
        OpenSslException exception = AssertRefused(
            OpenSslError.UnsupportedKey, "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "");

        Assert.Contains("OPENSSH PRIVATE KEY", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Key_cut_short_is_refused_as_damaged()
    {
        string pem = TestKeys.Rsa(2048).ExportPkcs8PrivateKeyPem();

        AssertRefused(OpenSslError.DamagedKey, pem[..(pem.Length / 2)], "");
        AssertRefused(OpenSslError.DamagedKey, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "");
    }

    [Fact]
    public void Key_of_another_certificate_is_refused()
    {
        using X509Certificate2 certificate = TestKeys.Certificate(3072);
        using PrivateKey key = Load(TestKeys.Rsa(2048).ExportPkcs8PrivateKeyPem());

        OpenSslException exception = Assert.Throws<OpenSslException>(() => key.Attach(certificate));

        Assert.Equal(OpenSslError.KeyMismatch, exception.Error);
        Assert.Equal("The private key does not belong to the certificate of CN=localhost.", exception.Message);
    }

    [Fact]
    public void Ec_key_for_an_RSA_certificate_is_refused()
    {
        using ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = TestKeys.Certificate(2048);
        using PrivateKey key = Load(ec.ExportPkcs8PrivateKeyPem());

        Assert.Equal(OpenSslError.KeyMismatch, Assert.Throws<OpenSslException>(() => key.Attach(certificate)).Error);
    }

    private static PrivateKey Load(string pem, string password = "") =>
        PrivateKeyPem.Load(Encoding.UTF8.GetBytes(pem), Encoding.UTF8.GetBytes(password));

    private static OpenSslException AssertRefused(OpenSslError error, string pem, string password)
    {
        OpenSslException exception = Assert.Throws<OpenSslException>(() => Load(pem, password));
        Assert.Equal(error, exception.Error);
        if (password.Length > 0)
        {
            Assert.DoesNotContain(password, exception.Message, StringComparison.Ordinal);
        }

        return exception;
    }

    private static string OlderEncryptedForm(string cipher)
    {
        using StringWriter text = new();
        PemWriter writer = new(text);
        writer.WriteObject(DotNetUtilities.GetRsaKeyPair(TestKeys.Rsa(2048).ExportParameters(true)).Private, cipher, Password.ToCharArray(), new SecureRandom());
        Assert.Contains("DEK-Info: " + cipher, text.ToString(), StringComparison.Ordinal);
        return text.ToString();
    }
}
