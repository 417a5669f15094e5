using System.Runtime.InteropServices;

namespace WarpProxy.LoadTest.Reporting;

/// <summary>
/// While it lives, Ctrl-C (SIGINT) and SIGTERM end a measurement instead of the program, so that what was measured so far is printed. A second one
/// ends the program.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private const int SignalExitCode = 128;

    private readonly ManualResetEventSlim _isRaised = new();
    private readonly PosixSignalRegistration[] _registrations;
    private volatile int _signal; // written before the event is set, read after

    public Interruption()
    {
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Raise(context, 2)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Raise(context, 15)),
        ];
    }

    /// <summary>Whether a signal has come.</summary>
    public bool IsRaised => _isRaised.IsSet;

    /// <summary>What the program ends with: 128 + the signal's number, as a shell would show it; without a signal the given code.</summary>
    public int ExitCodeOr(int code) => IsRaised ? SignalExitCode + _signal : code;

    /// <summary>Sleeps until a signal comes or the time is over; returns whether one has come.</summary>
    public bool Wait(TimeSpan time) => _isRaised.Wait(time > TimeSpan.Zero ? time : TimeSpan.Zero);

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        // The event stays: a signal that came meanwhile may still set it.
    }

    private void Raise(PosixSignalContext context, int signal)
    {
        // The second one does what it would have done without us.
        context.Cancel = !IsRaised;
        _signal = signal;
        _isRaised.Set();
    }
}
