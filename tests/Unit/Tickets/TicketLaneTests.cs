using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Driver;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Certificates;
using WarpProxy.Configuration;
using WarpProxy.Listeners;
using WarpProxy.Passthrough;
using WarpProxy.Protocol;
using WarpProxy.Tests.Unit.OpenSsl;
using WarpProxy.Tests.Unit.Proxy;
using WarpProxy.Tickets;
using WarpProxy.Tls;

namespace WarpProxy.Tests.Unit.Tickets;

/// <summary>Which thread a private-key operation waits on, with tickets that are resumed and tickets that are not.</summary>
[Collection(ProviderTests.Name)]
public sealed class TicketLaneTests : IDisposable
{
    private readonly TlsTicketKeyRing _ring = new(TicketSite.Keys(0, 1));
    private readonly ConcurrentQueue<bool> _operations = new();     // whether each was on a lane
    private readonly HandshakeLanes _lanes;
    private readonly ServerCertificate _certificate;
    private readonly TlsSites _sites;
    private readonly Handshaker _handshaker;

    public TicketLaneTests()
    {
        var key = new OffloadedRsaKey(TestKeys.Software(2048), new OperationCounters(), (_, _) =>
        {
            _operations.Enqueue(HandshakeLane.IsCurrentThread);
            return AcceleratorError.Busy;
        });
        X509Certificate2 certificate = TestKeys.Certificate(2048);
        _certificate = new ServerCertificate(certificate, [], key, "test");
        var options = new TlsOptions { Lanes = 2 };
        var counters = new HandshakeCounters();
        Assert.True(ListenAddress.TryParse("https://127.0.0.1:0", "", out ListenAddress? address, out _));
        var listener = new Listener("test", address, new ListenerOptions { Tickets = new TicketOptions() });
        _sites = new TlsSites(listener, new CertificateIndex([_certificate]), _ring, null, new ProtocolPolicy(new ProtocolOptions()));
        _lanes = new HandshakeLanes(options, TimeProvider.System, counters);
        _handshaker = new Handshaker(_sites, new PassthroughRoutes("test", listener.Options.Passthrough), options, _lanes, counters, TimeProvider.System, NullLogger<Handshaker>.Instance);
    }

    public void Dispose()
    {
        _lanes.Dispose();
        _sites.Dispose();
        _certificate.Dispose();
        _ring.Dispose();
    }

    [Theory]
    [InlineData(TlsVersion.Tls12)]
    [InlineData(TlsVersion.Tls13)]
    public async Task Operation_of_a_ticket_that_is_refused_is_on_a_lane_and_a_resumed_one_has_none(TlsVersion version)
    {
        using var client = new TicketClient(version);
        Assert.False(await ConnectAsync(client));
        Assert.True(await ConnectAsync(client));
        Assert.Equal([true], _operations);
        _ring.Replace(TicketSite.Keys(0, 2));
        Assert.False(await ConnectAsync(client));
        Assert.True(await ConnectAsync(client));
        Assert.Equal([true, true], _operations);
    }

    private async Task<bool> ConnectAsync(TicketClient client)
    {
        var toServer = new Pipe(new PipeOptions(useSynchronizationContext: false));
        var toClient = new Pipe(new PipeOptions(useSynchronizationContext: false));
        await using var context = new DefaultConnectionContext("test", new Transport(toServer.Reader, toClient.Writer), new Transport(toClient.Reader, toServer.Writer));
        Task<HandshakeOutcome> handshake = _handshaker.HandshakeAsync(context, new Handshake());
        using TicketClient.Connection connection = client.Connect();
        byte[] sent = connection.Handshake([]);
        while (sent.Length > 0)
        {
            await toServer.Writer.WriteAsync(sent);
            sent = connection.Status == TlsStatus.WantRead ? connection.Handshake(await ReadAsync(toClient.Reader)) : [];
        }

        using TlsServerConnection tls = (await handshake.WaitAsync(TlsPair.Patience)).Tls!;
        tls.Write([42], toClient.Writer);
        await toClient.Writer.FlushAsync();
        connection.KeepSession(await ReadAsync(toClient.Reader));
        Assert.Equal(tls.IsResumed, connection.IsResumed);
        return tls.IsResumed;
    }

    private static async Task<byte[]> ReadAsync(PipeReader reader)
    {
        ReadResult result = await reader.ReadAsync().AsTask().WaitAsync(TlsPair.Patience);
        byte[] bytes = result.Buffer.ToArray();
        reader.AdvanceTo(result.Buffer.End);
        return bytes;
    }

    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
