namespace WarpDrive.Abi.Hpre;

/// <summary>
/// Layouts of key blocks, and of the outputs of key generation. Every field is big-endian, right-aligned, left-padded with zeros; k = modulus bytes.
/// Source: Linux hpre_crypto.c ("low address: dq->dp->q->p->qinv"), UADK drv/hisi_hpre.c.
/// <code>
///  CRT (algorithm 1), 5k/2 bytes:  dq[k/2] dp[k/2] q[k/2] p[k/2] qinv[k/2]
///  plain (algorithm 0), 2k bytes:  exponent[k] modulus[k]
///  key generation (algorithms 2 and 3), 2k bytes:  e[k] p[k/2] q[k/2]
///    output of 2, 2k bytes:  d[k] n[k]       output of 3, 7k/2 bytes:  d[k] n[k] qinv[k/2] dq[k/2] dp[k/2]
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
    /// <exception cref="ArgumentOutOfRangeException">None of the four algorithms.</exception>
    public static int SizeInBytes(HpreAlgorithm algorithm, int modulusBytes) => algorithm switch
    {
        HpreAlgorithm.RsaCrt => 5 * modulusBytes / 2,
        HpreAlgorithm.RsaPlain or HpreAlgorithm.KeyGeneration or HpreAlgorithm.KeyGenerationCrt => 2 * modulusBytes,
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "No algorithm of RSA."),
    };

    /// <summary>Size of what the device writes for a modulus of <paramref name="modulusBytes"/>.</summary>
    public static int OutputBytes(HpreAlgorithm algorithm, int modulusBytes) => algorithm switch
    {
        HpreAlgorithm.KeyGeneration => 2 * modulusBytes,
        HpreAlgorithm.KeyGenerationCrt => 7 * modulusBytes / 2,
        _ => modulusBytes,
    };

    /// <summary>Size of what the device reads besides the key block; key generation has no input.</summary>
    public static int InputBytes(HpreAlgorithm algorithm, int modulusBytes) =>
        algorithm is HpreAlgorithm.KeyGeneration or HpreAlgorithm.KeyGenerationCrt ? 0 : modulusBytes;
}
