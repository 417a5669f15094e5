using System.Runtime.InteropServices;

namespace WarpProxy.Configuration;

/// <summary>
/// SIGHUP: the configuration and the files that it names are read again now. Without it the signal would end the process; so it is taken over before the
/// start, and one that comes meanwhile is answered when the start is done.
/// </summary>
internal sealed class ReloadSignal : IDisposable
{
    private readonly Lock _gate = new();
    private readonly PosixSignalRegistration _hangup;
    private Action? _reload;        // these two under _gate
    private bool _isAsked;

    /// <summary>Takes the signal over.</summary>
    public ReloadSignal() => _hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Handle);

    /// <summary>From now on each signal has this called, on a thread of the pool; at once, if there was one before.</summary>
    public void Connect(Action reload)
    {
        lock (_gate)
        {
            _reload = reload;
            if (!_isAsked)
            {
                return;
            }
        }

        ThreadPool.QueueUserWorkItem(static reload => reload(), reload, preferLocal: false);
    }

    /// <inheritdoc/>
    public void Dispose() => _hangup.Dispose();

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        Action? reload;
        lock (_gate)
        {
            _isAsked = true;
            reload = _reload;
        }

        reload?.Invoke();
    }
}
