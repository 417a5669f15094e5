namespace WarpDrive.Abi.Device;

/// <summary>
/// Words of region 3, each 4 bytes on a cache line of its own. A named extension of the emulated device: HPRE's one
/// doorbell word cannot stand in plain memory, since a completion doorbell would overwrite a submission doorbell that
/// the device has not read yet. See accel/README.md "Doorbells".
/// </summary>
public static class ParavirtualDoorbell
{
    /// <summary>Host writes: index of the next submission it will write, 0 to depth - 1.</summary>
    public const int SubmissionTailOffset = 0x000;

    /// <summary>Host writes: index of the next completion it will read, 0 to depth - 1.</summary>
    public const int CompletionHeadOffset = 0x040;

    /// <summary>Device writes 1 before it sleeps; a host that changes it to 0 signals the region's ioeventfd.</summary>
    public const int DeviceAsleepOffset = 0x080;

    /// <summary>Host writes 1 before it sleeps; the device changes it to 0 and signals the completion interrupt.</summary>
    public const int HostAsleepOffset = 0x0c0;
}
