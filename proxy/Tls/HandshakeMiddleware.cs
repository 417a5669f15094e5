using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace WarpProxy.Tls;

/// <summary>
/// The connection middleware around Kestrel's TLS:
/// <code>
/// socket -> BeforeTlsAsync: buffer the ClientHello, take a lane -> UseHttps, on the lane -> AfterTlsAsync: back to the thread pool -> HTTP
/// </code>
/// The lane is free again when the handshake first waits for the client after its private-key operation.
/// </summary>
internal sealed class HandshakeMiddleware(
    HandshakeLanes lanes, HandshakeCounters counters, TimeSpan clientHelloTimeout, TimeProvider time, ILogger<HandshakeMiddleware> logger)
{
    private static readonly TimeSpan CloseNotifyTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Comes before UseHttps.</summary>
    public async Task BeforeTlsAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        IDuplexPipe transport = connection.Transport;
        (ClientHelloState state, long examined) = await BufferClientHelloAsync(connection);
        switch (state)
        {
            case ClientHelloState.NotTls:
                counters.NotTls();
                await next(connection);     // SslStream refuses it, in its own words
                return;
            case ClientHelloState.TooLong:
                counters.ClientHelloTooLong();
                logger.ClientHelloTooLong(connection.ConnectionId, ClientHello.MaxBytes);
                connection.Abort(new ConnectionAbortedException($"The ClientHello is longer than {ClientHello.MaxBytes} bytes."));
                return;
            case ClientHelloState.Incomplete:
                return;                     // gone, or too late
            default:
                break;
        }

        var handshake = new Handshake();
        var input = new LanePipeReader(transport.Input, lanes, handshake);
        try
        {
            // The bytes are there; what this waits for is the lane, on which everything below then runs.
            ReadResult hello = await input.ReadAsync();
            input.AdvanceTo(hello.Buffer.Start, hello.Buffer.GetPosition(examined));
            connection.Features.Set(handshake);
            connection.Transport = new LaneTransport(input, transport.Output);
            await next(connection);
        }
        catch (LaneRefusedException refused)
        {
            logger.LaneRefused(connection.ConnectionId, refused.Message);
            connection.Abort(new ConnectionAbortedException(refused.Message, refused));
        }
        finally
        {
            connection.Transport = transport;
        }
    }

    /// <summary>Comes after UseHttps, when the handshake is done.</summary>
    public async Task AfterTlsAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        counters.Completed();
        connection.Features.Get<Handshake>()?.Complete();
        if (HandshakeLane.IsCurrentThread)
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }

        try
        {
            await next(connection);
        }
        finally
        {
            await CloseNotifyAsync(connection);
        }
    }

    /// <summary>
    /// Tells the client that nothing was cut off (RFC 8446 6.1), which Kestrel leaves out. Nobody waits for it longer than for
    /// the end of the connection: a client that reads no more is not told.
    /// </summary>
    private static async Task CloseNotifyAsync(ConnectionContext connection)
    {
        if (connection.Features.Get<ISslStreamFeature>() is not { } tls || connection.ConnectionClosed.IsCancellationRequested)
        {
            return;
        }

        try
        {
            await tls.SslStream.ShutdownAsync().WaitAsync(CloseNotifyTimeout, connection.ConnectionClosed);
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException or OperationCanceledException or TimeoutException)
        {
            // The client has closed or reset the connection.
        }
    }

    /// <summary>
    /// Reads until the ClientHello is whole, and consumes nothing. Also returns how many bytes the pipe counts as examined:
    /// fewer than there are, so that the next read completes at once, and never fewer than before, which a pipe refuses.
    /// </summary>
    private async ValueTask<(ClientHelloState State, long Examined)> BufferClientHelloAsync(ConnectionContext connection)
    {
        PipeReader input = connection.Transport.Input;
        using var deadline = new CancellationTokenSource(clientHelloTimeout, time);
        CancellationToken closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using CancellationTokenRegistration onClosing = closing.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), deadline);
        long examined = 0;
        try
        {
            while (true)
            {
                ReadResult result = await input.ReadAsync(deadline.Token);
                ReadOnlySequence<byte> received = result.Buffer;
                ClientHelloState state = ClientHello.Inspect(received);
                if (state != ClientHelloState.Incomplete || result.IsCompleted || result.IsCanceled)
                {
                    input.AdvanceTo(received.Start, received.GetPosition(examined));
                    return (state, examined);
                }

                examined = received.Length;
                input.AdvanceTo(received.Start, received.End);
            }
        }
        catch (OperationCanceledException)
        {
            if (!closing.IsCancellationRequested)
            {
                counters.ClientHelloTimeout();
                logger.ClientHelloTimedOut(connection.ConnectionId, clientHelloTimeout.TotalSeconds);
            }

            connection.Abort(new ConnectionAbortedException(
                closing.IsCancellationRequested ? "The proxy is stopping." : "The ClientHello did not arrive in time."));
            return (ClientHelloState.Incomplete, examined);
        }
        catch (IOException)
        {
            // The client closed or reset the connection; Kestrel has noted it.
            return (ClientHelloState.Incomplete, examined);
        }
    }

    private sealed record LaneTransport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
