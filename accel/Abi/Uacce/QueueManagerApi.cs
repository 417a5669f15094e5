using System.Globalization;
using WarpDrive.Abi.Hpre;

namespace WarpDrive.Abi.Uacce;

/// <summary>
/// A version of HiSilicon's queue manager as the attribute <c>api</c> of a device names it, and its doorbell: one 64-bit word for both rings.
/// Sources: UADK drv/hisi_qm_udrv.c (hacc_db_v1, hacc_db_v2), Linux drivers/crypto/hisilicon/qm.c.
/// <code>
///  version 1    at 0x340:   15:0  queue number   31:16  command                        47:32  index   63:48  priority
///  2 and later  at 0x1000:   9:0  queue number   15:12  command   31:16  random (0)    47:32  index   63:48  priority
///  Bit 48, of a completion doorbell: interrupt at the next completion.
/// </code></summary>
/// <param name="Version">1, 2, 3 or later.</param>
public readonly record struct QueueManagerApi(int Version)
{
    private const string Prefix = "hisi_qm_v";
    private const int FirstOffset = 0x340;

    /// <summary>Byte offset of the doorbell word in the MMIO region.</summary>
    public int DoorbellOffset => Version == 1 ? FirstOffset : (int)Doorbell.Offset;

    /// <summary>Reads <c>hisi_qm_v2</c>; false when it is something else.</summary>
    public static bool TryParse(string? text, out QueueManagerApi api)
    {
        int version = 0;
        bool isOne = text is not null && text.StartsWith(Prefix, StringComparison.Ordinal)
            && int.TryParse(text.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out version) && version > 0;
        api = new QueueManagerApi(isOne ? version : 0);
        return isOne;
    }

    /// <summary>The word to store.</summary>
    public ulong Encode(in Doorbell doorbell) => Version == 1
        ? (doorbell.QueueNumber & 0xffff) | ((ulong)doorbell.Command << 16) | ((ulong)doorbell.Index << 32) | (doorbell.Interrupt ? 1UL << 48 : 0)
        : doorbell.Encode();

    /// <summary>Takes a word apart; every value is possible.</summary>
    public Doorbell Decode(ulong word) => Version == 1
        ? new((uint)(word & 0xffff), (DoorbellCommand)((word >> 16) & 0xffff), (ushort)(word >> 32), ((word >> 48) & 1) != 0)
        : Doorbell.Decode(word);

    /// <summary>As the attribute has it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Version}");
}
