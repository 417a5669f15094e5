using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Certificates;
using WarpProxy.Configuration;
using WarpProxy.Listeners;
using WarpProxy.Passthrough;
using WarpProxy.Protocol;
using WarpProxy.Tests.Unit.OpenSsl;
using WarpProxy.Tickets;
using WarpProxy.Tls;

namespace WarpProxy.Tests.Unit.Proxy;

/// <summary>Which handshakes need a lane: tried with lanes that have stopped, so that those fail.</summary>
[Collection(ProviderTests.Name)]
public sealed class LaneNeedTests : IDisposable
{
    private readonly TlsOptions _options = new() { Lanes = 1 };
    private readonly HandshakeCounters _counters = new();
    private readonly HandshakeLanes _lanes;
    private readonly TlsTicketKeyRing _ring = new(Tickets.TicketSite.Keys(0, 1));

    public LaneNeedTests()
    {
        _lanes = new HandshakeLanes(_options, TimeProvider.System, _counters);
        _lanes.Dispose();
    }

    public void Dispose() => _ring.Dispose();

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Ecdsa_handshake_needs_no_lane(SslProtocols version)
    {
        Assert.True(await ConnectAsync(version, Ecdsa()));
        Assert.Equal(0, _counters.RefusedCount(LaneRefusal.Stopped));
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Handshake_that_may_sign_with_an_offloaded_key_needs_one(SslProtocols version)
    {
        Assert.False(await ConnectAsync(version, Rsa()));
        Assert.False(await ConnectAsync(version, Rsa(), Ecdsa()));
        Assert.Equal(2, _counters.RefusedCount(LaneRefusal.Stopped));
    }

    private static ServerCertificate Rsa() =>
        new(TestKeys.Certificate(2048), [], new OffloadedRsaKey(TestKeys.Software(2048), null, new OperationCounters()), "rsa");

    private static ServerCertificate Ecdsa()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 made = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using PrivateKey loaded = PrivateKeyPem.Load(Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()), []);
        return new(X509CertificateLoader.LoadCertificate(made.RawData), [], loaded, "ecdsa");
    }

    /// <summary>Whether the server's side came to its end.</summary>
    private async Task<bool> ConnectAsync(SslProtocols version, params ServerCertificate[] certificates)
    {
        Assert.True(ListenAddress.TryParse("https://127.0.0.1:0", "", out ListenAddress? address, out _));
        var listener = new Listener("test", address, new ListenerOptions { Tickets = new TicketOptions() });
        using var sites = new TlsSites(listener, new CertificateIndex(certificates), _ring, null, new ProtocolPolicy(new ProtocolOptions()));
        var handshaker = new Handshaker(
            sites, new PassthroughRoutes("test", listener.Options.Passthrough), _options, _lanes, _counters, TimeProvider.System, NullLogger<Handshaker>.Instance);
        var toServer = new Pipe(new PipeOptions(useSynchronizationContext: false));
        var toClient = new Pipe(new PipeOptions(useSynchronizationContext: false));
        await using var context = new DefaultConnectionContext("test", new Transport(toServer.Reader, toClient.Writer), new Transport(toClient.Reader, toServer.Writer));
        await using var client = new SslStream(new PipesStream(toClient.Reader.AsStream(), toServer.Writer.AsStream()));
        Task connecting = client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = version,
            RemoteCertificateValidationCallback = (_, shown, _, _) =>
                certificates.Any(certificate => certificate.Tls.Chain[0].Span.SequenceEqual(shown!.GetRawCertData())),
        });
        using TlsServerConnection? served = (await handshaker.HandshakeAsync(context, new Handshake()).WaitAsync(TlsPair.Patience)).Tls;
        await toClient.Writer.CompleteAsync();
        Exception? failure = await Record.ExceptionAsync(() => connecting.WaitAsync(TlsPair.Patience));
        Assert.Equal(served is null, failure is not null);
        Array.ForEach(certificates, static certificate => certificate.Dispose());
        return served is not null;
    }

    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
