using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using WarpProxy.Admission;
using WarpProxy.ClientCertificates;
using WarpProxy.Http;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Passthrough;
using WarpProxy.Telemetry;

namespace WarpProxy.Tls;

/// <summary>
/// The connection middleware that is TLS:
/// <code>
/// socket -> Handshaker: ClientHello, lane, handshake -> TlsTransport, on the thread pool -> HTTP -> close_notify
///                       ClientHello with a name that is passed through -> PassthroughTunnel
/// </code>
/// </summary>
internal sealed class TlsMiddleware(
    Handshaker handshaker, PassthroughTunnels tunnels, ClientCertificateOptions clients, HandshakeCounters counters, TimeProvider time, ILogger<TlsMiddleware> logger)
{
    /// <summary>Serves one connection to its end.</summary>
    /// <param name="connection">The client's.</param>
    /// <param name="leave">Called when the handshake is over: what it was done with may go.</param>
    /// <param name="next">HTTP.</param>
    public async Task ServeAsync(ConnectionContext connection, Action leave, ConnectionDelegate next)
    {
        var handshake = new Handshake();
        HandshakeOutcome outcome = default;
        try
        {
            outcome = await handshaker.HandshakeAsync(connection, handshake);
        }
        finally
        {
            leave();
            handshake.ReleaseShadow();
            Tell(connection, handshake, outcome.Tls);
        }

        connection.Features.Get<AdmittedConnection>()?.EndHandshake();
        if (outcome.Route is { } route)
        {
            await tunnels.ServeAsync(connection, outcome.Hello, route);
            return;
        }

        if (outcome.Tls is not { } tls)
        {
            return;
        }

        counters.Completed(tls.IsResumed, tls.TicketKeyUse);
        if (HandshakeLane.IsCurrentThread)
        {
            // HTTP may wait for anything; a lane carries handshakes.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }

        IDuplexPipe transport = connection.Transport;
        MemoryPool<byte> pool = connection.Features.Get<IMemoryPoolFeature>()?.MemoryPool ?? MemoryPool<byte>.Shared;
        using var stream = new TlsTransport(tls, transport, pool, time);
        VerifiedClient? client = tls.GetClientChain() is { Count: > 0 } chain ? new VerifiedClient(chain, clients) : null;
        if (client is not null)
        {
            connection.Features.Set(client);
        }

        var features = new TlsFeatures(tls, client);
        connection.Features.Set<ITlsConnectionFeature>(features);
        connection.Features.Set<ITlsHandshakeFeature>(features);
        connection.Features.Set<ITlsApplicationProtocolFeature>(features);
        connection.Transport = stream;
        using LateConnection? late = DelayClosing(connection);
        try
        {
            await next(connection);
        }
        finally
        {
            // Only now, since Kestrel names nothing that the client did as its reason.
            Tell(connection, stream);
            stream.Output.Complete();
            bool isTold = await stream.CloseAsync(connection.ConnectionClosed);
            connection.Transport = transport;
            if (!isTold)
            {
                // Otherwise Kestrel would wait until the client has taken what is left, and perhaps for ever.
                connection.Abort(new ConnectionAbortedException("The client did not take the end of its connection in time."));
            }
        }
    }

    /// <summary>A handshake that a proxy that drains has let finish is of use with one request behind it.</summary>
    private LateConnection? DelayClosing(ConnectionContext connection)
    {
        if (connection.Features.Get<IConnectionLifetimeNotificationFeature>() is not { ConnectionClosedRequested.IsCancellationRequested: true })
        {
            return null;
        }

        var late = new LateConnection(time);
        connection.Features.Set<IConnectionLifetimeNotificationFeature>(late);
        return late;
    }

    private void Tell(ConnectionContext connection, Handshake handshake, TlsServerConnection? tls)
    {
        if (handshake.Span is { } span)
        {
            connection.Features.Set(new HandshakeSpan(span.Context));
        }

        handshaker.Telemetry?.End(handshake, tls);
    }

    private void Tell(ConnectionContext connection, TlsTransport stream)
    {
        if (stream.End == TlsStreamEnd.Truncated)
        {
            logger.StreamTruncated(connection.ConnectionId);
        }
        else if (stream.End == TlsStreamEnd.Failed)
        {
            logger.TlsFailed(connection.ConnectionId, stream.Failure);
        }
    }
}
