using System.Runtime.InteropServices;

namespace WarpProxy.Tests.EndToEnd.Harness;

/// <summary>Signals to processes that a test has started (signal(7); numbers of x86-64 and ARM64).</summary>
internal enum Signal
{
    Hangup = 1,
    Interrupt = 2,
    Kill = 9,
    Terminate = 15,
    Continue = 18,
    Stop = 19,
}

internal static partial class Signals
{
    /// <summary>Sends <paramref name="signal"/>. A process that has just ended is no error.</summary>
    public static void Send(int processId, Signal signal)
    {
        const int NoSuchProcess = 3;
        if (Kill(processId, (int)signal) != 0 && Marshal.GetLastPInvokeError() is var error and not NoSuchProcess)
        {
            throw new InvalidOperationException($"kill({processId}, {signal}) failed: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    /// <summary>rename(2): replaces what has the new name in one step, be it a link.</summary>
    [LibraryImport("libc", EntryPoint = "rename", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
