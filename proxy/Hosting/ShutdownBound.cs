using System.Globalization;
using WarpDrive.Linux;

namespace WarpProxy.Hosting;

/// <summary>
/// Ends the process when its shutdown takes longer than it may: a device may hang, or whoever reads the log, or a thread pool. It has a thread of its
/// own, and waits for nobody.
/// </summary>
internal sealed class ShutdownBound : IDisposable
{
    /// <summary>What devices, queues, keys and threads have to be released in, when the connections have ended.</summary>
    public static readonly TimeSpan ReleaseTime = TimeSpan.FromSeconds(5);

    // A pipe that nobody reads may be full.
    private static readonly TimeSpan TellTime = TimeSpan.FromMilliseconds(500);

    private readonly object _gate = new();
    private long _begin;        // all under _gate, in milliseconds
    private long? _end;
    private bool _isDone;

    /// <summary>The process ends when this time has passed, unless <see cref="Dispose"/> came before. Called once.</summary>
    public void Begin(TimeSpan limit)
    {
        lock (_gate)
        {
            _begin = Environment.TickCount64;
            _end = _begin + (long)limit.TotalMilliseconds;
        }

        new Thread(Watch) { IsBackground = true, Name = "warp-shutdown" }.Start();
    }

    /// <summary>From now on no longer than this.</summary>
    public void Shorten(TimeSpan limit)
    {
        lock (_gate)
        {
            _end = Math.Min(_end ?? long.MaxValue, Environment.TickCount64 + (long)limit.TotalMilliseconds);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Everything has ended.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDone = true;
            Monitor.Pulse(_gate);
        }
    }

    private void Watch()
    {
        lock (_gate)
        {
            while (!_isDone && _end - Environment.TickCount64 is { } left and > 0)
            {
                Monitor.Wait(_gate, TimeSpan.FromMilliseconds(left));
            }

            if (_isDone)
            {
                return;
            }
        }

        var tell = new Thread(Tell) { IsBackground = true };
        tell.Start();
        tell.Join(TellTime);
        ProcessEnd.Now(0);
    }

    private void Tell() => Console.Error.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"Not everything was released within {(Environment.TickCount64 - _begin) / 1000.0:0.0} s of the signal, as by a device that hangs; the process ends all the same, and with it all that it held."));
}
