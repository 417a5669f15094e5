namespace WarpDrive.Driver;

/// <summary>Why an operation has no result from a device; the caller computes it in software.</summary>
public enum AcceleratorError
{
    /// <summary>It has a result.</summary>
    None,

    /// <summary>No device is configured or ready.</summary>
    NoDevice,

    /// <summary>Every queue of every ready device is taken.</summary>
    Busy,

    /// <summary>The device did not answer within the deadline.</summary>
    Deadline,

    /// <summary>The device went away while the operation was in flight.</summary>
    DeviceGone,

    /// <summary>The device answered with an error.</summary>
    DeviceError,

    /// <summary>The device broke its protocol: a completion for nothing, a wrong queue number, an index out of range.</summary>
    Protocol,

    /// <summary>The result failed the fault check with the public key.</summary>
    WrongResult,

    /// <summary>The key is of a size or shape that the device does not take.</summary>
    UnsupportedKey,

    /// <summary>Every device that is there is quarantined, or has yet to answer its probe.</summary>
    Quarantined,

    /// <summary>Something failed in this process on the way: no memory, for instance, or the fault check itself.</summary>
    Failed,
}
