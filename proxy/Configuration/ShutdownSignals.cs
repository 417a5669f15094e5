using System.Runtime.InteropServices;
using WarpDrive.Linux;

namespace WarpProxy.Configuration;

/// <summary>
/// SIGINT and SIGTERM: the first asks for a drain, the second ends the process at once, whatever hangs, with exit code 130 or 143. .NET gives each of them
/// a thread of its own, so that no pool has to have one.
/// </summary>
internal sealed class ShutdownSignals : IDisposable
{
    private const int FirstCode = 128;      // what shells give to those who end by a signal, plus its number
    private const int SIGINT = 2;
    private const int SIGTERM = 15;

    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Action _onFirst;
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

    /// <summary>Takes the signals over.</summary>
    /// <param name="onFirst">Runs on the signal's own thread, before <see cref="First"/> is done.</param>
    public ShutdownSignals(Action onFirst)
    {
        _onFirst = onFirst;
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle);
    }

    /// <summary>Done at the first signal.</summary>
    public Task First => _first.Task;

    /// <summary>Cancelled by it: a start goes no further.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _stopping.Dispose();
    }

    // The system's own way to end is not left to it: in a container the process has number 1, which signals without a handler do not end.
    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        lock (_first)
        {
            if (_first.Task.IsCompleted)
            {
                ProcessEnd.Now(FirstCode + (context.Signal == PosixSignal.SIGINT ? SIGINT : SIGTERM));
            }

            _onFirst();
            _first.TrySetResult();
        }

        _stopping.Cancel();
    }
}
