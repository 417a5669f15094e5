using System.Diagnostics.CodeAnalysis;

namespace WarpDrive.Abi.VfioUser;

/// <summary>Commands of the vfio-user protocol that the emulated device answers.</summary>
[SuppressMessage("Design", "CA1028:Enum Storage should be Int32", Justification = "The field is 16 bits wide.")]
public enum VfioUserCommand : ushort
{
    /// <summary>No command; refused.</summary>
    None = 0,

    /// <summary>Agrees on version and limits; comes first.</summary>
    Version = 1,

    /// <summary>Announces memory of the client.</summary>
    DmaMap = 2,

    /// <summary>Takes it back.</summary>
    DmaUnmap = 3,

    /// <summary>Asks for the number of regions and interrupts.</summary>
    DeviceGetInfo = 4,

    /// <summary>Asks for a region and its descriptor.</summary>
    DeviceGetRegionInfo = 5,

    /// <summary>Asks for the ioeventfds of a region.</summary>
    DeviceGetRegionIoFds = 6,

    /// <summary>Asks for an interrupt index.</summary>
    DeviceGetIrqInfo = 7,

    /// <summary>Gives or takes the eventfd of an interrupt.</summary>
    DeviceSetIrqs = 8,

    /// <summary>Reads from a region.</summary>
    RegionRead = 9,

    /// <summary>Writes to a region.</summary>
    RegionWrite = 10,

    /// <summary>Resets the device.</summary>
    DeviceReset = 13,
}

/// <summary>The commands' names as the specification writes them, for messages to people.</summary>
public static class VfioUserCommandName
{
    /// <summary><c>DMA_MAP</c>, or <c>command 99</c> when it has no name here.</summary>
    public static string Of(VfioUserCommand command) => command switch
    {
        VfioUserCommand.Version => "VERSION",
        VfioUserCommand.DmaMap => "DMA_MAP",
        VfioUserCommand.DmaUnmap => "DMA_UNMAP",
        VfioUserCommand.DeviceGetInfo => "DEVICE_GET_INFO",
        VfioUserCommand.DeviceGetRegionInfo => "DEVICE_GET_REGION_INFO",
        VfioUserCommand.DeviceGetRegionIoFds => "DEVICE_GET_REGION_IO_FDS",
        VfioUserCommand.DeviceGetIrqInfo => "DEVICE_GET_IRQ_INFO",
        VfioUserCommand.DeviceSetIrqs => "DEVICE_SET_IRQS",
        VfioUserCommand.RegionRead => "REGION_READ",
        VfioUserCommand.RegionWrite => "REGION_WRITE",
        VfioUserCommand.DeviceReset => "DEVICE_RESET",
        _ => $"command {(ushort)command}",
    };
}
