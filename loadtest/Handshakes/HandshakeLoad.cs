using System.Net;
using System.Text;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Pacing;

namespace WarpProxy.LoadTest.Handshakes;

/// <summary>
/// What one thread does: it begins connections as the pacing says, drives them with one poller, and counts. Nothing is allocated per
/// connection after the first ones, except by errors.
/// </summary>
internal sealed class HandshakeLoad : IDisposable
{
    /// <summary>A closed loop waits so long after an error, or it would do nothing but fail.</summary>
    private const long PauseAfterError = LoadClock.Second / 100;

    // How long an open loop goes on with what was due in the window. What is then still open counts with its waiting so far.
    private const long DrainLimit = LoadClock.Second;

    // Of time limits, which need not be precise.
    private const long LimitInterval = LoadClock.Second / 20;
    private const int MaxStartsPerTurn = 16;
    private const int BufferSize = 32 * 1024;

    private readonly SocketAddress _address;
    private readonly TlsClientContext _context;
    private readonly IReadOnlyList<TlsServerName> _names;
    private readonly byte[] _request;
    private readonly long _timeout;
    private readonly IPacing _pacing;
    private readonly RunWindow _window;
    private readonly SocketPoller _poller = new();
    private readonly SessionStore _sessions;
    private readonly HandshakeConnection[] _connections;
    private readonly uint[] _generations; // of each connection: an event of an earlier one is told apart by it
    private readonly Stack<int> _free;
    private readonly Queue<(long Until, int Index)> _paused = new();
    private readonly byte[] _buffer = new byte[BufferSize];
    private readonly SocketEvent[] _events = new SocketEvent[SocketPoller.MaxEvents];
    private int _nextName;

    /// <param name="options">What to do.</param>
    /// <param name="address">Of the server.</param>
    /// <param name="context">Of the TLS client; shared by the threads.</param>
    /// <param name="pacing">This thread's.</param>
    /// <param name="window">The run's.</param>
    /// <param name="connections">How many connections this thread may have open.</param>
    public HandshakeLoad(
        HandshakesOptions options, IPEndPoint address, TlsClientContext context, IPacing pacing, RunWindow window, int connections)
    {
        _address = address.Serialize();
        _context = context;
        _names = options.Names;
        _request = options.IsRequesting ? RequestOf(options) : [];
        _timeout = LoadClock.From(options.Timeout);
        _pacing = pacing;
        _window = window;
        _sessions = new SessionStore(options.Names.Count, options.Resume);
        _connections = [.. Enumerable.Range(0, connections).Select(static _ => new HandshakeConnection())];
        _generations = new uint[connections];
        _free = new Stack<int>(Enumerable.Range(0, connections));
    }

    public HandshakeCounters Counters { get; } = new();

