using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>Listeners behind load balancers: curl as one, and haproxy.</summary>
public sealed class ProxyProtocolTests(ITestOutputHelper output)
{
    private const string HaProxy = "/usr/sbin/haproxy";

    [DebianPackageTheory("curl", Tool.Curl)]
    [InlineData(0, "--http1.1")]
    [InlineData(0, "--http2")]
    [InlineData(1, "--http1.1")]
    public async Task Upstream_learns_the_address_that_curl_tells(int listener, string http)
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        (ProxyProcess proxy, Uri[] urls) = await StartAsync(scenario, upstream, certificate, "127.0.0.0/8");

        // curl tells its own address; that it came through the header is what the counter says.
        ToolResult result = await Tool.RunAsync(
            Tool.Curl,
            ["--silent", "--show-error", "--haproxy-protocol", http, "--cacert", scenario.File("root.pem"), new Uri(urls[listener], "/headers").ToString()]);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("X-Forwarded-For: 127.0.0.1", result.Output, StringComparison.Ordinal);
        Assert.Equal((1, 0, 0), await ReadCountsAsync(proxy));
    }

    [Theory]
    [InlineData(0, "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n", "192.0.2.1")]
    [InlineData(0, "PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n", "2001:db8::1")]
    [InlineData(0, "\r\n\r\n\0\r\nQUIT\n!\u0011\0\u000C\u00C0\0\u0002\u0001\u00C6\u0033\u0064\u0007\u00DC\u0004\u0001\u00BB", "192.0.2.1")]
    [InlineData(0, "PROXY UNKNOWN\r\n", "127.0.0.1")]
    [InlineData(1, "PROXY TCP4 192.0.2.1 198.51.100.7 56324 80\r\n", "192.0.2.1")]
    public async Task Address_of_the_header_is_the_one_and_only_that_the_upstream_learns(int listener, string header, string address)
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        (ProxyProcess _, Uri[] urls) = await StartAsync(scenario, upstream, certificate, "127.0.0.1");
        using HttpClient client = ClientBehind(header, certificate);
        client.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.66");

        string[] headers = (await client.GetStringAsync(new Uri(urls[listener], "/headers"))).Split('\n');
        Assert.Equal($"X-Forwarded-For: {address}", Assert.Single(headers, line => line.StartsWith("X-Forwarded-For", StringComparison.OrdinalIgnoreCase)));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 56324 65536\r\n")]
    [InlineData("\u0016\u0003\u0001\u0000\u0005")]
    public async Task Connection_without_a_right_header_is_closed_without_an_answer(string bytes)
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        (ProxyProcess proxy, Uri[] urls) = await StartAsync(scenario, upstream, certificate, "127.0.0.1");
        foreach (Uri url in urls)
        {
            Assert.Empty(await SayAsync(url, bytes));
        }

        Assert.Equal((0, 2, 0), await ReadCountsAsync(proxy));
    }

    [Fact]
    public async Task Connection_from_elsewhere_is_closed_although_its_header_is_right()
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        (ProxyProcess proxy, Uri[] urls) = await StartAsync(scenario, upstream, certificate, "10.0.0.0/8");
        Assert.Empty(await SayAsync(urls[1], "PROXY TCP4 10.0.0.1 10.0.0.2 1 80\r\nGET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        Assert.Equal((0, 0, 1), await ReadCountsAsync(proxy));
    }

    [DebianPackageTheory("haproxy", HaProxy)]
    [InlineData("send-proxy check-ssl verify none", 0)]
    [InlineData("send-proxy-v2 check-ssl verify none", 0)]
    [InlineData("send-proxy-v2 proxy-v2-options crc32c,authority,unique-id,ssl check-ssl verify none", 0)]
    [InlineData("send-proxy-v2 proxy-v2-options crc32c", 1)]
    public async Task Haproxy_is_understood_and_its_health_checks_too(string send, int listener)
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        (ProxyProcess proxy, Uri[] urls) = await StartAsync(scenario, upstream, certificate, "127.0.0.0/8");
        using Socket place = TakePort();
        int port = ((IPEndPoint)place.LocalEndPoint!).Port;

        // A check that asks for a page: one that only connects resets the connection behind its header, and what is reset need not be read.
        string config = scenario.Write("haproxy.cfg", $"""
            global
                maxconn 100
                log stdout format raw daemon
            defaults
                log global
                option log-health-checks
                mode tcp
                timeout connect 60s
                timeout client 60s
                timeout server 60s
                timeout check 60s
            frontend clients
                bind 127.0.0.1:{port}
                unique-id-format %Ts%pid
                default_backend proxies
            backend proxies
                option httpchk GET /health HTTP/1.0
                server one {urls[listener].Host}:{urls[listener].Port} check inter 1s {send}

            """);
        RunningProcess haproxy = scenario.Start(HaProxy, ["-db", "-f", config]);
        var url = new UriBuilder(urls[listener]) { Port = port };
        using HttpClient client = Upstream.Client(certificate);
        client.DefaultRequestHeaders.ConnectionClose = true;
        string page = "";
        await Eventually.TrueAsync("haproxy serves", async () =>
        {
            try
            {
                page = await client.GetStringAsync(new Uri(url.Uri, "/headers"));
                return true;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });

        // Both ends of haproxy are 127.0.0.1: the port of the client is what its header alone can tell, and the counters what was read.
        Assert.Contains("X-Forwarded-For: 127.0.0.1", page, StringComparison.Ordinal);
        await haproxy.HearAsync(line => line.Contains("Health check for server proxies/one succeeded, reason: Layer7 check passed, code: 200", StringComparison.Ordinal));
        bool isLocal = (await ReadStatusAsync(proxy)).GetProperty("local").GetInt64() > 0;
        Assert.Equal(send.Contains("v2", StringComparison.Ordinal), isLocal); // version 1 has no such word: its checks tell their own addresses
        (long proxied, long malformed, long untrusted) = await ReadCountsAsync(proxy);
        Assert.True(proxied > 0);
        Assert.Equal((0, 0), (malformed, untrusted));
    }

    private static async Task<(ProxyProcess Proxy, Uri[] Urls)> StartAsync(Scenario scenario, Upstream upstream, TestCertificate certificate, string from)
    {
        string config = scenario.Write("proxy.json", $$"""
            {
              "Listeners": {
                "a": { "Url": "https://127.0.0.1:0", "ProxyProtocol": "required", "ProxyProtocolFrom": [ "{{from}}" ] },
                "b": { "Url": "http://127.0.0.1:0", "ProxyProtocol": "required", "ProxyProtocolFrom": [ "{{from}}" ] }
              },
              "ReverseProxy": {
                "Routes": { "one": { "ClusterId": "one", "Match": { "Path": "{**all}" } } },
                "Clusters": { "one": { "Destinations": { "here": { "Address": "{{upstream.Url}}" } } } }
              }
            }
            """);
        ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, [.. certificate.WriteTo(scenario), "--config", config]);
        return (proxy, await Listeners.OfAsync(proxy, 2));
    }

    /// <summary>A client whose connections begin with a header.</summary>
    private static HttpClient ClientBehind(string header, TestCertificate certificate)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellation) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(context.DnsEndPoint, cancellation);
                foreach (byte one in Encoding.Latin1.GetBytes(header))
                {
                    await socket.SendAsync(new[] { one }, cancellation);
                }

                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) =>
            shown!.GetRawCertData().AsSpan().SequenceEqual(certificate.Certificate.RawData);
        return new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(60) };
    }

    private static async Task<byte[]> SayAsync(Uri url, string bytes)
    {
        using var client = new TcpClient(url.Host, url.Port);
        using var answer = new MemoryStream();
        try
        {
            await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(bytes));
            await client.GetStream().CopyToAsync(answer).WaitAsync(TimeSpan.FromMinutes(2));
        }
        catch (IOException)
        {
            // Reset, which is an end as well.
        }

        return answer.ToArray();
    }

    private static async Task<(long Proxied, long Malformed, long Untrusted)> ReadCountsAsync(ProxyProcess proxy)
    {
        JsonElement status = await ReadStatusAsync(proxy);
        return (status.GetProperty("proxied").GetInt64(), status.GetProperty("malformed").GetInt64(), status.GetProperty("untrusted").GetInt64());
    }

    private static async Task<JsonElement> ReadStatusAsync(ProxyProcess proxy)
    {
        using var http = new HttpClient();
        using JsonDocument status = JsonDocument.Parse(await http.GetStringAsync(new Uri(proxy.Admin, "/status")));
        return status.RootElement.GetProperty("proxyProtocol").Clone();
    }

    /// <summary>A port that nobody else gets meanwhile, but who shares it, as haproxy does (SO_REUSEPORT, socket(7)). Nobody listens here.</summary>
    private static Socket TakePort()
    {
        const int SolSocket = 1;
        const int ReusePort = 15;
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.SetRawSocketOption(SolSocket, ReusePort, BitConverter.GetBytes(1));
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }
}
