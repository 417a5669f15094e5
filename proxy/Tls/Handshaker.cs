using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Admission;
using WarpProxy.Passthrough;
using WarpProxy.Telemetry;

namespace WarpProxy.Tls;

/// <summary>
/// Carries connections through their TLS handshake. A flight that may need a private key which devices compute with runs on a lane: the first, which
/// answers the ClientHello, and the second after a HelloRetryRequest or with RSA key exchange. The rest runs on the thread pool, and so does
/// all of it where no certificate has such a key. The lane is free again when the handshake first waits for the client.
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
    private static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(2);

    /// <summary>Is told of every handshake; null: nobody is.</summary>
    public HandshakeTelemetry? Telemetry { get; init; }

    /// <summary>Returns the connection after its handshake, or where it goes without one; neither when it is over, told to the client as far as it can be.</summary>
    /// <param name="connection">The client's.</param>
    /// <param name="handshake">Gets what there is to tell of it; whoever made it tells its end.</param>
    public async Task<HandshakeOutcome> HandshakeAsync(ConnectionContext connection, Handshake handshake)
    {
        CancellationToken closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using var deadline = new CancellationTokenSource(options.ClientHelloTimeout, time);
        bool hasBegun = false;
        bool isHelloThere = false;
        try
        {
            ReadResult first = await ReadFirstAsync(connection.Transport.Input, deadline, closing);
            hasBegun = true;
            if (!first.Buffer.IsEmpty)
            {
                // A load balancer that looks whether the port is open closes without a byte: that is no handshake.
                Telemetry?.Begin(handshake);
            }

            if (await ReadClientHelloAsync(connection, handshake, first, deadline.Token) is not { } hello)
            {
                return default;
            }

            isHelloThere = true;
            connection.Features.Get<AdmittedConnection>()?.HelloArrived();
            deadline.CancelAfter(options.HandshakeTimeout);
            if (ClientHelloName.Read(hello.Buffer, out string? name) == ClientHelloNameState.Malformed && sites.Find(null) is null)
            {
                // Where any name is served, OpenSSL says so.
                counters.NotTls();
                handshake.Outcome = HandshakeOutcomes.NotTls;
                connection.Transport.Input.AdvanceTo(hello.Buffer.End);
                await RefuseAsync(connection, PlaintextAlert.DecodeError, deadline.Token);
                return default;
            }

            if (name is not null && passthrough.TryFind(name, out PassthroughRoute? route))
            {
                handshake.Outcome = HandshakeOutcomes.PassedThrough;
                return new HandshakeOutcome(null, route, hello);
            }

            if (sites.Find(name) is { } site)
            {
                return new HandshakeOutcome(await HandshakeAsync(connection, handshake, name, site, hello, deadline.Token));
            }

            handshake.Outcome = HandshakeOutcomes.Refused;
            await RefuseNameAsync(connection, hello, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            handshake.Outcome = HandshakeOutcomes.Timeout;
            Expire(connection, isHelloThere, isClosing: !hasBegun && closing.IsCancellationRequested);
        }
        catch (OpenSslException exception)
        {
            // No memory, or a certificate that OpenSSL took when it was loaded and now does not.
            handshake.Outcome = HandshakeOutcomes.Failed;
            logger.HandshakeImpossible(connection.ConnectionId, exception.Message);
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

    /// <summary>Waits for the first bytes. Without any the connection is idle, and a proxy that drains closes it; with them it has its handshake.</summary>
    private static async ValueTask<ReadResult> ReadFirstAsync(PipeReader input, CancellationTokenSource deadline, CancellationToken closing)
    {
        if (input.TryRead(out ReadResult there))
        {
            return there;
        }

        using CancellationTokenRegistration onClosing = closing.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), deadline);
        return await input.ReadAsync(deadline.Token);
    }

    /// <summary>Reads until the ClientHello is whole, and consumes nothing. Null when it does not come, or is none; the outcome says which.</summary>
    private async ValueTask<ReadResult?> ReadClientHelloAsync(ConnectionContext connection, Handshake handshake, ReadResult first, CancellationToken deadline)
    {
        PipeReader input = connection.Transport.Input;
        for (ReadResult result = first; ; result = await input.ReadAsync(deadline))
        {
            ReadOnlySequence<byte> received = result.Buffer;
            ClientHelloState state = ClientHello.Inspect(received);
            switch (state)
            {
                case ClientHelloState.Complete:
                    return result;
                case ClientHelloState.NotTls when !received.IsEmpty:
                    counters.NotTls();
                    handshake.Outcome = HandshakeOutcomes.NotTls;
                    input.AdvanceTo(received.End);
                    await RefuseAsync(connection, PlaintextAlert.UnexpectedMessage, deadline);
                    return null;
                case ClientHelloState.TooLong:
                    counters.ClientHelloTooLong();
                    handshake.Outcome = HandshakeOutcomes.Refused;
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
        ConnectionContext connection, Handshake handshake, string? name, TlsSite? site, ReadResult received, CancellationToken deadline)
    {
        IDuplexPipe transport = connection.Transport;
        if (site is not { Certificates.IsOffloaded: true })
        {
            // Nothing waits for a device, and an ECDSA signature is a small part of the handshake: a lane would only cost its two switches. Should
            // the certificates be replaced at this moment by such as a device computes with, this handshake is computed in software.
            handshake.Complete();
        }

        var lane = new LaneEntry(lanes, handshake);
        TlsServerConnection? tls = null;
        try
        {
            while (true)
            {
                if (handshake.NeedsLane)
                {
                    handshake.NoteLaneAsked();
                }

                if (handshake.NeedsLane && await lane is { } refusal)
                {
                    handshake.Outcome = HandshakeOutcomes.Refused;
                    logger.LaneRefused(connection.ConnectionId, refusal.ToString());
                    transport.Input.AdvanceTo(received.Buffer.End);
                    await RefuseAsync(connection, PlaintextAlert.InternalError, deadline);
                    return null;
                }

                // Off the lanes there are turns. Either way not before there is one: what waits costs no more than its bytes.
                bool hasTurn = !handshake.NeedsLane;
                if (hasTurn)
                {
                    await lanes.Turns.BeginAsync();
                }

                TlsStatus? step;
                try
                {
                    deadline.ThrowIfCancellationRequested();
                    if (handshake.NeedsLane)
                    {
                        handshake.NoteLaneBegun();
                    }

                    long since = HandshakeTelemetry.ReadProcessorTime(handshake);
                    step = Step(ref tls, ref site, name, received, transport);
                    handshake.ProcessorNanoseconds += HandshakeTelemetry.ReadProcessorTime(handshake) - since;
                    handshake.NoteStep();
                }
                finally
                {
                    if (hasTurn)
                    {
                        lanes.Turns.End();
                    }
                }

                if (step is not { } status || tls is null)
                {
                    handshake.Outcome = HandshakeOutcomes.Refused;
                    await RefuseNameAsync(connection, received, deadline);
                    return null;
                }

                if (status == TlsStatus.Done)
                {
                    handshake.Complete();
                    handshake.Outcome = HandshakeOutcomes.Completed;
                    handshake.Certificate = site?.Certificates.Describe(handshake.Path != HandshakePath.None);
                    if (tls.Version == TlsVersion.Tls12)
                    {
                        // In TLS 1.3 only tickets are left, which go with the first answer, or before the reader waits.
                        await transport.Output.FlushAsync(deadline);
                    }

                    return Interlocked.Exchange(ref tls, null);
                }

                if (status != TlsStatus.WantRead)
                {
                    handshake.Outcome = HandshakeOutcomes.Failed;
                    await FailAsync(connection, tls.Failure, deadline);
                    return null;
                }

                await transport.Output.FlushAsync(deadline);
                if (tls.IsResumed)
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

    /// <summary>One step of OpenSSL's; the first makes the connection. Null when there is nothing any more that could serve the name.</summary>
    private TlsStatus? Step(ref TlsServerConnection? tls, ref TlsSite? site, string? name, in ReadResult received, IDuplexPipe transport)
    {
        while (tls is null && site is not null)
        {
            // No: the certificates were replaced while the client waited.
            tls = site.Context.TryAccept();
            TlsSite? other = tls is null ? sites.Find(name) : site;

            // The same again would be what it was: a context, or a certificate, that is of no use any more.
            site = tls is null && other == site ? null : other;
        }

        if (tls is null)
        {
            return null;
        }

        ReadOnlySequence<byte> left = received.Buffer;
        TlsStatus status = tls.Handshake(ref left, transport.Output);
        transport.Input.AdvanceTo(left.Start);
        return status;
    }

    private ValueTask RefuseNameAsync(ConnectionContext connection, ReadResult hello, CancellationToken deadline)
    {
        counters.UnknownName();
        connection.Transport.Input.AdvanceTo(hello.Buffer.End);
        return RefuseAsync(connection, PlaintextAlert.UnrecognizedName, deadline);
    }

    /// <summary>Says why before the connection ends (RFC 8446 6.2). Keys do not exist yet wherever this is called.</summary>
    private static async ValueTask RefuseAsync(ConnectionContext connection, byte alert, CancellationToken deadline)
    {
        PlaintextAlert.Write(connection.Transport.Output, alert);
        await connection.Transport.Output.FlushAsync(deadline);
    }

    /// <summary>Counts and logs a failure, and then sends its alert: what a client has read is counted.</summary>
    private async ValueTask FailAsync(ConnectionContext connection, TlsFailure failure, CancellationToken deadline)
    {
        TlsCertificateRefusal reason = failure.CertificateRefusal;
        if (reason == TlsCertificateRefusal.None)
        {
            logger.HandshakeFailed(connection.ConnectionId, failure);
            await connection.Transport.Output.FlushAsync(deadline);
            return;
        }

        counters.ClientCertificateRefused(reason);
        logger.ClientCertificateRefused(connection.ConnectionId, reason.ToString(), failure);
        await connection.Transport.Output.FlushAsync(deadline);
        await LingerAsync(connection.Transport.Input, deadline);
    }

    /// <summary>
    /// Waits a little for a client to close that has been sent an alert. In TLS 1.3 it has sent its request before it can know that its certificate
    /// is refused; a connection that is closed with bytes unread is reset, and the alert would be lost.
    /// </summary>
    private async ValueTask LingerAsync(PipeReader input, CancellationToken deadline)
    {
        using var limit = new CancellationTokenSource(LingerTime, time);
        using CancellationTokenRegistration onDeadline = deadline.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), limit);
        try
        {
            ReadResult result;
            do
            {
                result = await input.ReadAsync(limit.Token);
                input.AdvanceTo(result.Buffer.End);
            }
            while (!result.IsCompleted);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            // It has had its time.
        }
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
            counters.Timeout();
            logger.HandshakeTimedOut(connection.ConnectionId, options.HandshakeTimeout.TotalSeconds);
            reason = "The handshake was not done in time.";
        }

        connection.Abort(new ConnectionAbortedException(reason));
    }
}
