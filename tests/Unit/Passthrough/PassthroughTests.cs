using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using WarpProxy.Admin;
using WarpProxy.Configuration;
using WarpProxy.Hosting;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.Passthrough;

/// <summary>Connections through a whole proxy to an upstream that is a socket of the test: what arrives is compared byte by byte.</summary>
public sealed class PassthroughTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly byte[] Hello = HelloBytes.Records(HelloBytes.Message(HelloBytes.Versions, HelloBytes.ServerName("Legacy.Example")));

    private readonly PemFolder _folder = new();
    private readonly TcpListener _upstream = new(IPAddress.Loopback, 0);
    private readonly ManualTime _time = new();

    public PassthroughTests() => _upstream.Start();

    private int UpstreamPort => ((IPEndPoint)_upstream.LocalEndpoint).Port;

    public void Dispose()
    {
        _upstream.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(16 * 1024)]
    [InlineData(10)]        // in 9 records
    public async Task Hello_and_all_that_follows_arrives_untouched_and_the_answer_too(int recordBytes)
    {
        byte[] hello = HelloBytes.Records(HelloBytes.Message(HelloBytes.Versions, HelloBytes.ServerName("a.wild.example")), recordBytes);
        await using ProxyServer server = await StartAsync();
        using Socket client = await ConnectAsync(server);
        await client.SendAsync(hello);
        using Socket upstream = await AcceptAsync();
        byte[] more = RandomNumberGenerator.GetBytes(3_000_000);
        byte[] answer = RandomNumberGenerator.GetBytes(5_000_000);
        Task<byte[]> back = ReceiveAsync(client, answer.Length);
        Task<byte[]> there = ReceiveAsync(upstream, hello.Length + more.Length);
        await Task.WhenAll(SendAsync(client, more), SendAsync(upstream, answer)).WaitAsync(Patience);
        byte[] sent = [.. hello, .. more];
        Assert.Equal(sent, await there);
        Assert.Equal(answer, await back);

        client.Shutdown(SocketShutdown.Both);
        upstream.Shutdown(SocketShutdown.Both);
        PassthroughStatus status = await WaitUntilClosedAsync(server);
        Assert.Equal((1, 0, hello.Length + more.Length, answer.Length), (status.Opened, status.Failed, status.BytesToUpstream, status.BytesToClient));
    }

    [Fact]
    public async Task Client_may_end_its_direction_and_still_be_answered()
    {
        await using ProxyServer server = await StartAsync();
        (Socket client, Socket upstream) = await OpenAsync(server);
        using (client)
        using (upstream)
        {
            client.Shutdown(SocketShutdown.Send);
            Assert.Empty(await ReceiveToEndAsync(upstream));
            byte[] answer = RandomNumberGenerator.GetBytes(1_000_000);
            Task<byte[]> back = ReceiveToEndAsync(client);
            await SendAsync(upstream, answer);
            upstream.Shutdown(SocketShutdown.Send);
            Assert.Equal(answer, await back);
        }

        Assert.Equal(0, (await WaitUntilClosedAsync(server)).Failed);
    }

    [Fact]
    public async Task Upstream_may_end_its_direction_and_still_be_sent_to()
    {
        await using ProxyServer server = await StartAsync();
        (Socket client, Socket upstream) = await OpenAsync(server);
        using (client)
        using (upstream)
        {
            upstream.Shutdown(SocketShutdown.Send);
            Assert.Empty(await ReceiveToEndAsync(client));
            byte[] more = RandomNumberGenerator.GetBytes(1_000_000);
            Task<byte[]> there = ReceiveToEndAsync(upstream);
            await SendAsync(client, more);
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal(more, await there);
        }

        Assert.Equal(0, (await WaitUntilClosedAsync(server)).Failed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Reset_of_one_side_resets_the_other(bool isClient)
    {
        await using ProxyServer server = await StartAsync();
        (Socket client, Socket upstream) = await OpenAsync(server);
        using (client)
        using (upstream)
        {
            (isClient ? client : upstream).Close(0);
            SocketException reset = await Assert.ThrowsAsync<SocketException>(() => ReceiveToEndAsync(isClient ? upstream : client));
            Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
        }

        Assert.Equal(1, (await WaitUntilClosedAsync(server)).Failed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Side_that_reads_nothing_holds_the_other_up(bool isUpload)
    {
        await using ProxyServer server = await StartAsync();
        (Socket client, Socket upstream) = await OpenAsync(server);
        using (client)
        using (upstream)
        {
            (Socket from, Socket to) = isUpload ? (client, upstream) : (upstream, client);
            const int Most = 200_000_000;
            byte[] part = new byte[100_000];
            int sent = 0;

            // Buffers of sockets and of the proxy fill up; then nothing more is taken.
            from.Blocking = false;
            for (int refusals = 0; refusals < 100 && sent < Most;)
            {
                try
                {
                    sent += from.Send(part);
                    refusals = 0;
                }
                catch (SocketException exception) when (exception.SocketErrorCode == SocketError.WouldBlock)
                {
                    refusals++;
                    await Task.Run(() => from.Poll(TimeSpan.FromMilliseconds(10), SelectMode.SelectWrite));
                }
            }

            Assert.InRange(sent, 1, Most / 2);
            from.Shutdown(SocketShutdown.Send);
            Assert.Equal(sent, (await ReceiveToEndAsync(to)).Length);
        }
    }

    [Fact]
    public async Task Upstream_that_is_down_is_told_by_an_alert_and_counted()
    {
        // A port that somebody has and nobody listens on.
        using var down = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        down.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using ProxyServer server = await StartAsync(("Listeners:public:Passthrough:legacy:Upstream", down.LocalEndPoint!.ToString()!));
        using Socket client = await ConnectAsync(server);
        await client.SendAsync(Hello);
        Assert.Equal([21, 3, 1, 0, 2, 2, 80], await ReceiveToEndAsync(client));     // internal_error
        PassthroughStatus status = server.ReadStatus().Passthrough[0];
        Assert.Equal((1, 0, 0, 0), (status.ConnectFailed, status.ConnectTimeout, status.Opened, status.Open));
    }

    [Fact]
    public async Task Upstream_whose_name_does_not_exist_is_told_by_an_alert_and_counted()
    {
        await using ProxyServer server = await StartAsync(("Listeners:public:Passthrough:legacy:Upstream", "no-such-host.invalid:443"));
        using Socket client = await ConnectAsync(server);
        await client.SendAsync(Hello);
        Assert.Equal([21, 3, 1, 0, 2, 2, 80], await ReceiveToEndAsync(client));
        Assert.Equal(1, server.ReadStatus().Passthrough[0].ConnectFailed);
    }

    [Fact]
    public async Task Connection_without_a_byte_either_way_ends_at_its_limit_and_not_before()
    {
        await using ProxyServer server = await StartAsync(("Listeners:public:Passthrough:legacy:IdleTimeout", "00:01:00"));
        (Socket client, Socket upstream) = await OpenAsync(server);
        using (client)
        using (upstream)
        {
            int passed = Hello.Length;
            await PassAsync(upstream, client);
            _time.Advance(TimeSpan.FromSeconds(59));
            await PassAsync(client, upstream);
            _time.Advance(TimeSpan.FromSeconds(59));
            await PassAsync(upstream, client);
            Assert.Equal(1, server.ReadStatus().Passthrough[0].Open);
            _time.Advance(TimeSpan.FromSeconds(60));
            await Assert.ThrowsAsync<SocketException>(() => ReceiveToEndAsync(client));
            await Assert.ThrowsAsync<SocketException>(() => ReceiveToEndAsync(upstream));

            // Who has a byte has it a moment before the proxy has noted that it passed it on, and when.
            async Task PassAsync(Socket from, Socket to)
            {
                await SayAsync(from, to);
                passed++;
                Assert.True(await Task.Run(() => SpinWait.SpinUntil(
                    () => server.ReadStatus().Passthrough[0] is var status && status.BytesToUpstream + status.BytesToClient == passed, Patience)));
            }
        }

        PassthroughStatus status = await WaitUntilClosedAsync(server);
        Assert.Equal((1, 0), (status.IdleTimeout, status.Failed));
    }

    [Fact]
    public async Task Other_names_and_none_are_terminated_here()
    {
        await using ProxyServer server = await StartAsync();
        foreach (byte[] extension in new[] { HelloBytes.ServerName("localhost"), HelloBytes.ServerName("a.b.wild.example"), HelloBytes.Versions })
        {
            using Socket client = await ConnectAsync(server);

            // OpenSSL does not like these few extensions; what counts is that it is OpenSSL who says so.
            await client.SendAsync(HelloBytes.Records(HelloBytes.Message(extension)));
            byte[] answer = await ReceiveToEndAsync(client);
            Assert.Equal((21, 7), (answer[0], answer.Length));
        }

        Assert.All(server.ReadStatus().Passthrough, status => Assert.Equal((0, 0), (status.Opened, status.ConnectFailed)));
    }

    [Theory]
    [InlineData(false, "127.0.0.1")]
    [InlineData(true, "192.0.2.1")]
    public async Task Upstream_is_sent_the_address_of_the_client(bool isProxied, string address)
    {
        List<(string, string)> settings = [("Listeners:public:Passthrough:legacy:SendProxyProtocol", "true")];
        if (isProxied)
        {
            settings.Add(("Listeners:public:ProxyProtocol", "required"));
            settings.Add(("Listeners:public:ProxyProtocolFrom:0", "127.0.0.0/8"));
        }

        await using ProxyServer server = await StartAsync([.. settings]);
        using Socket client = await ConnectAsync(server);
        byte[] header = isProxied ? "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"u8.ToArray() : [];
        await client.SendAsync((byte[])[.. header, .. Hello]);
        using Socket upstream = await AcceptAsync();
        byte[] received = await ReceiveAsync(upstream, 28 + Hello.Length);
        byte[] expected = [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0, 12, .. IPAddress.Parse(address).GetAddressBytes()];
        Assert.Equal(expected, received[..20]);
        Assert.Equal(Hello, received[28..]);
        Assert.Equal(isProxied ? 1 : 0, server.ReadStatus().ProxyProtocol.Proxied);
    }

    [Fact]
    public async Task Drain_waits_for_the_connection_and_its_bytes()
    {
        await using ProxyServer server = await StartAsync();
        (Socket client, Socket upstream) = await OpenAsync(server);
        using (client)
        using (upstream)
        {
            Task drained = server.DrainAsync();
            await SayAsync(client, upstream);
            await SayAsync(upstream, client);
            Assert.False(drained.IsCompleted);
            client.Shutdown(SocketShutdown.Send);
            upstream.Shutdown(SocketShutdown.Send);
            await drained.WaitAsync(Patience);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connection_that_outlasts_the_drain_is_cut_off(bool isHalfClosed)
    {
        await using ProxyServer server = await StartAsync(("Shutdown:Drain", "00:00:01"));
        (Socket client, Socket upstream) = await OpenAsync(server);
        using (client)
        using (upstream)
        {
            if (isHalfClosed)
            {
                client.Shutdown(SocketShutdown.Send);
                Assert.Empty(await ReceiveToEndAsync(upstream));
            }

            Task drained = server.DrainAsync();
            _time.Advance(TimeSpan.FromSeconds(1));
            await drained.WaitAsync(Patience);
            await server.DisposeAsync();        // a second time at the end, which does nothing more
            await Assert.ThrowsAsync<SocketException>(async () =>
            {
                await ReceiveToEndAsync(upstream);
                await upstream.SendAsync(new byte[1]);
                await ReceiveToEndAsync(upstream);
                await upstream.SendAsync(new byte[1]);
            });
        }
    }

    private async Task<ProxyServer> StartAsync(params (string Setting, string Value)[] settings)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using System.Security.Cryptography.X509Certificates.X509Certificate2 certificate = PemFolder.Sign(key);
        var all = new Dictionary<string, string?>
        {
            ["Listeners:public:Url"] = "https://127.0.0.1:0",
            ["Listeners:public:Passthrough:legacy:Names:0"] = "legacy.example",
            ["Listeners:public:Passthrough:legacy:Names:1"] = "*.wild.example",
            ["Listeners:public:Passthrough:legacy:Upstream"] = $"127.0.0.1:{UpstreamPort}",
            ["Server:Admin"] = "http://127.0.0.1:0",
            ["Certificate:File"] = _folder.Write(Path.GetRandomFileName(), certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem()),
            ["Offload:Devices:0"] = "none",
            ["Logging:LogLevel:Default"] = "None",
        };
        foreach ((string setting, string value) in settings)
        {
            all[setting] = value;
        }

        IConfigurationRoot configuration = ConfigurationSources.Load(null, all);
        return await ProxyServer.StartAsync(configuration, ProxyOptions.Read(configuration), _time);
    }

    private async Task<(Socket Client, Socket Upstream)> OpenAsync(ProxyServer server)
    {
        Socket client = await ConnectAsync(server);
        await client.SendAsync(Hello);
        Socket upstream = await AcceptAsync();
        Assert.Equal(Hello, await ReceiveAsync(upstream, Hello.Length));
        return (client, upstream);
    }

    private static async Task<Socket> ConnectAsync(ProxyServer server)
    {
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.Loopback, new Uri(server.Urls.First()).Port);
        return client;
    }

    private async Task<Socket> AcceptAsync() => await _upstream.AcceptSocketAsync().WaitAsync(Patience);

    private static async Task SayAsync(Socket from, Socket to)
    {
        await from.SendAsync(new byte[] { 7 });
        Assert.Equal([7], await ReceiveAsync(to, 1));
    }

    private static async Task SendAsync(Socket socket, byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += await socket.SendAsync(bytes.AsMemory(sent));
        }
    }

    private static async Task<byte[]> ReceiveAsync(Socket socket, int length)
    {
        byte[] bytes = new byte[length];
        for (int received = 0; received < length;)
        {
            int count = await socket.ReceiveAsync(bytes.AsMemory(received)).AsTask().WaitAsync(Patience);
            Assert.True(count > 0, $"ended after {received} of {length} bytes");
            received += count;
        }

        return bytes;
    }

    private static async Task<byte[]> ReceiveToEndAsync(Socket socket)
    {
        socket.Blocking = true;
        using var bytes = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        int count;
        while ((count = await socket.ReceiveAsync(buffer.AsMemory()).AsTask().WaitAsync(Patience)) > 0)
        {
            bytes.Write(buffer, 0, count);
        }

        return bytes.ToArray();
    }

    private static async Task<PassthroughStatus> WaitUntilClosedAsync(ProxyServer server)
    {
        await Task.Run(() => SpinWait.SpinUntil(() => server.ReadStatus().Passthrough[0].Open == 0, Patience));
        PassthroughStatus status = server.ReadStatus().Passthrough[0];
        Assert.Equal(0, status.Open);
        return status;
    }
}
