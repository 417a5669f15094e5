namespace WarpDrive.Abi.Vfio;

/// <summary>What a device may do with mapped memory. Values of VFIO_DMA_MAP_FLAG_READ and _WRITE (linux/vfio.h).</summary>
[Flags]
public enum DmaAccess : uint
{
    /// <summary>Nothing; refused.</summary>
    None = 0,

    /// <summary>The device may read.</summary>
    Read = 1,

    /// <summary>The device may write.</summary>
    Write = 2,

    /// <summary>Both.</summary>
    ReadWrite = Read | Write,
}
