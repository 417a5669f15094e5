namespace WarpDrive.Abi.Hpre;

/// <summary>Which ring a doorbell is for.</summary>
public enum DoorbellCommand : uint
{
    /// <summary>Submission queue: the index is the new tail.</summary>
    Submission = 0,

    /// <summary>Completion queue: the index is the new head.</summary>
    Completion = 1,
}

/// <summary>
/// The doorbell word of queue manager versions 2 and 3, one 64-bit store for both rings.
/// Source: UADK drv/hisi_qm_udrv.c (hacc_db_v2).
/// <code>
///  9:0  queue number   15:12  command   31:16  random (0)   47:32  index   63:48  priority; bit 48: interrupt on the next completion
/// </code></summary>
/// <param name="QueueNumber">0 to 1023.</param>
/// <param name="Command">Which ring.</param>
/// <param name="Index">New tail or new head, 0 to depth - 1.</param>
/// <param name="Interrupt">Completion doorbell only: ask for an interrupt on the next completion.</param>
public readonly record struct Doorbell(uint QueueNumber, DoorbellCommand Command, ushort Index, bool Interrupt)
{
    /// <summary>Byte offset of the word in the MMIO region.</summary>
    public const ulong Offset = 0x1000;

    /// <summary>Width of the store.</summary>
    public const int SizeInBytes = 8;

    /// <summary>The word to store.</summary>
    public ulong Encode() =>
        (QueueNumber & 0x3ff) | ((ulong)Command << 12) | ((ulong)Index << 32) | (Interrupt ? 1UL << 48 : 0);

    /// <summary>Takes a word apart; every value is possible, so check number, command and index.</summary>
    public static Doorbell Decode(ulong word) =>
        new((uint)(word & 0x3ff), (DoorbellCommand)((word >> 12) & 0xf), (ushort)(word >> 32), ((word >> 48) & 1) != 0);
}
