using System.Net;
using System.Net.Sockets;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Reporting;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.LoadTest.Idle;

/// <summary>
/// Connections to one server that are at rest. The client keeps nothing of them but their sockets, so that it holds as many as there may be open
/// files. Disposing cuts them off. One thread.
/// </summary>
/// <param name="target">The server, at an address of this machine.</param>
/// <param name="context">Of the TLS client.</param>
/// <param name="live">Shows how many there are.</param>
/// <param name="interruption">Ends the opening early.</param>
internal sealed class IdleConnections(LoadTarget target, TlsClientContext context, LiveLine live, Interruption interruption) : IDisposable
{
    /// <summary>From one address: fewer than the 28,232 ports that Linux gives out by default.</summary>
    public const int PerSource = 20_000;

    private const int MaxOpening = 64;

    private static readonly TimeSpan OpeningLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private readonly SocketPoller _poller = new();
    private readonly List<TcpSocket> _resting = [];
    private readonly Dictionary<ulong, IdleOpening> _opening = [];
    private readonly Stack<IdleOpening> _free = new();
    private readonly byte[] _buffer = new byte[16 * 1024];
    private ulong _begun;

    /// <summary>How many are held.</summary>
    public int Count => _resting.Count;

    /// <summary>Opens so many, some at the same time, until all are at rest or a signal comes.</summary>
    /// <exception cref="LoadFailure">One of them failed.</exception>
    public void Open(int count)
    {
        SocketAddress address = target.Resolve()[0].Serialize();
        byte[] request = IdleOpening.RequestOf(target);
        var name = new TlsServerName("localhost");
        var events = new SocketEvent[SocketPoller.MaxEvents];
        while (Count < count && !interruption.IsRaised)
        {
            while (_opening.Count < MaxOpening && Count + _opening.Count < count)
            {
                Begin(address, name, request);
            }

            int ready = _poller.Wait(events, Tick);
            foreach (SocketEvent happened in events.AsSpan(0, ready))
            {
                Advance(happened.Tag);
            }

            if (_opening.Values.Any(static opening => LoadClock.Now - opening.Started > LoadClock.From(OpeningLimit)))
            {
                throw Failure(LoadError.Timeout);
            }

            live.Show($"{Count} of {count} connections at rest");
        }
    }

    /// <summary>How many of them the server has closed. What it has sent meanwhile is dropped.</summary>
    public int CountEnded() => _resting.Count(static socket => socket.IsEnded());

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IdleOpening opening in _opening.Values.Concat(_free))
        {
            opening.Dispose();
        }

        foreach (TcpSocket socket in _resting)
        {
            socket.Reset();
            socket.Dispose();
        }

        _poller.Dispose();
    }

    /// <summary>Every address of 127.0.0.0/8 is this machine's, and each has all the ports: from 127.0.0.2 on, for a server at 127.0.0.1.</summary>
    private static SocketAddress SourceOf(ulong number) =>
        new IPEndPoint(new IPAddress([127, 0, (byte)(number / PerSource / 250), (byte)(2 + (number / PerSource % 250))]), 0).Serialize();

    private void Begin(SocketAddress address, TlsServerName name, byte[] request)
    {
        IdleOpening opening = _free.TryPop(out IdleOpening? free) ? free : new IdleOpening();
        ulong number = _begun++;
        _opening.Add(number, opening);
        bool isV4 = address.Family == AddressFamily.InterNetwork;
        if (!opening.TryBegin(address, isV4 ? SourceOf(number) : null, context, name, request))
        {
            throw Failure(opening.Error);
        }

        _poller.Add(opening.Socket, number);
    }

    private void Advance(ulong number)
    {
        // What rests is reported too, as when session tickets arrive.
        if (!_opening.TryGetValue(number, out IdleOpening? opening))
        {
            return;
        }

        switch (opening.Advance(_buffer))
        {
            case LoadProgress.Ended:
                _resting.Add(opening.Release());
                _opening.Remove(number);
                _free.Push(opening);
                break;
            case LoadProgress.Failed:
                throw Failure(opening.Error);
        }
    }

    private LoadFailure Failure(LoadError error) =>
        new($"Connection {Count + 1} to {target.Url} failed: {error}.", LoadFailure.NothingMeasured);
}
