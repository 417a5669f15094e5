using System.Security.Cryptography;
using System.Text;

namespace WarpDrive.OpenSsl.Padding;

/// <summary>A hash function that signatures may use. SHA-1 is not among them: TLS 1.2 peers of today do not need it.</summary>
internal sealed class Digest
{
    public const int MaxSizeInBytes = 64;

    public static readonly Digest Sha256 = new(HashAlgorithmName.SHA256, 32, "3031300d060960864801650304020105000420");
    public static readonly Digest Sha384 = new(HashAlgorithmName.SHA384, 48, "3041300d060960864801650304020205000430");
    public static readonly Digest Sha512 = new(HashAlgorithmName.SHA512, 64, "3051300d060960864801650304020305000440");

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

        return Is(name, "SHA512"u8, "SHA2-512"u8, "SHA-512"u8) ? Sha512 : null;
    }

    /// <summary>Writes <see cref="SizeInBytes"/> bytes.</summary>
    public void Hash(ReadOnlySpan<byte> data, Span<byte> hash) => CryptographicOperations.HashData(_name, data, hash);

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third) =>
        Ascii.EqualsIgnoreCase(name, first) || Ascii.EqualsIgnoreCase(name, second) || Ascii.EqualsIgnoreCase(name, third);
}
