using System.Net;
using System.Net.Sockets;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>Who is let in when there are many, and how long those may stay who do nothing.</summary>
public sealed class AdmissionTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("MaxConnections", "listener")]
    [InlineData("MaxConnectionsPerAddress", "address")]
    public async Task One_connection_too_many_is_reset_and_room_is_made_by_one_that_ends(string limit, string reason)
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Ecdsa();
        (ProxyProcess proxy, Uri url) = await StartAsync(scenario, certificate, $"\"{limit}\": 2");
        var client = new TlsClient(url, certificate.Root);
        using Socket first = await ConnectAsync(url);
        using (Socket second = await ConnectAsync(url))
        {
            await CountedAsync(proxy, 2);
            await IsResetAsync(url);
            ConnectionStatus status = (await proxy.StatusAsync()).Connections;
            Assert.True(status.Refused[reason] >= 1);
            Assert.Equal((2, 2, 2), (status.Open, status.Handshaking, status.Listeners[1].Open));
        }

        await CountedAsync(proxy, 1);
        await client.GetAsync();
        first.Dispose();
        await CountedAsync(proxy, 0);
        Assert.Equal(0, (await proxy.StatusAsync()).Connections.Tls);
    }

    [Fact]
    public async Task Behind_a_load_balancer_clients_are_counted_by_their_own_addresses()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Ecdsa();
        (ProxyProcess proxy, Uri url) = await StartAsync(
            scenario, certificate, "\"MaxConnectionsPerAddress\": 1, \"ProxyProtocol\": \"required\", \"ProxyProtocolFrom\": [ \"127.0.0.1\" ]");
        using Socket first = await ConnectAsync(url);
        await SayAsync(first, "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n");
        using Socket other = await ConnectAsync(url);
        await SayAsync(other, "PROXY TCP4 192.0.2.2 198.51.100.7 56325 443\r\n");
        await Eventually.TrueAsync(
            "two addresses have a connection", async () => (await proxy.StatusAsync()).Connections.Listeners[1].Addresses == 2, Patience);
        using Socket same = await ConnectAsync(url);
        await SayAsync(same, "PROXY TCP4 192.0.2.1 198.51.100.7 56326 443\r\n");
        Assert.True(await EndsWithResetAsync(same));
        Assert.Equal(1, (await proxy.StatusAsync()).Connections.Refused["address"]);
        await CountedAsync(proxy, 2);        // a connection is counted off a moment after its reset was sent
    }

    [Fact]
    public async Task Crowd_that_connects_and_says_nothing_keeps_nobody_out()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Ecdsa();
        (ProxyProcess proxy, Uri url) = await StartAsync(
            scenario, certificate, "", "\"Tls\": { \"MaxHandshakes\": 4, \"ClientHelloTimeout\": \"00:05:00\", \"HandshakeTimeout\": \"00:05:00\" }");
        List<Socket> crowd = [];
        for (int i = 0; i < 20; i++)
        {
            try
            {
                crowd.Add(await ConnectAsync(url));
                await TrySayAsync(crowd[^1], new byte[] { 22, 3, 1 }.AsMemory(0, i % 4));
            }
            catch (SocketException)
            {
                // Refused at once: nobody before has waited long.
            }
        }

        await Eventually.TrueAsync("a client is served", async () => await IsServedAsync(url, certificate), Patience);
        ConnectionStatus status = (await proxy.StatusAsync()).Connections;
        Assert.True(status.Refused["evicted"] >= 1);
        Assert.InRange(status.Handshaking, 0, 4);
        crowd.ForEach(static socket => socket.Dispose());
        await CountedAsync(proxy, 0);
    }

    [Theory]
    [InlineData(0)]         // nothing
    [InlineData(1)]         // one byte after the other, never all
    public async Task Client_that_is_slow_with_its_ClientHello_is_reset(int bytes)
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Ecdsa();
        (ProxyProcess proxy, Uri url) = await StartAsync(scenario, certificate, "", "\"Tls\": { \"ClientHelloTimeout\": \"00:00:00.5\" }");
        using Socket client = await ConnectAsync(url);
        byte[] hello = new RawHello().ToRecord();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        Task<bool> end = EndsWithResetAsync(client);
        bool isReset = false;
        for (int i = 0; i < hello.Length - 1 && !end.IsCompleted && bytes > 0; i++)
        {
            isReset |= !await TrySayAsync(client, hello.AsMemory(i, bytes));
            await timer.WaitForNextTickAsync();
        }

        // One of the two is told of the reset; after the sender was, the reader sees an end.
        Assert.True(await end || isReset);
        Assert.Equal((1, 0), await TimeoutsAsync(proxy));
        await CountedAsync(proxy, 0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Client_that_is_slow_with_its_second_flight_is_reset(int bytes)
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        (ProxyProcess proxy, Uri url) = await StartAsync(scenario, certificate, "", "\"Tls\": { \"HandshakeTimeout\": \"00:00:00.5\" }");
        using Socket client = await ConnectAsync(url);
        await client.SendAsync(new RawHello().ToRecord());
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        Task<bool> end = EndsWithResetAsync(client);
        bool isReset = false;
        for (int i = 0; i < 1000 && !end.IsCompleted && bytes > 0; i++)
        {
            // A ClientKeyExchange of 2,000 bytes, one at a time.
            byte[] start = [22, 3, 3, 7, 212, 16, 0, 7, 208];
            isReset |= !await TrySayAsync(client, new[] { i < start.Length ? start[i] : (byte)1 });
            await timer.WaitForNextTickAsync();
        }

        // One of the two is told of the reset; after the sender was, the reader sees an end.
        Assert.True(await end || isReset);
        Assert.Equal((0, 1), await TimeoutsAsync(proxy));
        await Eventually.TrueAsync("nothing is left", async () => (await proxy.StatusAsync()) is { Leaks: { LanesBusy: 0, OperationsInFlight: 0 }, Connections: { Tls: 0, Open: 0 } });
    }

    [Fact]
    public async Task Connection_of_HTTP_that_rests_too_long_is_closed()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Ecdsa();
        (ProxyProcess proxy, Uri url) = await StartAsync(scenario, certificate, "", "\"Limits\": { \"KeepAliveTimeout\": \"00:00:01\", \"RequestHeadersTimeout\": \"00:00:01\" }");
        foreach (string text in new[] { "", "GET / HTTP/1.1\r\nHost: ", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" })
        {
            using Socket socket = await ConnectAsync(url);

            // The time to rest begins when the handshake ends: who came with the first bytes a second after that would be too late.
            await using var joined = new JoinedStream(new NetworkStream(socket));
            await using var tls = new System.Net.Security.SslStream(joined);
            await tls.AuthenticateAsClientAsync(new System.Net.Security.SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls13,
                RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.GetRawCertData().AsSpan().SequenceEqual(certificate.Certificate.RawData),
            });
            if (text.Length > 0)
            {
                await tls.WriteAsync(System.Text.Encoding.ASCII.GetBytes(text));
            }

            await joined.ReleaseAsync();
            using var answer = new StringWriter();
            byte[] buffer = new byte[4096];
            while (await tls.ReadAsync(buffer).AsTask().WaitAsync(Patience) is > 0 and int count)
            {
                answer.Write(System.Text.Encoding.ASCII.GetString(buffer, 0, count));
            }

            Assert.Contains(text.Length == 0 ? "" : text.EndsWith("\r\n\r\n", StringComparison.Ordinal) ? "HTTP/1.1 200" : "HTTP/1.1 408", answer.ToString(), StringComparison.Ordinal);
        }

        await CountedAsync(proxy, 0);
    }

    private static async Task<(ProxyProcess Proxy, Uri Url)> StartAsync(Scenario scenario, TestCertificate certificate, string listener, string sections = "")
    {
        string comma = listener.Length > 0 ? "," : "";
        string config = scenario.Write("proxy.json", $$"""
            {
              "Listeners": { "a": { "Url": "https://127.0.0.1:0"{{comma}} {{listener}} } }{{(sections.Length > 0 ? "," : "")}}
              {{sections}}
            }
            """);

        // The environment is stronger than the file: of the limits of handshakes it has those that the test does not set.
        var environment = ProxyProcess.LongDeadline.Where(one => !sections.Contains(one.Key.Split("__")[^1], StringComparison.Ordinal)).ToDictionary();
        ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, [.. certificate.WriteTo(scenario), "--config", config], environment);
        return (proxy, (await Listeners.OfAsync(proxy, 1))[0]);
    }

    private static async Task<Socket> ConnectAsync(Uri url)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Parse(url.Host), url.Port).WaitAsync(Patience);
        return socket;
    }

    private static Task CountedAsync(ProxyProcess proxy, int count) =>
        Eventually.TrueAsync($"{count} connections are counted", async () => (await proxy.StatusAsync()).Connections.Open == count, Patience);

    private static async Task IsResetAsync(Uri url)
    {
        try
        {
            using Socket socket = await ConnectAsync(url);
            Assert.True(await EndsWithResetAsync(socket));
        }
        catch (SocketException exception)
        {
            // The reset was faster than the end of the connect.
            Assert.Equal(SocketError.ConnectionReset, exception.SocketErrorCode);
        }
    }

    /// <summary>Whether the connection ends with a reset, whatever comes before; false with an orderly end.</summary>
    private static async Task<bool> EndsWithResetAsync(Socket socket)
    {
        byte[] buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer).WaitAsync(Patience) > 0)
            {
            }

            return false;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.ConnectionReset)
        {
            return true;
        }
    }

    private static async Task<bool> IsServedAsync(Uri url, TestCertificate certificate)
    {
        try
        {
            await new TlsClient(url, certificate.Root).GetAsync();
            return true;
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            return false;
        }
    }

    private static Task<int> SayAsync(Socket socket, string text) => socket.SendAsync(System.Text.Encoding.ASCII.GetBytes(text));

    /// <summary>False: the connection was reset. It may have ended before, too.</summary>
    private static async Task<bool> TrySayAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await socket.SendAsync(bytes);
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode != SocketError.ConnectionReset;
        }

        return true;
    }

    private static async Task<(long Hello, long Handshake)> TimeoutsAsync(ProxyProcess proxy)
    {
        HandshakeStatus status = (await proxy.StatusAsync()).Handshakes;
        return (status.ClientHelloTimeout, status.Timeout);
    }
}
