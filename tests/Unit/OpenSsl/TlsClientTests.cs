using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.Linux;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Tests.Unit.LoadTest;

namespace WarpProxy.Tests.Unit.OpenSsl;

/// <summary>Connections of libssl against SslStream.</summary>
public sealed class TlsClientTests
{
    private static readonly TlsServerName Localhost = new("localhost");

    [Theory]
    [InlineData(TlsVersion.Tls12)]
    [InlineData(TlsVersion.Tls13)]
    public async Task One_object_is_used_for_connection_after_connection(TlsVersion version)
    {
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        await using LoopbackServer server = Echo(certificate);
        using var context = new TlsClientContext(new TlsClientOptions { LowestVersion = version, HighestVersion = version });
        using var client = new Client(server.Address);
        for (int i = 1; i <= 3; i++)
        {
            client.Connect(context);
            Assert.Equal(TlsStatus.Done, client.Handshake());
            Assert.Equal(version, client.Tls.Version);
            Assert.Equal(("EC", 256), client.Tls.PeerKey);
            Assert.False(client.Tls.IsResumed);
            Assert.Equal([(byte)i, 2, 3], client.Exchange([(byte)i, 2, 3]));
            Assert.Equal(TlsStatus.Done, client.Tls.Shutdown());
            Assert.Equal(TlsStatus.Closed, client.ReadToEnd());
        }

        Assert.Equal(3, server.Connections);
    }

    [Theory]
    [InlineData(TlsVersion.Tls12)]
    [InlineData(TlsVersion.Tls13)]
    public async Task Saved_session_is_resumed_again_and_again(TlsVersion version)
    {
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        await using LoopbackServer server = Echo(certificate);
        using var context = new TlsClientContext(new TlsClientOptions { LowestVersion = version, HighestVersion = version });
        using var client = new Client(server.Address);
        using var session = new TlsSession();
        Assert.False(session.IsResumable);
        for (int i = 0; i < 4; i++)
        {
            client.Connect(context, session);
            Assert.Equal(TlsStatus.Done, client.Handshake());
            Assert.Equal(i > 0, client.Tls.IsResumed);
            client.Exchange([1]);
            client.Tls.Shutdown();
            client.ReadToEnd();
            Assert.True(client.Tls.SaveSession(session));
            client.Tls.End();
            Assert.True(session.IsResumable);
        }
    }

    [Fact]
    public async Task Session_of_a_connection_that_was_cut_is_not_offered_again()
    {
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        await using LoopbackServer server = Echo(certificate);
        using var context = new TlsClientContext(new TlsClientOptions { HighestVersion = TlsVersion.Tls12 });
        using var client = new Client(server.Address);
        using var session = new TlsSession();
        client.Connect(context, session);
        client.Handshake();
        Assert.True(client.Tls.SaveSession(session));
        client.Tls.End(); // without close_notify
        Assert.False(session.IsResumable);
        client.Connect(context, session);
        Assert.Equal(TlsStatus.Done, client.Handshake());
        Assert.False(client.Tls.IsResumed);
    }

