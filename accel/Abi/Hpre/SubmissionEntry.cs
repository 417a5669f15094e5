using System.Runtime.InteropServices;

namespace WarpDrive.Abi.Hpre;

/// <summary>One HPRE submission queue entry (SQE). Source: Linux drivers/crypto/hisilicon/hpre/hpre_crypto.c, UADK drv/hisi_hpre.c.
/// <code>
///  0  u32  alg 4:0, etype 15:5, etype1 29:16, done 31:30      16  u64  input   (IOVA)
///  4  u8   task length 1: key bytes / 8 - 1                   24  u64  output  (IOVA)
///  8  u64  key     (IOVA)                                     32  u64  tag     (all other bytes zero)
/// </code></summary>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public struct SubmissionEntry
{
    /// <summary>Size of one entry in the ring.</summary>
    public const int SizeInBytes = 64;

    /// <summary>Where the control word stands, the one that the device writes back.</summary>
    public const int ControlOffset = 0;

    /// <summary>Algorithm, errors and done bits; see <see cref="SubmissionControl"/>.</summary>
    [FieldOffset(ControlOffset)] public uint Control;

    /// <summary>Key bytes / 8 - 1, for instance 31 for RSA-2048.</summary>
    [FieldOffset(4)] public byte TaskLength1;

    /// <summary>IOVA of the key block; its layout depends on the algorithm, see <see cref="RsaKeyBlock"/>.</summary>
    [FieldOffset(8)] public ulong KeyIova;

    /// <summary>IOVA of the input: key bytes, big-endian, less than the modulus. Key generation has none.</summary>
    [FieldOffset(16)] public ulong InputIova;

    /// <summary>IOVA of the output: key bytes, big-endian, left-padded with zeros; of key generation, see <see cref="RsaKeyBlock"/>.</summary>
    [FieldOffset(24)] public ulong OutputIova;

    /// <summary>Chosen by the driver, returned unchanged.</summary>
    [FieldOffset(32)] public ulong Tag;
}
