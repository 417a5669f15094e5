namespace WarpDrive.Abi.Hpre;

/// <summary>
/// Layouts of key blocks. Every field is big-endian, right-aligned, left-padded with zeros; k = modulus bytes.
/// Source: Linux hpre_crypto.c ("low address: dq->dp->q->p->qinv"), UADK drv/hisi_hpre.c.
/// <code>
///  CRT (algorithm 1), 5k/2 bytes:  dq[k/2] dp[k/2] q[k/2] p[k/2] qinv[k/2]
///  plain (algorithm 0), 2k bytes:  exponent[k] modulus[k]
/// </code></summary>
public static class RsaKeyBlock
{
    /// <summary>Largest modulus that a device takes: 4096 bits.</summary>
    public const int MaxModulusBytes = 512;

    /// <summary>Size of the largest block: CRT, 4096 bits.</summary>
    public const int MaxSizeInBytes = 5 * MaxModulusBytes / 2;

    /// <summary>Whether a device takes this modulus: 1024, 2048, 3072 or 4096 bits.</summary>
    public static bool IsSupportedModulus(int modulusBytes) => modulusBytes is 128 or 256 or 384 or 512;

    /// <summary>Size of the block for a modulus of <paramref name="modulusBytes"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Neither CRT nor plain RSA.</exception>
    public static int SizeInBytes(HpreAlgorithm algorithm, int modulusBytes) => algorithm switch
    {
        HpreAlgorithm.RsaCrt => 5 * modulusBytes / 2,
        HpreAlgorithm.RsaPlain => 2 * modulusBytes,
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "Neither CRT nor plain RSA."),
    };
}
