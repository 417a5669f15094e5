using System.Formats.Asn1;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl;

/// <summary>
/// The numbers of an RSA private key of two primes, as its file has them, in locked memory that is not dumped. OpenSSL does not know them. Any thread;
/// whoever disposes must know that nobody reads.
/// </summary>
internal sealed unsafe class RsaPrivateNumbers : IDisposable
{
    private const int MaxModulusBytes = SoftwareRsaKey.MaxModulusBits / 8;
    private const int SecretCount = 6;

    private static readonly string[] Names = ["d", "rsa-factor1", "rsa-factor2", "rsa-exponent1", "rsa-exponent2", "rsa-coefficient1"];

    private readonly SecretBlock _der;
    private readonly Range[] _secrets;      // of d, p, q, dp, dq and qinv in it, in this order, without leading zeros

    private RsaPrivateNumbers(ReadOnlySpan<byte> der, byte[] modulus, byte[] exponent, Range[] secrets)
    {
        Modulus = modulus;
        Exponent = exponent;
        _secrets = secrets;
        _der = Secrets.Take(der.Length);
        der.CopyTo(_der.GetSpan());
        VectorRegisters.Clear();
    }

    /// <summary>Where all keys are kept that are read here.</summary>
    public static SecretArena Secrets { get; } = new();

    /// <summary>n, big-endian without leading zeros.</summary>
    public byte[] Modulus { get; }

    /// <summary>e, big-endian without leading zeros.</summary>
    public byte[] Exponent { get; }

    /// <summary>Bits of the modulus.</summary>
    public int ModulusBits => (8 * Modulus.Length) - int.LeadingZeroCount(Modulus[0]) + 24;

    /// <summary>Whether the pages are locked in memory.</summary>
    public bool IsLocked => _der.IsLocked;

    private ReadOnlySpan<byte> P => Secret(1);

    private ReadOnlySpan<byte> Q => Secret(2);

    private ReadOnlySpan<byte> Dp => Secret(3);

    private ReadOnlySpan<byte> Dq => Secret(4);

    private ReadOnlySpan<byte> Qinv => Secret(5);

    /// <summary>Reads an RSAPrivateKey (RFC 8017 A.1.2). Null for what is no such thing, or has more than two primes; what the numbers are worth is not asked.</summary>
    /// <param name="der">The caller zeroes it.</param>
    /// <exception cref="LinuxException">No memory.</exception>
    public static RsaPrivateNumbers? TryRead(ReadOnlySpan<byte> der)
    {
        try
        {
            AsnDecoder.ReadSequence(der, AsnEncodingRules.DER, out int offset, out int length, out int all);
            ReadOnlySpan<byte> content = der.Slice(offset, length);
            if (all != der.Length || !ReadNumber(ref content).IsEmpty)
            {
                // Version 0 has two primes.
                return null;
            }

            byte[] modulus = [.. ReadNumber(ref content)];
            byte[] exponent = [.. ReadNumber(ref content)];
            var secrets = new Range[SecretCount];
            for (int i = 0; i < SecretCount; i++)
            {
                ReadOnlySpan<byte> number = ReadNumber(ref content);
                int end = offset + length - content.Length;
                secrets[i] = (end - number.Length)..end;
                if (number.Length is 0 or > MaxModulusBytes)
                {
                    return null;
                }
            }

            return content.IsEmpty && modulus.Length is > 0 and <= MaxModulusBytes && exponent.Length is > 0 and <= MaxModulusBytes
                ? new RsaPrivateNumbers(der, modulus, exponent, secrets)
                : null;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    /// <summary>Whether the numbers fit each other, as <see cref="CrtNumbers"/> says.</summary>
    /// <exception cref="OpenSslException">OpenSSL had no memory.</exception>
    public bool AreConsistent() => CrtNumbers.AreConsistent(Modulus, Exponent, P, Q, Dp, Dq, Qinv);

    /// <summary>Writes dq, dp, q, p, qinv, each left-padded to a fifth of the block. False when one is longer.</summary>
    public bool TryWriteCrtBlock(Span<byte> block)
    {
        int half = block.Length / 5;
        bool isWritten = TryPad(Dq, block[..half])
            && TryPad(Dp, block.Slice(half, half))
            && TryPad(Q, block.Slice(2 * half, half))
            && TryPad(P, block.Slice(3 * half, half))
            && TryPad(Qinv, block.Slice(4 * half, half));
        VectorRegisters.Clear();
        return isWritten;
    }

    /// <summary>A new EVP_PKEY of the default provider with all numbers: from then on OpenSSL has the key.</summary>
    /// <exception cref="OpenSslException">OpenSSL does not take the numbers.</exception>
    public SafeEvpPKeyHandle CreatePair()
    {
        // OpenSSL takes them with the lowest byte first.
        using SecretBlock reversed = Secrets.Take(_secrets.Sum(range => range.GetOffsetAndLength(int.MaxValue).Length));
        ReadOnlySpan<byte> from = _der.GetSpan();
        Span<byte> to = reversed.GetSpan();
        OsslParam* parameters = stackalloc OsslParam[SecretCount];
        nint* names = stackalloc nint[SecretCount];
        try
        {
            fixed (byte* start = to)
            {
                int at = 0;
                for (int i = 0; i < SecretCount; i++)
                {
                    ReadOnlySpan<byte> number = from[_secrets[i]];
                    number.CopyTo(to[at..]);
                    to.Slice(at, number.Length).Reverse();
                    names[i] = Marshal.StringToCoTaskMemUTF8(Names[i]);
                    parameters[i] = new OsslParam { Key = (byte*)names[i], Type = OsslParam.UnsignedInteger, Data = start + at, DataSize = (nuint)number.Length };
                    at += number.Length;
                }

                return RsaPublicKey.CreateHandle(Modulus, Exponent, Libcrypto.EVP_PKEY_KEYPAIR, new ReadOnlySpan<OsslParam>(parameters, SecretCount));
            }
        }
        finally
        {
            for (int i = 0; i < SecretCount; i++)
            {
                Marshal.FreeCoTaskMem(names[i]);
            }

            VectorRegisters.Clear();
        }
    }

    /// <summary>Zeroes the numbers.</summary>
    public void Dispose() => _der.Dispose();

    /// <summary>An integer that is not negative, without leading zeros; 0 is empty.</summary>
    private static ReadOnlySpan<byte> ReadNumber(ref ReadOnlySpan<byte> content)
    {
        ReadOnlySpan<byte> number = AsnDecoder.ReadIntegerBytes(content, AsnEncodingRules.DER, out int consumed);
        content = content[consumed..];
        return (number[0] & 0x80) == 0 ? number.TrimStart((byte)0) : throw new AsnContentException("A negative number.");
    }

    private static bool TryPad(ReadOnlySpan<byte> number, Span<byte> to)
    {
        if (number.Length > to.Length)
        {
            return false;
        }

        to[..^number.Length].Clear();
        number.CopyTo(to[^number.Length..]);
        return true;
    }

    private ReadOnlySpan<byte> Secret(int index) => _der.GetSpan()[_secrets[index]];
}
