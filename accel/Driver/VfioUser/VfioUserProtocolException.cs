namespace WarpDrive.Driver.VfioUser;

/// <summary>A peer does not speak vfio-user as it should. The message is one sentence: socket path, value seen, value allowed.</summary>
public sealed class VfioUserProtocolException : IOException
{
    /// <summary>Creates an exception with a sentence for people.</summary>
    public VfioUserProtocolException(string message)
        : base(message)
    {
    }
}
