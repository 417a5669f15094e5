namespace WarpDrive.Abi.Device;

/// <summary>The regions and interrupts of the emulated device. See accel/README.md "Regions".</summary>
public static class EmulatedRegion
{
    /// <summary>MMIO: HPRE's doorbell word; trapped, never mapped.</summary>
    public const uint Mmio = 0;

    /// <summary>Device-user-share: the rings and the stop words.</summary>
    public const uint Dus = 1;

    /// <summary>Control registers of the queue; trapped, never mapped.</summary>
    public const uint Control = 2;

    /// <summary>Paravirtual doorbells in shared memory.</summary>
    public const uint Doorbells = 3;

    /// <summary>Number of regions.</summary>
    public const uint Count = 4;

    /// <summary>Size of the MMIO region.</summary>
    public const int MmioSizeInBytes = 0x2000;

    /// <summary>Size of the control region.</summary>
    public const int ControlSizeInBytes = 0x1000;

    /// <summary>Size of the region of paravirtual doorbells.</summary>
    public const int DoorbellsSizeInBytes = 0x1000;

    /// <summary>The one interrupt index: completions.</summary>
    public const uint CompletionIrq = 0;

    /// <summary>Number of interrupt indices.</summary>
    public const uint IrqCount = 1;
}
