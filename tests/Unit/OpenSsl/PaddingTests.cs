using System.Numerics;
using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using WarpDrive.OpenSsl.Padding;

namespace WarpProxy.Tests.Unit.OpenSsl;

public sealed class PaddingTests
{
    [Fact]
    public void Pkcs1_encoding_is_00_01_FF_00_DigestInfo()
    {
        byte[] hash = SHA256.HashData([]);
        byte[] encoded = new byte[64];

        Assert.True(Pkcs1Encoding.TryEncode(Digest.Sha256, hash, encoded));
        Assert.Equal(
            "0001ffffffffffffffffffff00" + "3031300d060960864801650304020105000420"
                + "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            Convert.ToHexStringLower(encoded));
    }

    [Fact]
    public void Pkcs1_encoding_of_MD5_and_SHA1_has_no_DigestInfo()
    {
        byte[] hash = new byte[36];
        byte[] encoded = new byte[64];
        Digest.Md5Sha1.Hash([], hash);

        Assert.True(Pkcs1Encoding.TryEncode(Digest.Md5Sha1, hash, encoded));
        Assert.Equal(
            $"0001{new string('f', 2 * 25)}00" + "d41d8cd98f00b204e9800998ecf8427e" + "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            Convert.ToHexStringLower(encoded));
    }

    [Fact]
    public void Pkcs1_encoding_needs_eight_bytes_of_fill()
    {
        byte[] hash = new byte[32];

        Assert.True(Pkcs1Encoding.TryEncode(Digest.Sha256, hash, new byte[62]));
        Assert.False(Pkcs1Encoding.TryEncode(Digest.Sha256, hash, new byte[61]));
        Assert.False(Pkcs1Encoding.TryEncode(Digest.Sha256, new byte[31], new byte[128]));
    }

    [Theory]
    [InlineData("SHA256", 32)]
    [InlineData("sha2-384", 48)]
    [InlineData("SHA-512", 64)]
    [InlineData("SHA1", 20)]
    [InlineData("MD5-SHA1", 36)]
    public void Digests_are_found_by_each_of_their_names(string name, int size) =>
        Assert.Equal(size, Digest.Find(System.Text.Encoding.ASCII.GetBytes(name))!.SizeInBytes);

    [Theory]
    [InlineData("MD5")]
    [InlineData("SHA224")]
    [InlineData("SHA1-MD5")]
    [InlineData("")]
    public void Other_digests_are_not_found(string name) => Assert.Null(Digest.Find(System.Text.Encoding.ASCII.GetBytes(name)));

    [Theory]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(1026)]
    [InlineData(1031)]
    [InlineData(2041)]
    [InlineData(2047)]
    [InlineData(2048)]
    public void Pss_encoding_equals_that_of_BouncyCastle_with_the_same_salt(int modulusBits)
    {
        byte[] message = [.. Enumerable.Range(0, 100).Select(value => (byte)value)];
        byte[] salt = [.. Enumerable.Range(50, 32).Select(value => (byte)value)];
        byte[] encoded = new byte[(modulusBits + 7) / 8];

        Assert.True(PssEncoding.TryEncode(Digest.Sha256, Digest.Sha256, SHA256.HashData(message), salt, modulusBits, encoded));

        Assert.Equal(EncodedByBouncyCastle(modulusBits, message, salt), encoded);
    }

    [Theory]
    [InlineData(1024)]
    [InlineData(1025)]
    public void Pss_encoding_takes_salts_up_to_the_longest_that_fits(int modulusBits)
    {
        int max = PssEncoding.MaxSaltBytes(Digest.Sha512, modulusBits);
        byte[] encoded = new byte[(modulusBits + 7) / 8];

        Assert.Equal(128 - 64 - 2, max);
        Assert.True(PssEncoding.TryEncode(Digest.Sha512, Digest.Sha256, new byte[64], new byte[max], modulusBits, encoded));
        Assert.False(PssEncoding.TryEncode(Digest.Sha512, Digest.Sha256, new byte[64], new byte[max + 1], modulusBits, encoded));
        Assert.Equal(0xBC, encoded[^1]);
    }

    [Fact]
    public void Pss_encoding_of_8k_plus_1_bits_begins_with_a_zero_byte()
    {
        byte[] encoded = new byte[129];
        encoded.AsSpan().Fill(0xFF);

        Assert.True(PssEncoding.TryEncode(Digest.Sha256, Digest.Sha256, new byte[32], new byte[32], 1025, encoded));
        Assert.Equal(0, encoded[0]);
    }

    [Fact]
    public void Right_premaster_is_returned()
    {
        byte[] premaster = Remove(TlsBlock());

        Assert.Equal(TlsBlock()[^48..], premaster);
    }

    [Fact]
    public void Any_wrong_byte_of_the_padding_gives_the_random_premaster()
    {
        for (int i = 0; i < 128 - 48; i++)
        {
            byte[] block = TlsBlock();
            block[i] = i is 0 or 1 || block[i] == 0 ? (byte)0x77 : (byte)0;
            Assert.Equal(Random, Remove(block));
        }
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 0x80)]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    [InlineData(1, 3)]
    [InlineData(1, 0x82)]
    public void Wrong_first_bytes_give_the_random_premaster(int index, byte value)
    {
        byte[] block = TlsBlock();
        block[index] = value;

        Assert.Equal(Random, Remove(block));
    }

