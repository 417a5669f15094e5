using System.Security.Cryptography;
using System.Text;

namespace WarpDrive.OpenSsl.Padding;

/// <summary>
/// A hash function that signatures may use. Which of them a connection uses is the TLS server's policy: the two with SHA-1 are for clients of
/// TLS 1.0 to 1.2 that know no other.
/// </summary>
internal sealed class Digest
{
    public const int MaxSizeInBytes = 64;

    public static readonly Digest Sha256 = new(HashAlgorithmName.SHA256, 32, "3031300d060960864801650304020105000420");
    public static readonly Digest Sha384 = new(HashAlgorithmName.SHA384, 48, "3041300d060960864801650304020205000430");
    public static readonly Digest Sha512 = new(HashAlgorithmName.SHA512, 64, "3051300d060960864801650304020305000440");

    public static readonly Digest Sha1 = new(HashAlgorithmName.SHA1, Sha1Bytes, "3021300906052b0e03021a05000414");

    /// <summary>MD5 and SHA-1, one after the other, signed without a DigestInfo: TLS 1.0 and 1.1 (RFC 4346 7.4.3).</summary>
    public static readonly Digest Md5Sha1 = new(HashAlgorithmName.SHA1, Md5Bytes + Sha1Bytes, "");

    private const int Md5Bytes = 16;
    private const int Sha1Bytes = 20;

    private readonly HashAlgorithmName _name;
    private readonly byte[] _infoPrefix;

    private Digest(HashAlgorithmName name, int sizeInBytes, string infoPrefix)
    {
        _name = name;
        SizeInBytes = sizeInBytes;
        _infoPrefix = Convert.FromHexString(infoPrefix);
    }

    public int SizeInBytes { get; }

    /// <summary>DER of DigestInfo up to the hash itself: RFC 8017 9.2, note 1.</summary>
    public ReadOnlySpan<byte> InfoPrefix => _infoPrefix;

    /// <summary>The digest of one of OpenSSL's names for it; null for every other name.</summary>
    public static Digest? Find(ReadOnlySpan<byte> name)
    {
        if (Is(name, "SHA256"u8, "SHA2-256"u8, "SHA-256"u8))
        {
            return Sha256;
        }

        if (Is(name, "SHA384"u8, "SHA2-384"u8, "SHA-384"u8))
        {
            return Sha384;
        }

        if (Is(name, "SHA512"u8, "SHA2-512"u8, "SHA-512"u8))
        {
            return Sha512;
        }

        if (Is(name, "SHA1"u8, "SHA-1"u8, "SSL3-SHA1"u8))
        {
            return Sha1;
        }

        return Ascii.EqualsIgnoreCase(name, "MD5-SHA1"u8) ? Md5Sha1 : null;
    }

    /// <summary>Writes <see cref="SizeInBytes"/> bytes.</summary>
    public void Hash(ReadOnlySpan<byte> data, Span<byte> hash)
    {
        if (this == Md5Sha1)
        {
            CryptographicOperations.HashData(HashAlgorithmName.MD5, data, hash[..Md5Bytes]);
            hash = hash[Md5Bytes..];
        }

        CryptographicOperations.HashData(_name, data, hash);
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third) =>
        Ascii.EqualsIgnoreCase(name, first) || Ascii.EqualsIgnoreCase(name, second) || Ascii.EqualsIgnoreCase(name, third);
}
