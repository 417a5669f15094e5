using System.Net;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Handshakes;
using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Storm;

/// <summary>
/// The storm: all connections are begun at once, each with its ClientHello, and then each goes on as the server lets it: handshake, one request, the
/// answer. One thread, which if wanted takes only what the processors have left (SCHED_IDLE) from the last ClientHello on: clients elsewhere would
/// take nothing of the server's.
/// </summary>
internal sealed class StormLoop : IDisposable
{
    private const long OpeningLimit = LoadClock.Second;

    private readonly HandshakeConnection[] _connections;
    private readonly SocketPoller _poller = new();
    private readonly SocketEvent[] _events = new SocketEvent[SocketPoller.MaxEvents];
    private readonly byte[] _buffer = new byte[32 * 1024];
    private readonly long _limit;
    private readonly bool _isYielding;

    public StormLoop(StormOptions options)
    {
        _limit = LoadClock.From(options.Limit);
        _isYielding = options.IsYielding;
        _connections = [.. Enumerable.Range(0, options.Connections).Select(static _ => new HandshakeConnection())];
    }

    /// <summary>How many were answered, and how long the longest took.</summary>
    public LatencyHistogram Served { get; } = new();

    /// <summary>How many were refused, or failed, and when.</summary>
    public LatencyHistogram Refused { get; } = new();

    /// <summary>Why.</summary>
    public ErrorCounts Errors { get; } = new();

    /// <summary>How many were neither within the limit.</summary>
    public int LateCount { get; private set; }

    /// <summary>How long it took to begin all, in nanoseconds.</summary>
    public long Opening { get; private set; }

    /// <summary>How long it took until the last was served or refused, in nanoseconds.</summary>
    public long Duration { get; private set; }

    /// <summary>The thread's body.</summary>
    public void Run(SocketAddress address, TlsClientContext context, TlsServerName name, byte[] request)
    {
        long start = LoadClock.Now;
        for (int i = 0; i < _connections.Length; i++)
        {
            HandshakeConnection connection = _connections[i];
            if (connection.Begin(address, context, (name, 0), null, request, start) == LoadProgress.Waiting)
            {
                _poller.Add(connection.Socket, (ulong)i);
                Advance(i);
            }
            else
            {
                Settle(i, LoadProgress.Failed);
            }

            if (LoadClock.Now - start > OpeningLimit)
            {
                // A client that cannot begin them all at once has to look after those that it has begun.
                Poll(TimeSpan.Zero);
            }
        }

        Opening = LoadClock.Now - start;
        if (_isYielding && !ThreadScheduling.TryChange(SchedulingPolicy.Other, SchedulingPolicy.Idle, out LinuxException? refusal))
        {
            throw refusal;
        }

        while (_connections.Any(static one => one.IsBusy) && LoadClock.Now - start < _limit)
        {
            Poll(TimeSpan.FromMilliseconds(100));
        }

        Duration = LoadClock.Now - start;
        LateCount = _connections.Count(static one => one.IsBusy && one.ResponseDone == 0);
    }

    public void Dispose()
    {
        foreach (HandshakeConnection connection in _connections)
        {
            connection.Dispose();
        }

        _poller.Dispose();
    }

    private void Poll(TimeSpan time)
    {
        int count = _poller.Wait(_events, time);
        for (int i = 0; i < count; i++)
        {
            Advance((int)_events[i].Tag);
        }
    }

    private void Advance(int index)
    {
        if (_connections[index].IsBusy)
        {
            Settle(index, _connections[index].Advance(_buffer));
        }
    }

    private void Settle(int index, LoadProgress progress)
    {
        HandshakeConnection connection = _connections[index];
        if (progress == LoadProgress.Failed)
        {
            Refused.Record(LoadClock.Now - connection.Intended);
            Errors.Count(connection.Error);
            connection.Cut();
        }
        else if (connection.ResponseDone != 0)
        {
            // The answer is what a client wants; the server's end of the connection is not waited for.
            Served.Record(connection.ResponseDone - connection.Intended);
            connection.Cut();
        }
    }
}