    [Theory]
    [InlineData(47)]
    [InlineData(49)]
    [InlineData(0)]
    [InlineData(100)]
    public void Premaster_of_another_length_gives_the_random_one(int length)
    {
        byte[] block = TlsBlock();
        block.AsSpan(2, 126).Fill(0xAA);
        block[127 - length] = 0;
        block[80] = 3;
        block[81] = 3;

        Assert.Equal(Random, Remove(block));
    }

    [Fact]
    public void Every_other_version_gives_the_random_premaster()
    {
        for (int version = 0; version <= ushort.MaxValue; version++)
        {
            byte[] block = TlsBlock(version);
            Assert.Equal(version == 0x0303 ? block[^48..] : Random, Remove(block));
        }
    }

    [Fact]
    public void Negotiated_version_is_taken_too_when_it_is_given()
    {
        Assert.Equal(Random, Remove(TlsBlock(0x0302)));
        Assert.Equal(TlsBlock(0x0302)[^48..], Remove(TlsBlock(0x0302), negotiatedVersion: 0x0302));
        Assert.Equal(TlsBlock(0x0303)[^48..], Remove(TlsBlock(0x0303), negotiatedVersion: 0x0302));
        Assert.Equal(Random, Remove(TlsBlock(0x0301), negotiatedVersion: 0x0302));
    }

    private static byte[] Random => [.. Enumerable.Range(0, 48).Select(value => (byte)(0xC0 ^ value))];

    private static byte[] Remove(byte[] block, int negotiatedVersion = 0)
    {
        byte[] premaster = new byte[48];
        TlsPremaster.Remove(block, Random, 0x0303, negotiatedVersion, premaster);
        return premaster;
    }

    private static byte[] TlsBlock(int version = 0x0303)
    {
        byte[] block = [.. Enumerable.Range(0, 128).Select(value => (byte)(value | 1))];
        block[0] = 0;
        block[1] = 2;
        block[79] = 0;
        block[80] = (byte)(version >> 8);
        block[81] = (byte)version;
        return block;
    }

    /// <summary>With the exponent 1, BouncyCastle's signature is the encoding itself.</summary>
    private static byte[] EncodedByBouncyCastle(int modulusBits, byte[] message, byte[] salt)
    {
        // The least one of the size that BouncyCastle takes: it tries primes up to 743.
        BigInteger modulus = (BigInteger.One << (modulusBits - 1)) + 1;
        while (Enumerable.Range(2, 742).Any(factor => (modulus % factor).IsZero))
        {
            modulus += 2;
        }

        PssSigner signer = new(new IdentityEngine(modulusBits), new Sha256Digest(), new Sha256Digest(), salt);
        signer.Init(true, new RsaKeyParameters(
            true, new Org.BouncyCastle.Math.BigInteger(1, modulus.ToByteArray(isBigEndian: true)), Org.BouncyCastle.Math.BigInteger.One));
        signer.BlockUpdate(message, 0, message.Length);
        byte[] encoded = signer.GenerateSignature();
        return [.. new byte[(modulusBits + 7) / 8 - encoded.Length], .. encoded];
    }

    private sealed class IdentityEngine(int modulusBits) : Org.BouncyCastle.Crypto.IAsymmetricBlockCipher
    {
        public string AlgorithmName => "identity";

        public void Init(bool forEncryption, Org.BouncyCastle.Crypto.ICipherParameters parameters)
        {
        }

        public int GetInputBlockSize() => (modulusBits + 7) / 8;

        public int GetOutputBlockSize() => (modulusBits + 7) / 8;

        public byte[] ProcessBlock(byte[] inBuf, int inOff, int inLen) => inBuf[inOff..(inOff + inLen)];
    }
}
