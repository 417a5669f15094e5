namespace WarpDrive.Driver;

/// <summary>A device cannot be used as it was asked for; the message is one sentence for the person who configured it.</summary>
public class AcceleratorException : Exception
{
    /// <summary>Creates the exception.</summary>
    public AcceleratorException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with what caused it.</summary>
    public AcceleratorException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
