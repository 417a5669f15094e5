namespace WarpDrive.Emulator.VfioUser;

/// <summary>A server cannot listen on a path. The message is one sentence that names the path, what is wrong with it and what is allowed.</summary>
public sealed class SocketPathException : IOException
{
    /// <summary>Creates an exception with a sentence for people.</summary>
    public SocketPathException(string message)
        : base(message)
    {
    }

    /// <summary>The same, with what the system said.</summary>
    public SocketPathException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
