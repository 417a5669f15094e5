using System.Security.Cryptography;
using System.Text;
using WarpDrive.Driver;
using WarpDrive.OpenSsl;

namespace WarpProxy.Tests.Unit.OpenSsl;

public sealed class RsaPrivateNumbersTests
{
    private const string Password = "correct horse";

    public static TheoryData<string> Forms => ["PKCS#8", "PKCS#1", "PKCS#8 encrypted", "PKCS#8 with Windows line ends"];

    [Theory]
    [MemberData(nameof(Forms))]
    public void Key_of_every_form_is_read_without_OpenSSL(string form)
    {
        RSA rsa = TestKeys.Rsa(2048);
        string pem = form switch
        {
            "PKCS#8" => rsa.ExportPkcs8PrivateKeyPem(),
            "PKCS#1" => rsa.ExportRSAPrivateKeyPem(),
            "PKCS#8 encrypted" => rsa.ExportEncryptedPkcs8PrivateKeyPem(Password, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)),
            _ => rsa.ExportPkcs8PrivateKeyPem().ReplaceLineEndings("\r\n"),
        };
        using PrivateKey key = PrivateKeyPem.Load(Encoding.ASCII.GetBytes(pem), Encoding.ASCII.GetBytes(Password));
        using SoftwareRsaKey software = SoftwareRsaKey.CreateOutsideOpenSsl(key);

        Assert.NotNull(key.Numbers);
        Assert.False(software.IsHeldByOpenSsl);
        Assert.Equal(rsa.ExportParameters(false).Modulus, key.Numbers.Modulus);
    }

    [Theory]
    [InlineData(1024)]
    [InlineData(2048)]
    [InlineData(3072)]
    [InlineData(4096)]
    public void Software_gives_what_OpenSSL_gives_with_the_key_in_its_hands(int bits)
    {
        using PrivateKey key = TestKeys.Load(TestKeys.Rsa(bits));
        using SoftwareRsaKey ours = new(key);
        using SoftwareRsaKey openSsls = SoftwareRsaKey.CreateByOpenSsl(key);
        byte[] input = RandomNumberGenerator.GetBytes(bits / 8);
        input[0] &= 0x3F;
        byte[] left = new byte[input.Length];
        byte[] right = new byte[input.Length];

        // More often than a blinding lasts.
        for (int i = 0; i < 40; i++)
        {
            ours.Private(input, left);
            openSsls.Private(input, right);
            Assert.Equal(right, left);
            left.AsSpan(1).CopyTo(input.AsSpan(1));
        }

        Assert.False(ours.IsHeldByOpenSsl);
        Assert.True(openSsls.IsHeldByOpenSsl);
        byte[] block = new byte[ours.CrtBlockBytes];
        byte[] sameBlock = new byte[ours.CrtBlockBytes];
        Assert.True(ours.TryWriteCrtBlock(block) && openSsls.TryWriteCrtBlock(sameBlock));
        Assert.Equal(sameBlock, block);
    }

    [Fact]
    public void Key_of_another_shape_cannot_be_kept_out_of_OpenSSL()
    {
        using PrivateKey key = RsaNumbers.Load(RsaNumbers.Create(520, 504));

        OpenSslException refusal = Assert.Throws<OpenSslException>(() => SoftwareRsaKey.CreateOutsideOpenSsl(key));

        Assert.Equal("It is an RSA key of 1024 bits; to be kept out of OpenSSL's memory it must have 1024, 2048, 3072 or 4096, and two primes of half as many.", refusal.Message);
    }

    [Fact]
    public void What_is_no_key_of_two_primes_is_left_to_OpenSSL()
    {
        byte[] der = TestKeys.Rsa(1024).ExportRSAPrivateKey();
        using (RsaPrivateNumbers? numbers = RsaPrivateNumbers.TryRead(der))
        {
            Assert.NotNull(numbers);
        }

        // Version 1: more primes follow. Then: cut short, something behind it, a negative number, nothing.
        int version = 6;
        Assert.Equal([2, 1, 0], der.AsSpan(version - 2, 3).ToArray());
        byte[] more = [.. der];
        more[version] = 1;
        byte[] negative = [.. der];
        negative[version] = 0x80;
        foreach (byte[] wrong in new[] { more, der[..^1], [.. der, 0], negative, [], [0x30, 0] })
        {
            Assert.Null(RsaPrivateNumbers.TryRead(wrong));
        }
    }

    [Fact]
    public void Operation_of_a_disposed_key_is_refused()
    {
        SoftwareRsaKey key = TestKeys.Software(1024);
        key.Dispose();

        Assert.Throws<ObjectDisposedException>(() => key.Private(new byte[128], new byte[128]));
    }

    [Theory]
    [InlineData(AcceleratorError.NoDevice)]
    [InlineData(AcceleratorError.Deadline)]
    [InlineData(AcceleratorError.WrongResult)]
    public void Without_fallback_a_key_fails_when_the_device_does_and_the_reason_is_counted(AcceleratorError reason)
    {
        OperationCounters counters = new();
        using OffloadedRsaKey key = new(TestKeys.Software(1024), counters, (_, _) => reason) { HasFallback = false };
        byte[] output = new byte[128];

        OpenSslException failure = Assert.Throws<OpenSslException>(() => key.Private(new byte[128], output));

        Assert.Equal($"No device computed a private-key operation ({reason}), and there is no fallback to software.", failure.Message);
        OperationCounts counts = counters.Snapshot();
        Assert.Equal((0, 0, 0), (counts.Device, counts.Software, counts.Fallback.Values.Sum()));
        Assert.Equal([reason], counts.Failed.Where(static one => one.Value == 1).Select(static one => one.Key));
    }
}
