using System.Runtime.InteropServices;

namespace WarpDrive.Linux;

/// <summary>A system call failed, or a peer refused a request with an error number.</summary>
public sealed class LinuxException : IOException
{
    /// <summary>Reads the error number of the call that this thread made last.</summary>
    /// <param name="call">The system call, as in the manual: <c>mmap</c>.</param>
    /// <param name="what">What it was called on and with: <c>rings, 1048576 bytes</c>.</param>
    public LinuxException(string call, string what)
        : this(call, what, Marshal.GetLastPInvokeError())
    {
    }

    /// <summary>Names the error number itself.</summary>
    public LinuxException(string call, string what, int error)
        : base($"{call}({what}) failed: {Marshal.GetPInvokeErrorMessage(error)} (errno {error})")
    {
        Error = error;
    }

    private LinuxException(string sentence, int error)
        : base(sentence)
    {
        Error = error;
    }

    /// <summary>The error number; see <see cref="Errno"/>.</summary>
    public int Error { get; }

    /// <summary>A failure whose cause is known better than by its number: a sentence for the person who configured it.</summary>
    /// <param name="sentence">Says what is missing and what to do; ends with a full stop.</param>
    /// <param name="error">The number.</param>
    public static LinuxException Explained(string sentence, int error) => new(sentence, error);
}
