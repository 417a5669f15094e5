using System.Diagnostics.CodeAnalysis;

namespace WarpDrive.Linux;

/// <summary>Ends this process (_exit(2)).</summary>
public static class ProcessEnd
{
    /// <summary>
    /// At once, whatever its threads do or wait for: none takes another step, nothing that is in a buffer is written, and the kernel takes files, sockets and
    /// memory back.
    /// </summary>
    /// <param name="exitCode">0 to 255.</param>
    [DoesNotReturn]
    public static void Now(int exitCode) => Libc.ExitNow(exitCode);
}
