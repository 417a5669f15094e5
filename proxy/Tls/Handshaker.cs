using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Passthrough;

namespace WarpProxy.Tls;

/// <summary>
/// Carries connections through their TLS handshake. A flight that may need the private key runs on a lane: the first, which answers the
/// ClientHello, and the second after a HelloRetryRequest or with RSA key exchange. The rest runs on the thread pool. The lane is free
/// again when the handshake first waits for the client.
/// </summary>
internal sealed class Handshaker(
    TlsSites sites,
    PassthroughRoutes passthrough,
    TlsOptions options,
    HandshakeLanes lanes,
    HandshakeCounters counters,
    TimeProvider time,
    ILogger<Handshaker> logger)
{
    /// <summary>Returns the connection after its handshake, or where it goes without one; neither when it is over, told to the client as far as it can be.</summary>
    public async Task<HandshakeOutcome> HandshakeAsync(ConnectionContext connection)
    {
        CancellationToken closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using var deadline = new CancellationTokenSource(options.ClientHelloTimeout, time);
        using CancellationTokenRegistration onClosing = closing.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), deadline);
        bool isHelloThere = false;
        try
        {
            if (await ReadClientHelloAsync(connection, deadline.Token) is not { } hello)
            {
                return default;
            }

            isHelloThere = true;
            deadline.CancelAfter(options.HandshakeTimeout);
            ClientHelloName.Read(hello.Buffer, out string? name);
            if (name is not null && passthrough.TryFind(name, out PassthroughRoute? route))
            {
                return new HandshakeOutcome(null, route, hello);
            }

            if (sites.Find(name) is { } site)
            {
                return new HandshakeOutcome(await HandshakeAsync(connection, site, hello, deadline.Token));
            }

            counters.UnknownName();
            connection.Transport.Input.AdvanceTo(hello.Buffer.End);
            await RefuseAsync(connection, PlaintextAlert.UnrecognizedName, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            Expire(connection, isHelloThere, closing.IsCancellationRequested);
        }
        catch (IOException)
        {
            // The client closed or reset the connection; Kestrel has noted it.
        }
        catch (OperationCanceledException)
        {
            // Kestrel has ended the connection (ConnectionAbortedException).
        }

        return default;
    }

    /// <summary>Reads until the ClientHello is whole, and consumes nothing. Null when it does not come, or is none.</summary>
    private async ValueTask<ReadResult?> ReadClientHelloAsync(ConnectionContext connection, CancellationToken deadline)
    {
        PipeReader input = connection.Transport.Input;
        while (true)
        {
            ReadResult result = await input.ReadAsync(deadline);
            ReadOnlySequence<byte> received = result.Buffer;
            ClientHelloState state = ClientHello.Inspect(received);
            switch (state)
            {
                case ClientHelloState.Complete:
                    return result;
                case ClientHelloState.NotTls when !received.IsEmpty:
                    counters.NotTls();
                    input.AdvanceTo(received.End);
                    await RefuseAsync(connection, PlaintextAlert.UnexpectedMessage, deadline);
                    return null;
                case ClientHelloState.TooLong:
                    counters.ClientHelloTooLong();
                    logger.ClientHelloTooLong(connection.ConnectionId, ClientHello.MaxBytes);
                    input.AdvanceTo(received.End);
                    await RefuseAsync(connection, PlaintextAlert.IllegalParameter, deadline);
                    return null;
                default:
                    input.AdvanceTo(received.Start, received.End);
                    if (result.IsCompleted)
                    {
                        return null;
                    }

                    break;
            }
        }
    }

    private async ValueTask<TlsServerConnection?> HandshakeAsync(
        ConnectionContext connection, TlsSite site, ReadResult received, CancellationToken deadline)
    {
        IDuplexPipe transport = connection.Transport;
        var handshake = new Handshake();
        var lane = new LaneEntry(lanes, handshake);
        TlsServerConnection? tls = null;
        try
        {
            while (true)
            {
                if (handshake.NeedsLane && await lane is { } refusal)
                {
                    logger.LaneRefused(connection.ConnectionId, refusal.ToString());
                    transport.Input.AdvanceTo(received.Buffer.End);
                    await RefuseAsync(connection, PlaintextAlert.InternalError, deadline);
                    return null;
                }

                // Not before there is a lane: what waits in front of them costs no more than its bytes.
                tls ??= site.Context.Accept();
                ReadOnlySequence<byte> left = received.Buffer;
                TlsStatus status = tls.Handshake(ref left, transport.Output);
                transport.Input.AdvanceTo(left.Start);
                if (status == TlsStatus.Done)
                {
                    handshake.Complete();
                    if (tls.Version == TlsVersion.Tls12)
                    {
                        // In TLS 1.3 only tickets are left, which go with the first answer, or before the reader waits.
                        await transport.Output.FlushAsync(deadline);
                    }

                    return Interlocked.Exchange(ref tls, null);
                }

                await transport.Output.FlushAsync(deadline);
                if (status != TlsStatus.WantRead)
                {
                    logger.HandshakeFailed(connection.ConnectionId, tls.Failure);
                    return null;
                }

                if (!site.Certificates.IsOffloaded || tls.IsResumed)
                {
                    handshake.Complete();
                }

                received = await transport.Input.ReadAsync(deadline);
                if (received.Buffer.IsEmpty && received.IsCompleted)
                {
                    transport.Input.AdvanceTo(received.Buffer.End);
                    logger.HandshakeAbandoned(connection.ConnectionId);
                    return null;
                }
            }
        }
        finally
        {
            tls?.Dispose();
        }
    }

    /// <summary>Says why before the connection ends (RFC 8446 6.2). Keys do not exist yet wherever this is called.</summary>
    private static async ValueTask RefuseAsync(ConnectionContext connection, byte alert, CancellationToken deadline)
    {
        PlaintextAlert.Write(connection.Transport.Output, alert);
        await connection.Transport.Output.FlushAsync(deadline);
    }

    private void Expire(ConnectionContext connection, bool isHelloThere, bool isClosing)
    {
        string reason = "The proxy is stopping.";
        if (!isClosing && !isHelloThere)
        {
            counters.ClientHelloTimeout();
            logger.ClientHelloTimedOut(connection.ConnectionId, options.ClientHelloTimeout.TotalSeconds);
            reason = "The ClientHello did not arrive in time.";
        }
        else if (!isClosing)
        {
            logger.HandshakeTimedOut(connection.ConnectionId, options.HandshakeTimeout.TotalSeconds);
            reason = "The handshake was not done in time.";
        }

        connection.Abort(new ConnectionAbortedException(reason));
    }
}
