using System.Runtime.InteropServices;

namespace WarpProxy.Configuration;

/// <summary>SIGINT and SIGTERM: the first asks for a drain, the second ends the process at once.</summary>
internal sealed class ShutdownSignals : IDisposable
{
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

    /// <summary>Takes the signals over.</summary>
    public ShutdownSignals()
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle);
    }

    /// <summary>Done at the first signal.</summary>
    public Task First => _first.Task;

    /// <inheritdoc/>
    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
    }

    // The first signal is ours; the second keeps what the system does with it, which is to end the process.
    private void Handle(PosixSignalContext context) => context.Cancel = _first.TrySetResult();
}
