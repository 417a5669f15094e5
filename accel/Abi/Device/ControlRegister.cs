namespace WarpDrive.Abi.Device;

/// <summary>Byte offsets of the control registers (region 2). Each is 4 bytes wide and read or written whole. See accel/README.md "Control registers".</summary>
public static class ControlRegister
{
    /// <summary>Read: <see cref="MagicValue"/>.</summary>
    public const ulong Magic = 0x00;

    /// <summary>Read: version of this register layout, <see cref="VersionValue"/>.</summary>
    public const ulong Version = 0x04;

    /// <summary>Read: <see cref="DeviceCapabilities"/>.</summary>
    public const ulong Capabilities = 0x08;

    /// <summary>Read: version of the queue manager whose formats hold (2).</summary>
    public const ulong QueueManagerVersion = 0x0c;

    /// <summary>Read: HPRE algorithm bits; bit 0: RSA.</summary>
    public const ulong Algorithms = 0x10;

    /// <summary>Read: key sizes; bit 0: 1024, bit 1: 2048, bit 2: 3072, bit 3: 4096 bits.</summary>
    public const ulong KeySizes = 0x14;

    /// <summary>Read: the largest depth of the rings.</summary>
    public const ulong MaxDepth = 0x18;

    /// <summary>Read, write while the queue is not started: entries of each ring, a power of two.</summary>
    public const ulong Depth = 0x1c;

    /// <summary>Read, write while the queue is not started: 0, the RSA class of algorithms.</summary>
    public const ulong QueueType = 0x20;

    /// <summary>Read: number of the queue, as in doorbells and completions.</summary>
    public const ulong QueueNumber = 0x24;

    /// <summary>Write: <see cref="QueueCommand"/>.</summary>
    public const ulong Command = 0x28;

    /// <summary>Read: <see cref="QueueState"/>.</summary>
    public const ulong State = 0x2c;

    /// <summary>Read: how many doorbells were ignored because of their number, command or index.</summary>
    public const ulong IgnoredDoorbells = 0x30;

    /// <summary>Read: number of engines that serve all queues.</summary>
    public const ulong EngineCount = 0x34;

    /// <summary>Read: most operations that an engine computes together.</summary>
    public const ulong EngineLanes = 0x38;

    /// <summary>Read, write while the queue is not started: <see cref="DeviceCapabilities"/> that change what the host finds; at first none.</summary>
    public const ulong Extensions = 0x3c;

    /// <summary>Read: <see cref="EngineNameSizeInBytes"/> bytes of UTF-8, padded with zeros.</summary>
    public const ulong EngineName = 0x80;

    /// <summary>Room for the engine's name.</summary>
    public const int EngineNameSizeInBytes = 128;

    /// <summary>"WRPD", read as a little-endian number.</summary>
    public const uint MagicValue = 0x44505257;

    /// <summary>The version described here.</summary>
    public const uint VersionValue = 1;

    /// <summary>The queue manager version whose doorbell word region 0 takes.</summary>
    public const uint QueueManagerVersionValue = 2;
}

/// <summary>What the emulated device offers beyond the hardware.</summary>
[Flags]
public enum DeviceCapabilities : uint
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Region 3: doorbells in shared memory.</summary>
    ParavirtualDoorbells = 1,

    /// <summary>An ioeventfd for region 3, signalled only when the device sleeps.</summary>
    DoorbellEventFd = 2,

    /// <summary>Algorithms 2 and 3.</summary>
    KeyGeneration = 4,

    /// <summary>Where the host asks for it by <see cref="ControlRegister.Extensions"/>, completions say in which batch, when and how long their operation was computed (<see cref="Hpre.CompletionEntry.BatchSize"/>).</summary>
    CompletionTimes = 8,
}

/// <summary>What may be written to <see cref="ControlRegister.Command"/>.</summary>
public enum QueueCommand : uint
{
    /// <summary>Clears the rings' indices and stop words and starts fetching.</summary>
    Start = 1,

    /// <summary>Stops fetching, forgets what is in flight, sets both stop words.</summary>
    Stop = 2,
}

/// <summary>State of a queue; the numbers are the kernel's (drivers/misc/uacce/uacce.c).</summary>
public enum QueueState : uint
{
    /// <summary>Dead: the device gave it up. Only a reset helps.</summary>
    Zombie = 0,

    /// <summary>Opened or stopped.</summary>
    Initial = 1,

    /// <summary>Started: submissions are fetched.</summary>
    Started = 2,
}
