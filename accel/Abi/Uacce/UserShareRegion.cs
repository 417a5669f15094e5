using WarpDrive.Abi.Hpre;

namespace WarpDrive.Abi.Uacce;

/// <summary>
/// Sizes and places in the device-user-share region (<see cref="DeviceUserShare"/>) whatever its length: the stop words stand at its end, so they move with the
/// kernel's page size. Source: Linux drivers/crypto/hisilicon/qm.c, qm_alloc_uacce and hisi_qm_set_hw_reset.
/// </summary>
public static class UserShareRegion
{
    /// <summary>Bytes behind the rings that are needed at least: the two stop words.</summary>
    private const int StopWordsBytes = 8;

    /// <summary>Where the word stands that tells the host to stop receiving; the kernel writes it second.</summary>
    public static int StopReceivingOffset(int regionBytes) => regionBytes - StopWordsBytes;

    /// <summary>Where the word stands that tells the host to stop sending; the kernel writes it first.</summary>
    public static int StopSendingOffset(int regionBytes) => regionBytes - (StopWordsBytes / 2);

    /// <summary>The least that holds rings of this depth and the stop words.</summary>
    public static int LeastBytes(int depth) => DeviceUserShare.CompletionOffset(depth, depth) + StopWordsBytes;

    /// <summary>The length that a kernel gives the region: the rings and a page more, and not quite rounded up.</summary>
    /// <param name="depth">Entries of each ring.</param>
    /// <param name="pageBytes">Of the kernel: 4096, 16384 or 65536.</param>
    public static int SizeInBytes(int depth, int pageBytes) =>
        ((pageBytes - 1) + DeviceUserShare.CompletionOffset(depth, depth) + pageBytes) / pageBytes * pageBytes;
}
