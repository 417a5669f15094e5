namespace WarpDrive.Linux;

/// <summary>Signals to other processes (kill(2)).</summary>
public static class ProcessSignal
{
    private const int SIGTERM = 15;

    /// <summary>Asks a process to end (SIGTERM). One that has ended is no error.</summary>
    /// <param name="processId">Of a child that was not waited for yet, so that the number cannot be another process's.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive; zero and below would mean groups of processes.</exception>
    /// <exception cref="LinuxException">The process is another user's.</exception>
    public static void Terminate(int processId)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(processId);
        if (Libc.kill(processId, SIGTERM) != 0)
        {
            var failure = new LinuxException("kill", $"process {processId}, SIGTERM");
            if (failure.Error != Errno.ESRCH)
            {
                throw failure;
            }
        }
    }
}
