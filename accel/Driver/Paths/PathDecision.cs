namespace WarpDrive.Driver.Paths;

/// <summary>Where an operation of the path <c>auto</c> was sent.</summary>
public enum PathDecision
{
    /// <summary>To a device, which was expected to answer earlier.</summary>
    Device,

    /// <summary>To software, which was expected to be done earlier than even an idle device.</summary>
    Software,

    /// <summary>To software, since the devices that would have answered earlier have too much to do already.</summary>
    Overflow,
}
