using System.Net;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Storm;

/// <summary>
/// The established connections: each in turn sends a request when it is due, however long others take, and latency counts from then. One thread, which
/// does nothing else.
/// </summary>
internal sealed class ProbeLoop : IDisposable
{
    private static readonly TimeSpan OpeningLimit = TimeSpan.FromSeconds(30);

    private readonly ProbeConnection[] _connections;
    private readonly Queue<long>[] _due;
    private readonly SocketPoller _poller = new();
    private readonly SocketEvent[] _events = new SocketEvent[SocketPoller.MaxEvents];
    private readonly byte[] _buffer = new byte[32 * 1024];
    private readonly long[] _begun;     // by the clock of latency, when the request under way was due
    private readonly WorkClock _clock;
    private readonly long _interval;
    private long _stormFrom = long.MaxValue;
    private long _stormUntil = long.MaxValue;
    private volatile bool _isEnding;

    /// <summary>Opens the connections.</summary>
    /// <exception cref="LoadFailure">One of them failed.</exception>
    public ProbeLoop(StormOptions options, SocketAddress address, TlsClientContext context, TlsServerName name)
    {
        _interval = (long)(LoadClock.Second / options.Rate);
        _connections = [.. Enumerable.Range(0, options.Established).Select(_ => new ProbeConnection(options.Target))];
        _begun = new long[_connections.Length];
        _clock = new WorkClock(options.WorkOf);
        _due = [.. _connections.Select(static _ => new Queue<long>())];
        for (int i = 0; i < _connections.Length; i++)
        {
            _connections[i].Begin(address, context, name);
            if (_connections[i].Failure is null)
            {
                _poller.Add(_connections[i].Socket, (ulong)i);
            }
        }

        long until = LoadClock.Now + LoadClock.From(OpeningLimit);
        while (_connections.Any(static one => !one.IsReady) && LoadClock.Now < until && Failures.Count == 0)
        {
            Poll(TimeSpan.FromMilliseconds(50));
        }

        if (Failures.Count > 0 || _connections.Any(static one => !one.IsReady))
        {
            throw new LoadFailure(
                $"A connection over HTTP/2 to {options.Target.Url} failed: {(Failures is [var first, ..] ? first : "timeout")}.", LoadFailure.NothingMeasured);
        }
    }

    /// <summary>Of requests that were due before the storm.</summary>
    public LatencyHistogram Before { get; } = new();

    /// <summary>Of those that were due while it lasted.</summary>
    public LatencyHistogram During { get; } = new();

    /// <summary>Why connections ended, one line each.</summary>
    public IReadOnlyList<string> Failures => [.. _connections.Select(static one => one.Failure).OfType<string>()];

    /// <summary>The thread's body: until <see cref="End"/>, and then until all that was due is answered.</summary>
    public void Run()
    {
        long next = LoadClock.Now;
        for (int turn = 0; !_isEnding || Owed();)
        {
            for (long now = LoadClock.Now; next <= now && !_isEnding; next += _interval, turn = (turn + 1) % _connections.Length)
            {
                _due[turn].Enqueue(next);
                Begin(turn);
            }

            Poll(_isEnding ? TimeSpan.FromMilliseconds(50) : LoadClock.ToTimeSpan(next - LoadClock.Now));
        }
    }

    /// <summary>The storm begins now. Any thread.</summary>
    public void BeginStorm() => Volatile.Write(ref _stormFrom, LoadClock.Now);

    /// <summary>The storm is over. Any thread.</summary>
    public void End()
    {
        Volatile.Write(ref _stormUntil, LoadClock.Now);
        _isEnding = true;
    }

    public void Dispose()
    {
        foreach (ProbeConnection connection in _connections)
        {
            connection.Dispose();
        }

        _poller.Dispose();
    }

    private bool Owed() => _connections.Any(static one => one is { Failure: null, IsBusy: true }) && LoadClock.Now - Volatile.Read(ref _stormUntil) < LoadClock.Second * 30;

    private void Begin(int index)
    {
        ProbeConnection connection = _connections[index];
        if (!connection.IsBusy && connection.Failure is null && _due[index].TryDequeue(out long due))
        {
            _begun[index] = _clock.At(due);
            connection.Request(due);
        }
    }

    private void Poll(TimeSpan time)
    {
        _clock.Check();
        int count = _poller.Wait(_events, time);
        for (int i = 0; i < count; i++)
        {
            int index = (int)_events[i].Tag;
            ProbeConnection connection = _connections[index];
            if (connection.Advance(_buffer))
            {
                Record(connection.Due, _clock.Now - _begun[index]);
                Begin(index);
            }
        }
    }

    private void Record(long due, long latency)
    {
        if (due < Volatile.Read(ref _stormFrom))
        {
            Before.Record(latency);
        }
        else if (due < Volatile.Read(ref _stormUntil))
        {
            During.Record(latency);
        }
    }
}
