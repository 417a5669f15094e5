namespace WarpDrive.Abi.Hpre;

/// <summary>
/// The device-user-share region (DUS): submission ring, completion ring, and two stop words at the end.
/// Source: Linux drivers/crypto/hisilicon/qm.c, UADK drv/hisi_qm_udrv.c.
/// <code>
///  0            submission ring, 64 * depth       size - 8  u32  stop receiving: 1 = the queue is dead
///  64 * depth   completion ring, 16 * depth       size - 4  u32  stop sending:   1 = the queue is dead
/// </code></summary>
public static class DeviceUserShare
{
    /// <summary>Entries of each ring as the hardware is delivered, and the most that the emulated device takes.</summary>
    public const int MaxDepth = 1024;

    /// <summary>The fewest entries of a ring: one is always empty.</summary>
    public const int MinDepth = 2;

    /// <summary>Size of the region for rings of <see cref="MaxDepth"/> and pages of 4 KiB, as the kernel computes it.</summary>
    public const int SizeInBytes = 86016;

    /// <summary>Where the word stands that tells the host to stop receiving.</summary>
    public const int StopReceivingOffset = SizeInBytes - 8;

    /// <summary>Where the word stands that tells the host to stop sending; the device writes it first.</summary>
    public const int StopSendingOffset = SizeInBytes - 4;

    /// <summary>Where a submission stands.</summary>
    public static int SubmissionOffset(int index) => index * SubmissionEntry.SizeInBytes;

    /// <summary>Where a completion stands in a region whose rings have <paramref name="depth"/> entries.</summary>
    public static int CompletionOffset(int depth, int index) =>
        (depth * SubmissionEntry.SizeInBytes) + (index * CompletionEntry.SizeInBytes);
}
