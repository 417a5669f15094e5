using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using WarpDrive.Driver;

namespace WarpProxy.Tests.Unit.OpenSsl;

[Collection(ProviderTests.Name)]
public sealed class TlsHandshakeTests
{
    [Theory]
    [InlineData(SslProtocols.Tls13, null, 2048)]
    [InlineData(SslProtocols.Tls13, null, 3072)]
    [InlineData(SslProtocols.Tls12, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, 2048)]
    [InlineData(SslProtocols.Tls12, TlsCipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256, 2048)]
    [InlineData(SslProtocols.Tls12, TlsCipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256, 4096)]
    public async Task Handshake_takes_one_private_key_operation_and_carries_data(SslProtocols protocol, TlsCipherSuite? suite, int bits)
    {
        using Attached attached = new(bits);
        using SslStreamPair pair = await SslStreamPair.ConnectAsync();
        CipherSuitesPolicy? policy = suite is null ? null : new([suite.Value]);

        Task server = pair.Server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificate = attached.Certificate,
            EnabledSslProtocols = protocol,
            CipherSuitesPolicy = policy,
        });
        SslClientAuthenticationOptions options = Trusting(attached);
        options.EnabledSslProtocols = protocol;
        options.CipherSuitesPolicy = policy;
        Task client = pair.Client.AuthenticateAsClientAsync(options);
        await Task.WhenAll(server, client);
        await pair.Client.WriteAsync(new byte[] { 42 });
        byte[] received = new byte[1];
        await pair.Server.ReadExactlyAsync(received);

        Assert.Equal(42, received[0]);
        Assert.Equal(protocol, pair.Server.SslProtocol);
        Assert.True(suite is null || pair.Server.NegotiatedCipherSuite == suite);
        Assert.Equal(1, attached.Counters.Snapshot().Software);
    }

    [Fact]
    public async Task Failed_operation_fails_its_handshake_and_not_the_next()
    {
        bool isFailing = true;
        using Attached attached = new(
            2048, (_, _) => isFailing ? throw new InvalidOperationException("the device is on fire") : AcceleratorError.Busy);
        using (SslStreamPair pair = await SslStreamPair.ConnectAsync())
        {
            Task client = pair.Client.AuthenticateAsClientAsync(Trusting(attached));
            await Assert.ThrowsAsync<AuthenticationException>(() => pair.Server.AuthenticateAsServerAsync(attached.Certificate));
            pair.Server.Dispose();
            await Assert.ThrowsAnyAsync<Exception>(() => client);
        }

        isFailing = false;
        using SslStreamPair next = await SslStreamPair.ConnectAsync();
        await Task.WhenAll(
            next.Server.AuthenticateAsServerAsync(attached.Certificate), next.Client.AuthenticateAsClientAsync(Trusting(attached)));

        Assert.True(next.Server.IsAuthenticated);
        Assert.Equal(1, attached.Counters.Snapshot().Fallback[AcceleratorError.Busy]);
    }

    private static SslClientAuthenticationOptions Trusting(Attached attached) => new()
    {
        TargetHost = "localhost",
        RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            certificate!.GetRawCertData().AsSpan().SequenceEqual(attached.Certificate.RawData),
    };

    private sealed class SslStreamPair : IDisposable
    {
        private SslStreamPair(Socket server, Socket client)
        {
            Server = new SslStream(new NetworkStream(server, ownsSocket: true));
            Client = new SslStream(new NetworkStream(client, ownsSocket: true));
        }

        public SslStream Server { get; }

        public SslStream Client { get; }

        public static async Task<SslStreamPair> ConnectAsync()
        {
            using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen(1);
            Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            Task<Socket> accept = listener.AcceptAsync();
            await client.ConnectAsync(listener.LocalEndPoint!);
            return new SslStreamPair(await accept, client);
        }

        public void Dispose()
        {
            Client.Dispose();
            Server.Dispose();
        }
    }
}
