using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace WarpDrive.OpenSsl.Padding;

/// <summary>EMSA-PSS of RFC 8017 9.1.1, with MGF1 of B.2.1.</summary>
internal static class PssEncoding
{
    /// <summary>The longest salt that fits; negative when not even an empty one does.</summary>
    public static int MaxSaltBytes(Digest digest, int modulusBits) => EncodedBytes(modulusBits) - digest.SizeInBytes - 2;

    /// <summary>Encodes a hash for signing.</summary>
    /// <param name="digest">Of the message.</param>
    /// <param name="maskDigest">Of MGF1.</param>
    /// <param name="hash">The hash of the message.</param>
    /// <param name="salt">Random, of any length that fits.</param>
    /// <param name="modulusBits">Bits of the modulus; any number.</param>
    /// <param name="output">Modulus-sized. Where the encoding is one byte shorter (8k + 1 bits), it has a zero byte in front.</param>
    /// <returns>False when the modulus is too small.</returns>
    [SkipLocalsInit]
    public static bool TryEncode(
        Digest digest, Digest maskDigest, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> salt, int modulusBits, Span<byte> output)
    {
        if (hash.Length != digest.SizeInBytes || salt.Length > MaxSaltBytes(digest, modulusBits))
        {
            return false;
        }

        int encodedBytes = EncodedBytes(modulusBits);
        output[..^encodedBytes].Clear();
        Span<byte> encoded = output[^encodedBytes..];
        Span<byte> data = encoded[..(encodedBytes - digest.SizeInBytes - 1)];
        Span<byte> seed = encoded.Slice(data.Length, digest.SizeInBytes);

        // M' = eight zero bytes, hash, salt; it is no longer than the encoding. H = hash of it.
        Span<byte> message = stackalloc byte[8 + Digest.MaxSizeInBytes + SoftwareRsaKey.MaxModulusBits / 8];
        message = message[..(8 + hash.Length + salt.Length)];
        message[..8].Clear();
        hash.CopyTo(message[8..]);
        salt.CopyTo(message[(8 + hash.Length)..]);
        digest.Hash(message, seed);

        // DB = zeros, 01, salt; masked by MGF1(H), and cut to emBits = modBits - 1.
        data.Clear();
        data[^(salt.Length + 1)] = 1;
        salt.CopyTo(data[^salt.Length..]);
        Mask(maskDigest, seed, data);
        data[0] &= (byte)(0xFF >> (8 * encodedBytes - (modulusBits - 1)));
        encoded[^1] = 0xBC;
        return true;
    }

    private static int EncodedBytes(int modulusBits) => (modulusBits - 1 + 7) / 8;

    /// <summary>Combines the data with MGF1(seed) by exclusive or.</summary>
    [SkipLocalsInit]
    private static void Mask(Digest digest, ReadOnlySpan<byte> seed, Span<byte> data)
    {
        Span<byte> input = stackalloc byte[Digest.MaxSizeInBytes + sizeof(uint)];
        Span<byte> mask = stackalloc byte[Digest.MaxSizeInBytes];
        input = input[..(seed.Length + sizeof(uint))];
        mask = mask[..digest.SizeInBytes];
        seed.CopyTo(input);
        uint counter = 0;
        for (int offset = 0; offset < data.Length; counter++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(input[seed.Length..], counter);
            digest.Hash(input, mask);
            for (int i = 0; i < mask.Length && offset < data.Length; i++)
            {
                data[offset++] ^= mask[i];
            }
        }
    }
}
