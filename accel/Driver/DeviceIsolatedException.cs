namespace WarpDrive.Driver;

/// <summary>The kernel took a device out of use because of hardware errors. It may give it back.</summary>
public sealed class DeviceIsolatedException : AcceleratorException
{
    /// <summary>Creates the exception.</summary>
    public DeviceIsolatedException(string message)
        : base(message)
    {
    }
}