    [Fact]
    public async Task Application_protocol_is_agreed_on()
    {
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        await using var server = LoopbackServer.Raw(async (socket, token) =>
        {
            await using var tls = new SslStream(new NetworkStream(socket));
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions { ServerCertificate = certificate, ApplicationProtocols = [SslApplicationProtocol.Http11] }, token);
            await LoopbackServer.ReadToEndAsync(tls, token);
        });
        using var context = new TlsClientContext(new TlsClientOptions { ApplicationProtocols = ["h2", "http/1.1"] });
        using var client = new Client(server.Address);
        client.Connect(context);
        Assert.Equal(TlsStatus.Done, client.Handshake());
        Assert.Equal("http/1.1", client.Tls.ApplicationProtocol);
    }

    [Fact]
    public async Task Failure_leaves_the_error_queue_empty_and_the_object_usable()
    {
        using X509Certificate2 certificate = LoopbackServer.CreateCertificate();
        await using var server = LoopbackServer.Tls(certificate, SslProtocols.Tls12, LoopbackServer.ReadToEndAsync);
        using var refused = new TlsClientContext(new TlsClientOptions { LowestVersion = TlsVersion.Tls13 });
        using var accepted = new TlsClientContext(new TlsClientOptions());
        using var client = new Client(server.Address);
        client.Connect(refused);
        Assert.Equal(TlsStatus.Failed, client.Handshake());
        Assert.Equal(new TlsFailure(TlsFailureKind.Alert, 70), client.Tls.Failure);
        Assert.Equal("TLS alert protocol_version", client.Tls.Failure.ToString());
        Assert.Equal((nuint)0, Libcrypto.ERR_peek_error());
        client.Connect(accepted);
        Assert.Equal(TlsStatus.Done, client.Handshake());
        Assert.Equal(default, client.Tls.Failure);
    }

    [Theory]
    [InlineData("https://x")]
    [InlineData("")]
    [InlineData("a\0b")]
    [InlineData("a b")]
    public void Name_that_is_none_is_refused(string name)
    {
        Assert.Throws<ArgumentException>(() => new TlsServerName(name));
    }

    [Theory]
    [InlineData("bücher.example", "xn--bcher-kva.example", false)]
    [InlineData("127.0.0.1", "127.0.0.1", true)]
    [InlineData("::1", "::1", true)]
    public void Name_is_ascii_or_an_address(string name, string ascii, bool isAddress)
    {
        var parsed = new TlsServerName(name);
        Assert.Equal((ascii, isAddress), (parsed.Name, parsed.IsAddress));
    }

    [Fact]
    public void Trusted_file_that_holds_no_certificate_is_refused()
    {
        OpenSslException refusal = Assert.Throws<OpenSslException>(() => new TlsClientContext(new TlsClientOptions { TrustedFile = "/dev/null" }));
        Assert.StartsWith("OpenSSL cannot read certificates from '/dev/null': ", refusal.Message, StringComparison.Ordinal);
        Assert.Equal((nuint)0, Libcrypto.ERR_peek_error());
    }

    private static LoopbackServer Echo(X509Certificate2 certificate) => LoopbackServer.Tls(certificate, SslProtocols.None, async (tls, token) =>
    {
        byte[] buffer = new byte[64];
        int count;
        while ((count = await tls.ReadAsync(buffer, token)) > 0)
        {
            await tls.WriteAsync(buffer.AsMemory(0, count), token);
        }
    });

    /// <summary>Waits where the connection would.</summary>
    private sealed class Client(IPEndPoint address) : IDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

        private readonly TcpSocket _socket = new();
        private readonly byte[] _buffer = new byte[4096];
        private SocketPoller _poller = new();

        public TlsClientConnection Tls { get; } = new();

        public void Connect(TlsClientContext context, TlsSession? session = null)
        {
            Assert.Equal(0, _socket.Connect(address.Serialize()));
            _poller.Dispose();
            _poller = new SocketPoller();
            _poller.Add(_socket, 1);
            context.Connect(Tls, _socket, Localhost, session);
        }

        public TlsStatus Handshake() => Until(() => Tls.Handshake());

        public byte[] Exchange(byte[] data)
        {
            Assert.Equal(TlsStatus.Done, Until(() => Tls.Write(data, out _)));
            int count = 0;
            Assert.Equal(TlsStatus.Done, Until(() => Tls.Read(_buffer, out count)));
            return _buffer[..count];
        }

        public TlsStatus ReadToEnd()
        {
            TlsStatus status;
            do
            {
                status = Until(() => Tls.Read(_buffer, out _));
            }
            while (status == TlsStatus.Done);
            return status;
        }

        public void Dispose()
        {
            Tls.Dispose();
            _socket.Dispose();
            _poller.Dispose();
        }

        private TlsStatus Until(Func<TlsStatus> step)
        {
            var events = new SocketEvent[1];
            while (true)
            {
                TlsStatus status = step();
                if (status is not (TlsStatus.WantRead or TlsStatus.WantWrite))
                {
                    return status;
                }

                Assert.True(_poller.Wait(events, Patience) > 0, $"{status} for {Patience}");
            }
        }
    }
}
