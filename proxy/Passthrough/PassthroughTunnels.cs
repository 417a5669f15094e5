using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using WarpProxy.Admission;
using WarpProxy.Listeners;
using WarpProxy.Tls;

namespace WarpProxy.Passthrough;

/// <summary>Opens the way to the upstream for connections that are passed through. Any thread.</summary>
internal sealed class PassthroughTunnels(TimeProvider time, ILogger<PassthroughTunnels> logger) : IDisposable
{
    // Listeners of one proxy may pass on to each other; an upstream that is the listener itself would pass on for ever.
    private const int MaxDepth = 4;

    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<EndPoint, int> _depths = new();       // by the proxy's own end of each connection to an upstream

    /// <summary>Serves one connection to its end, of which nothing but the ClientHello was read, and nothing consumed.</summary>
    /// <param name="connection">The client's.</param>
    /// <param name="hello">What was read; the transport waits for the reader to advance.</param>
    /// <param name="route">Where it goes.</param>
    public async Task ServeAsync(ConnectionContext connection, ReadResult hello, PassthroughRoute route)
    {
        int depth = DepthOf(connection) + 1;
        if (depth > MaxDepth)
        {
            connection.Features.Get<AdmittedConnection>()?.CountRefusal(RefusalReason.Loop);
            logger.UpstreamNotReached(connection.ConnectionId, route.Options.Upstream, "it is this proxy, which passes on to itself");
        }

        if (depth > MaxDepth || await ConnectAsync(connection, route) is not { } upstream)
        {
            connection.Transport.Input.AdvanceTo(hello.Buffer.End);
            await RefuseAsync(connection);
            return;
        }

        EndPoint? own = PlainAddresses.ToPlain(upstream.LocalEndPoint);
        _depths[own!] = depth;      // before a byte is sent, so before who is there can ask
        try
        {
            await CarryAsync(connection, hello, route, upstream);
        }
        finally
        {
            _depths.TryRemove(own!, out _);
        }
    }

    /// <summary>Cuts off what still runs. Called after Kestrel has stopped, which ends all that it can see; not a client that has ended its own direction.</summary>
    /// <remarks>The source itself needs no disposal, and connections that are about to end still ask for its token.</remarks>
    public void Dispose() => _stopping.Cancel();

    /// <summary>How many tunnels of this proxy the client's bytes have come through.</summary>
    private int DepthOf(ConnectionContext connection) =>
        PlainAddresses.ToPlain(connection.Features.Get<AdmittedConnection>()?.Sender ?? connection.RemoteEndPoint) is { } sender
            ? _depths.GetValueOrDefault(sender)
            : 0;

    private async Task CarryAsync(ConnectionContext connection, ReadResult hello, PassthroughRoute route, Socket upstream)
    {
        logger.PassedThrough(connection.ConnectionId, route.Options.Upstream);
        using var tunnel = new PassthroughTunnel(connection, upstream, route, time);
        using CancellationTokenRegistration onStopping = _stopping.Token.UnsafeRegister(
            static tunnel => ((PassthroughTunnel)tunnel!).Abort("The proxy has stopped."), tunnel);
        await tunnel.RunAsync(hello);
        if (tunnel.Failure is { } reason)
        {
            logger.PassthroughEnded(connection.ConnectionId, route.Options.Upstream, reason);
        }
    }

    private async Task<Socket?> ConnectAsync(ConnectionContext connection, PassthroughRoute route)
    {
        using var timeout = new CancellationTokenSource(route.Options.ConnectTimeout, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, connection.ConnectionClosed, _stopping.Token);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(route.Upstream.EndPoint, ended.Token);
            return socket;
        }
        catch (SocketException exception)
        {
            route.Counters.ConnectFailed();
            logger.UpstreamNotReached(connection.ConnectionId, route.Options.Upstream, exception.Message);
        }
        catch (OperationCanceledException)
        {
            if (timeout.IsCancellationRequested)
            {
                route.Counters.ConnectTimeout();
                logger.UpstreamNotReached(connection.ConnectionId, route.Options.Upstream, $"not within {route.Options.ConnectTimeout.TotalSeconds} s");
            }
        }

        socket.Dispose();
        return null;
    }

    /// <summary>The client has done nothing wrong, and learns it before the connection ends (RFC 8446 6.2): no handshake has begun, so in plain text.</summary>
    private static async Task RefuseAsync(ConnectionContext connection)
    {
        PlaintextAlert.Write(connection.Transport.Output, PlaintextAlert.InternalError);
        await connection.Transport.Output.FlushAsync();
    }
}
