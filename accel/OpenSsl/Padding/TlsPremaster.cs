using System.Runtime.CompilerServices;

namespace WarpDrive.OpenSsl.Padding;

/// <summary>
/// Removes the padding of TLS RSA key exchange: 00 02 nonzero...nonzero 00 premaster[48], the premaster beginning with a version.
/// Nobody may learn whether the padding was right (Bleichenbacher 1998, ROBOT, Marvin): RFC 5246 7.4.7.1 has a random premaster
/// take the place of a wrong one, and no branch or index here depends on the decrypted bytes.
/// </summary>
internal static class TlsPremaster
{
    /// <summary>Bytes of a premaster.</summary>
    public const int SizeInBytes = 48;

    /// <summary>The least modulus: 11 bytes of padding and the premaster.</summary>
    public const int MinModulusBytes = 11 + SizeInBytes;

    /// <summary>Writes the premaster, or the random one when padding, length or version is wrong; always 48 bytes in the same time.</summary>
    /// <param name="decrypted">What the private-key operation gave, modulus-sized, at least <see cref="MinModulusBytes"/>.</param>
    /// <param name="random">48 fresh random bytes.</param>
    /// <param name="clientVersion">The version that the client offered (0x0303); the premaster has to begin with it.</param>
    /// <param name="negotiatedVersion">When above zero, this version is taken too: for clients that wrongly send the negotiated one
    /// (OpenSSL's tls-negotiated-version, SSL_OP_TLS_ROLLBACK_BUG).</param>
    /// <param name="premaster">48 bytes.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    public static void Remove(
        ReadOnlySpan<byte> decrypted, ReadOnlySpan<byte> random, int clientVersion, int negotiatedVersion, Span<byte> premaster)
    {
        // Masks are all ones for "right" and zero for "wrong".
        int start = decrypted.Length - SizeInBytes;
        int good = EqualMask(decrypted[0], 0) & EqualMask(decrypted[1], 2);
        for (int i = 2; i < start - 1; i++)
        {
            good &= ~EqualMask(decrypted[i], 0);
        }

        good &= EqualMask(decrypted[start - 1], 0);

        int version = decrypted[start] << 8 | decrypted[start + 1];
        int versionGood = EqualMask(version, clientVersion);
        if (negotiatedVersion > 0)
        {
            // Which rule holds is no secret.
            versionGood |= EqualMask(version, negotiatedVersion);
        }

        good &= versionGood;
        for (int i = 0; i < SizeInBytes; i++)
        {
            premaster[i] = (byte)(good & decrypted[start + i] | ~good & random[i]);
        }
    }

    /// <summary>All ones when equal, else zero. For numbers of at most 31 bits.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    private static int EqualMask(int left, int right)
    {
        // x - 1 and ~x both have the top bit set for x = 0 only.
        int difference = left ^ right;
        return (~difference & (difference - 1)) >> 31;
    }
}
