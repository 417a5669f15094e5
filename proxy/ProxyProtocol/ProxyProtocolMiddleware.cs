using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace WarpProxy.ProxyProtocol;

/// <summary>
/// The connection middleware in front of all others on a listener that requires the PROXY protocol: it takes the header off, and gives the
/// connection the addresses that it tells. What comes after sees the client as if it had connected itself.
/// </summary>
internal sealed class ProxyProtocolMiddleware(
    TrustedNetworks trusted, TimeSpan timeout, ProxyProtocolCounters counters, TimeProvider time, ILogger<ProxyProtocolMiddleware> logger)
{
    /// <summary>Serves one connection to its end.</summary>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        // Before a byte is read: what others send is not even looked at.
        if (connection.RemoteEndPoint is not IPEndPoint sender || !trusted.Contains(sender.Address))
        {
            counters.Untrusted();
            logger.SenderNotTrusted(connection.ConnectionId, connection.RemoteEndPoint?.ToString() ?? "unknown");
            return;
        }

        if (await TryReadHeaderAsync(connection))
        {
            await next(connection);
        }
    }

    private async Task<bool> TryReadHeaderAsync(ConnectionContext connection)
    {
        CancellationToken closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using var deadline = new CancellationTokenSource(timeout, time);
        using CancellationTokenRegistration onClosing = closing.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), deadline);
        try
        {
            return await TryReadHeaderAsync(connection, onClosing, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            if (!closing.IsCancellationRequested)
            {
                counters.Timeout();
                logger.ProxyHeaderTimedOut(connection.ConnectionId, timeout.TotalSeconds);
            }

            connection.Abort(new ConnectionAbortedException(
                closing.IsCancellationRequested ? "The proxy is stopping." : "The PROXY protocol header did not arrive in time."));
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // The sender has left, or Kestrel has ended the connection.
        }

        return false;
    }

    private async ValueTask<bool> TryReadHeaderAsync(ConnectionContext connection, CancellationTokenRegistration onClosing, CancellationToken deadline)
    {
        PipeReader input = connection.Transport.Input;
        while (true)
        {
            ReadResult result = await input.ReadAsync(deadline);

            // It is idle no longer; a proxy that drains lets it finish.
            onClosing.Unregister();
            ProxyHeader header = ProxyHeader.Read(result.Buffer);
            switch (header.State)
            {
                case ProxyHeaderState.Incomplete:
                    input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                    if (result.IsCompleted)
                    {
                        return false;
                    }

                    break;
                case ProxyHeaderState.Malformed:
                    input.AdvanceTo(result.Buffer.End);
                    counters.Malformed();
                    logger.ProxyHeaderMalformed(connection.ConnectionId);
                    return false;
                default:
                    // Examined no further: what follows the header is read at once by whoever reads next.
                    input.AdvanceTo(result.Buffer.GetPosition(header.Length));
                    Apply(header, connection);
                    return true;
            }
        }
    }

    private void Apply(in ProxyHeader header, ConnectionContext connection)
    {
        if (header.State == ProxyHeaderState.Local)
        {
            counters.Local();
            return;
        }

        counters.Proxied();
        connection.RemoteEndPoint = header.Client;
        connection.LocalEndPoint = header.Server;
    }
}
