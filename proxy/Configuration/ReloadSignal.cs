using System.Runtime.InteropServices;

namespace WarpProxy.Configuration;

/// <summary>SIGHUP: the files of the configuration are read again now. Without it the signal would end the process.</summary>
internal sealed class ReloadSignal : IDisposable
{
    private readonly PosixSignalRegistration _hangup;

    /// <summary>Takes the signal over.</summary>
    /// <param name="reload">Runs on a thread of the pool, once for each signal.</param>
    public ReloadSignal(Action reload) => _hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
    {
        context.Cancel = true;
        reload();
    });

    /// <inheritdoc/>
    public void Dispose() => _hangup.Dispose();
}
