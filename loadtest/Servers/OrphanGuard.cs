using System.Diagnostics;
using System.Globalization;

namespace WarpProxy.LoadTest.Servers;

/// <summary>
/// Ends a process when this program dies without a chance to do so itself, of SIGKILL: a shell that holds the other end of a pipe and sleeps until the
/// pipe is closed. Disposing calls it off.
/// </summary>
internal sealed class OrphanGuard : IDisposable
{
    // A line means that all is well. The signals that a terminal sends to all are this program's to handle.
    private const string Script = "trap '' INT TERM HUP QUIT; read line || kill -TERM \"$1\" 2> /dev/null";

    private readonly Process _shell;

    /// <param name="processId">The process to end.</param>
    public OrphanGuard(int processId)
    {
        // Every process that .NET starts gets its own pipes only, so that no other one keeps this pipe open.
        _shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", Script, "guard", processId.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
        })!;
    }

    public void Dispose()
    {
        try
        {
            _shell.StandardInput.WriteLine();
            _shell.StandardInput.Close();
        }
        catch (IOException)
        {
            // Somebody has killed the shell.
        }

        _shell.WaitForExit();
        _shell.Dispose();
    }
}
