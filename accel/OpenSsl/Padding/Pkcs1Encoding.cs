namespace WarpDrive.OpenSsl.Padding;

/// <summary>EMSA-PKCS1-v1_5 of RFC 8017 9.2: 00 01 FF...FF 00 DigestInfo, the last being the bare hash for <see cref="Digest.Md5Sha1"/>.</summary>
internal static class Pkcs1Encoding
{
    private const int MinFillBytes = 8;

    /// <summary>Encodes a hash for signing.</summary>
    /// <param name="digest">Of the message.</param>
    /// <param name="hash">The hash of the message.</param>
    /// <param name="encoded">Modulus-sized.</param>
    /// <returns>False when the modulus is too small for the digest.</returns>
    public static bool TryEncode(Digest digest, ReadOnlySpan<byte> hash, Span<byte> encoded)
    {
        int infoBytes = digest.InfoPrefix.Length + digest.SizeInBytes;
        int fillBytes = encoded.Length - infoBytes - 3;
        if (hash.Length != digest.SizeInBytes || fillBytes < MinFillBytes)
        {
            return false;
        }

        encoded[0] = 0;
        encoded[1] = 1;
        encoded.Slice(2, fillBytes).Fill(0xFF);
        encoded[2 + fillBytes] = 0;
        digest.InfoPrefix.CopyTo(encoded[(3 + fillBytes)..]);
        hash.CopyTo(encoded[^hash.Length..]);
        return true;
    }
}