    /// <summary>The request that each connection sends.</summary>
    public static byte[] RequestOf(HandshakesOptions options)
    {
        string host = options.Target.Url.IsDefaultPort ? options.Target.Url.Host : $"{options.Target.Url.Host}:{options.Target.Port}";
        return Encoding.ASCII.GetBytes(
            $"GET {options.Target.PathAndQuery} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: warp-loadtest\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    }

    /// <summary>The thread's body.</summary>
    public void Run(LoadThread thread)
    {
        long limitsAt = _window.Start;
        long now = LoadClock.Now;
        while (now < _window.Until || IsDraining(now))
        {
            thread.Mark(now);
            BeginDue(now);
            long wakeAt = Math.Min(limitsAt, NextBegin());
            int count = _poller.Wait(_events, LoadClock.ToTimeSpan(wakeAt - LoadClock.Now));
            for (int i = 0; i < count; i++)
            {
                (int index, uint generation) = ((int)(uint)_events[i].Tag, (uint)(_events[i].Tag >> 32));
                if (_generations[index] == generation && _connections[index].IsOpen)
                {
                    Settle(index, _connections[index].Advance(_buffer));
                }
            }

            now = LoadClock.Now;
            if (now >= limitsAt)
            {
                limitsAt = now + LimitInterval;
                CutLate(now);
            }
        }

        thread.Mark(now);
        CountUnfinished(now);
    }

    public void Dispose()
    {
        foreach (HandshakeConnection connection in _connections)
        {
            connection.Dispose();
        }

        _sessions.Dispose();
        _poller.Dispose();
    }

    /// <summary>Whether an open loop still owes answers to what was due in the window.</summary>
    private bool IsDraining(long now) =>
        _pacing.IsOpenLoop
        && now < _window.Until + DrainLimit
        && (_pacing.NextDue < _window.Until || _connections.Any(static connection => connection.IsOpen && !connection.IsEnding));

    /// <summary>When the next connection may begin.</summary>
    private long NextBegin()
    {
        long next = _paused.TryPeek(out (long Until, int Index) paused) ? paused.Until : long.MaxValue;
        if (_free.Count > 0 && _pacing.NextDue < _window.Until)
        {
            next = Math.Min(next, _pacing.NextDue);
        }

        return LoadClock.Now < _window.Until ? Math.Min(next, _window.Until) : next;
    }

    private void BeginDue(long now)
    {
        while (_paused.TryPeek(out (long Until, int Index) paused) && paused.Until <= now)
        {
            _free.Push(_paused.Dequeue().Index);
        }

        // Some at a time: those that are under way wait for this thread, too.
        long until = _window.Until;
        for (int i = 0; i < MaxStartsPerTurn && _free.Count > 0 && _pacing.NextDue < until; i++)
        {
            long started = LoadClock.Now;
            if ((!_pacing.IsOpenLoop && started >= until) || !_pacing.TryTake(started, out long intended))
            {
                return;
            }

            Begin(_free.Pop(), intended, started);
        }
    }

    private void Begin(int index, long intended, long started)
    {
        if (_pacing.IsOpenLoop && _window.Contains(intended))
        {
            Counters.Load.StartDelay.Record(started - intended);
        }

        int name = _nextName;
        _nextName = (_nextName + 1) % _names.Count;
        HandshakeConnection connection = _connections[index];
        uint generation = ++_generations[index];
        Counters.Load.InFlight++;
        ConnectionProgress progress = connection.Begin(
            _address, _context, (_names[name], name), _sessions.Take(name), _request, intended);
        if (progress == ConnectionProgress.Waiting)
        {
            // On the loopback interface the connection is there by now; elsewhere the ClientHello waits, ready, in libssl.
            _poller.Add(connection.Socket, ((ulong)generation << 32) | (uint)index);
            progress = connection.Advance(_buffer);
        }

        Settle(index, progress);
    }

    private void Settle(int index, ConnectionProgress progress)
    {
        HandshakeConnection connection = _connections[index];
        switch (progress)
        {
            case ConnectionProgress.Ended:
                _sessions.Keep(connection.Tls, connection.NameIndex);
                connection.End();
                CountDone(connection);
                Free(index);
                break;
            case ConnectionProgress.Failed:
                connection.Cut();
                Fail(index, connection.Error);
                break;
        }
    }

    private void CutLate(long now)
    {
        for (int i = 0; i < _connections.Length; i++)
        {
            HandshakeConnection connection = _connections[i];
            if (!connection.IsOpen)
            {
                continue;
            }

            if (connection.IsEnding && now - Math.Max(connection.HandshakeDone, connection.ResponseDone) >= HandshakeConnection.EndLimit)
            {
                _sessions.Keep(connection.Tls, connection.NameIndex);
                connection.Cut();
                CountDone(connection);
                Counters.Cut++;
                Free(i);
            }
            else if (!connection.IsEnding && now - connection.Started >= _timeout)
            {
                connection.Cut();
                Fail(i, LoadError.Timeout);
            }
        }
    }

    /// <summary>
    /// The rate counts what was completed in the window. Latencies: those of what was completed in it (closed loop), or of what
    /// was due in it (open loop), whenever it was completed.
    /// </summary>
    private void CountDone(HandshakeConnection connection)
    {
        if (_window.Contains(connection.HandshakeDone))
        {
            Counters.Load.Completed++;
            Counters.Resumed += connection.IsResumed ? 1 : 0;
        }

        if (_window.Contains(_pacing.IsOpenLoop ? connection.Intended : connection.HandshakeDone))
        {
            Counters.Load.Latency.Record(connection.HandshakeDone - connection.Intended);
            if (connection.ResponseDone != 0)
            {
                Counters.Response.Record(connection.ResponseDone - connection.Intended);
            }
        }
    }

    private void Fail(int index, LoadError error)
    {
        long now = LoadClock.Now;
        if (_window.Contains(_pacing.IsOpenLoop ? _connections[index].Intended : now))
        {
            Counters.Load.Errors.Count(error);
        }

        if (_pacing.IsOpenLoop)
        {
            Free(index);
        }
        else
        {
            Counters.Load.InFlight--;
            _paused.Enqueue((now + PauseAfterError, index));
        }
    }

    private void Free(int index)
    {
        Counters.Load.InFlight--;
        _free.Push(index);
    }

    private void CountUnfinished(long now)
    {
        foreach (HandshakeConnection connection in _connections.Where(static connection => connection.IsOpen))
        {
            bool isDone = connection.IsEnding;
            connection.Cut();
            if (isDone)
            {
                CountDone(connection);
            }
            else
            {
                CountUnfinished(connection.Intended, now);
            }
        }

        // What was due and never begun: the connections' limit was reached.
        while (_pacing.IsOpenLoop && _pacing.TryTake(_window.Until - 1, out long intended))
        {
            if (_window.Contains(intended))
            {
                Counters.Load.StartDelay.Record(now - intended);
            }

            CountUnfinished(intended, now);
        }
    }

    private void CountUnfinished(long intended, long now)
    {
        if (!_pacing.IsOpenLoop)
        {
            Counters.Load.Unfinished++;
        }
        else if (_window.Contains(intended))
        {
            Counters.Load.Unfinished++;
            Counters.Load.Latency.Record(now - intended);
        }
    }
}
