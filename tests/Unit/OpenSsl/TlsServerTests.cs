using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.OpenSsl;

/// <summary>Server connections of libssl against SslStream, with keys of the provider.</summary>
[Collection(ProviderTests.Name)]
public sealed class TlsServerTests
{
    [Theory]
    [InlineData(SslProtocols.Tls13, "", 2048)]
    [InlineData(SslProtocols.Tls13, "TLS_CHACHA20_POLY1305_SHA256", 3072)]
    [InlineData(SslProtocols.Tls12, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 2048)]
    [InlineData(SslProtocols.Tls12, "TLS_RSA_WITH_AES_128_GCM_SHA256", 2048)]
    [InlineData(SslProtocols.Tls12, "TLS_RSA_WITH_AES_128_GCM_SHA256", 4096)]
    public async Task Handshake_takes_one_private_key_operation(SslProtocols version, string suite, int bits)
    {
        using Attached attached = new(bits);
        using TlsServerCertificate certificate = new([attached.Certificate], attached.Key);
        using TlsServerContext context = new(new TlsServerOptions { Certificates = [certificate], CipherSuites = suite.Length == 0 ? [] : [suite] });
        using var server = new Server(context);
        await server.HandshakeAsync(version, suite);
        Assert.Equal(TlsStatus.Done, server.Status);
        Assert.Equal((TlsVersion)(version == SslProtocols.Tls13 ? 0x304 : 0x303), server.Tls.Version);
        Assert.Equal(server.Client.NegotiatedCipherSuite, (TlsCipherSuite)server.Tls.CipherSuite);
        Assert.Equal("localhost", server.Tls.ServerName);
        Assert.Equal(1, attached.Counters.Snapshot().Software);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Nothing_is_allocated_per_step(SslProtocols version)
    {
        using Attached attached = new(2048);
        using TlsServerCertificate certificate = new([attached.Certificate], attached.Key);
        using TlsServerContext context = new(new TlsServerOptions { Certificates = [certificate] });
        using var server = new Server(context);
        await server.HandshakeAsync(version, "");
        for (int i = 0; i < 200; i++)
        {
            await server.Client.WriteAsync(new byte[100]);
        }

        byte[] buffer = new byte[1000];
        ReadOnlySequence<byte> received = await server.TakeReceivedAsync();
        var toSend = new ArrayBufferWriter<byte>(1_000_000);
        Assert.Equal(TlsStatus.Done, server.Tls.Read(ref received, toSend, buffer, out _));
        Assert.Equal(TlsStatus.Done, server.Tls.Write(buffer, toSend));
        long before = GC.GetAllocatedBytesForCurrentThread();
        TlsStatus status;
        int total = 100;
        while ((status = server.Tls.Read(ref received, toSend, buffer, out int count)) == TlsStatus.Done)
        {
            total += count;
            server.Tls.Write(buffer, toSend);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal((TlsStatus.WantRead, 200 * 100), (status, total));
        Assert.True(received.IsEmpty);
    }

    [Fact]
    public async Task Failed_operation_fails_its_handshake_with_an_alert_and_leaves_the_error_queue_empty()
    {
        using Attached attached = new(2048, (_, _) => throw new InvalidOperationException("the device is on fire"));
        using TlsServerCertificate certificate = new([attached.Certificate], attached.Key);
        using TlsServerContext context = new(new TlsServerOptions { Certificates = [certificate] });
        using var server = new Server(context);
        await Assert.ThrowsAnyAsync<AuthenticationException>(() => server.HandshakeAsync(SslProtocols.Tls13, ""));
        Assert.Equal((TlsStatus.Failed, TlsFailureKind.Protocol), (server.Status, server.Tls.Failure.Kind));
        Assert.True(server.IsErrorQueueEmpty);
    }

    [Theory]
    [InlineData("h2,http/1.1", "http/1.1,h2", "h2")]
    [InlineData("h2,http/1.1", "x,http/1.1", "http/1.1")]
    [InlineData("h2,http/1.1", "", "")]
    [InlineData("", "h2", "")]
    public async Task Application_protocol_is_the_first_of_the_server_that_the_client_offers(string ours, string offered, string expected)
    {
        using Attached attached = new(2048);
        using TlsServerCertificate certificate = new([attached.Certificate], attached.Key);
        using TlsServerContext context = new(new TlsServerOptions { Certificates = [certificate], ApplicationProtocols = Split(ours) });
        using var server = new Server(context);
        await server.HandshakeAsync(SslProtocols.Tls13, "", Split(offered));
        Assert.Equal(expected, System.Text.Encoding.ASCII.GetString(server.Tls.ApplicationProtocol.Span));
        Assert.Equal(expected, server.Client.NegotiatedApplicationProtocol.ToString());
    }

    [Fact]
    public void Key_of_another_certificate_is_refused()
    {
        using PrivateKey key = TestKeys.Load(TestKeys.Rsa(2048));
        using X509Certificate2 other = TestKeys.Certificate(3072);
        OpenSslException refusal = Assert.Throws<OpenSslException>(() => new TlsServerCertificate([other], key));
        Assert.Equal(OpenSslError.KeyMismatch, refusal.Error);
        Assert.Equal((nuint)0, Libcrypto.ERR_peek_error());
    }

    [Fact]
    public void Suite_that_OpenSSL_does_not_have_is_refused()
    {
        using Attached attached = new(2048);
        using TlsServerCertificate certificate = new([attached.Certificate], attached.Key);
        OpenSslException refusal = Assert.Throws<OpenSslException>(
            () => new TlsServerContext(new TlsServerOptions { Certificates = [certificate], CipherSuites = ["TLS_RSA_WITH_NULL_MD7"] }));
        Assert.Equal("OpenSSL does not know the cipher suite 'TLS_RSA_WITH_NULL_MD7'.", refusal.Message);
    }

    [Fact]
    public void Connection_outlives_its_context_and_is_freed_once()
    {
        using Attached attached = new(2048);
        TlsServerCertificate certificate = new([attached.Certificate], attached.Key);
        TlsServerContext context = new(new TlsServerOptions { Certificates = [certificate] });
        TlsServerConnection connection = context.Accept();
        certificate.Dispose();
        context.Dispose();
        ReadOnlySequence<byte> nothing = default;
        var toSend = new ArrayBufferWriter<byte>();
        Assert.Equal(TlsStatus.WantRead, connection.Handshake(ref nothing, toSend));
        connection.Dispose();
        connection.Dispose();
        Assert.Throws<ObjectDisposedException>(() => connection.Handshake(ref nothing, toSend));
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Key_is_given_up_with_the_last_handshake_though_connections_live_on(SslProtocols version)
    {
        Attached attached = new(2048);
        attached.Certificate.Dispose();
        using X509Certificate2 bare = TestKeys.Certificate(2048);
        TlsServerCertificate certificate = new([bare], attached.Key);
        using TlsServerContext context = new(new TlsServerOptions { Certificates = [certificate] });
        using var done = new Server(context);
        await done.HandshakeAsync(version, "");
        using var begun = new Server(context);
        certificate.Dispose();
        attached.Key.Dispose();
        Assert.True(attached.Key.TryHold());
        attached.Key.Release();
        await begun.HandshakeAsync(version, "");
        Assert.False(attached.Key.TryHold());
        Assert.Null(context.TryAccept());

        // What needs no private key goes on.
        await begun.Client.WriteAsync(new byte[100]);
        ReadOnlySequence<byte> received = await begun.TakeReceivedAsync();
        Assert.Equal(TlsStatus.Done, begun.Tls.Read(ref received, new ArrayBufferWriter<byte>(), new byte[1000], out int count));
        Assert.Equal(100, count);
    }

    private static string[] Split(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A connection and its client, joined by pipes.</summary>
    private sealed class Server : IDisposable
    {
        private readonly Pipe _received = new(new PipeOptions(pauseWriterThreshold: 0));
        private readonly Pipe _sent = new(new PipeOptions(pauseWriterThreshold: 0));

        public Server(TlsServerContext context)
        {
            Tls = context.Accept();
            Client = new SslStream(new PipesStream(_sent.Reader.AsStream(), _received.Writer.AsStream()));
        }

        public TlsServerConnection Tls { get; }

        public SslStream Client { get; }

        public TlsStatus Status { get; private set; }

        public bool IsErrorQueueEmpty { get; private set; }

        public async Task HandshakeAsync(SslProtocols version, string suite, string[]? protocols = null)
        {
            Task client = Client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = version,
                CipherSuitesPolicy = suite.Length == 0 ? null : new CipherSuitesPolicy([Enum.Parse<TlsCipherSuite>(suite)]),
                ApplicationProtocols = [.. (protocols ?? []).Select(static name => new SslApplicationProtocol(name))],
                RemoteCertificateValidationCallback = static (_, shown, _, _) => shown!.Subject == "CN=localhost",
            });
            do
            {
                ReadResult result = await _received.Reader.ReadAsync().AsTask().WaitAsync(TlsPair.Patience);
                ReadOnlySequence<byte> left = result.Buffer;
                Status = Tls.Handshake(ref left, _sent.Writer);
                IsErrorQueueEmpty = Libcrypto.ERR_peek_error() == 0;
                _received.Reader.AdvanceTo(left.Start);
                await _sent.Writer.FlushAsync();
            }
            while (Status == TlsStatus.WantRead);
            await client.WaitAsync(TlsPair.Patience);
        }

        public async Task<ReadOnlySequence<byte>> TakeReceivedAsync()
        {
            ReadResult result = await _received.Reader.ReadAsync();
            return new ReadOnlySequence<byte>(result.Buffer.ToArray());
        }

        public void Dispose()
        {
            Tls.Dispose();
            Client.Dispose();
        }
    }
}
