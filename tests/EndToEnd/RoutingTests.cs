using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>Requests through a configured route to a real upstream, and the end of the proxy while one is under way.</summary>
public sealed class RoutingTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("1.1", 10)]
    [InlineData("2.0", 10)]
    [InlineData("1.1", 40)]
    [InlineData("2.0", 40)]
    public async Task Bodies_of_many_MiB_go_both_ways_unchanged(string httpVersion, int mebibytes)
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await StartAsync(scenario, upstream, certificate);
        using HttpClient client = Upstream.Client(certificate);
        byte[] body = RandomNumberGenerator.GetBytes(mebibytes * 1024 * 1024);

        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(proxy.Url, "/echo"))
        {
            Content = new ByteArrayContent(body),
            Version = Version.Parse(httpVersion),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using HttpResponseMessage response = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        byte[] echo = await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(Convert.ToHexString(SHA256.HashData(body)), Convert.ToHexString(SHA256.HashData(echo)));
    }

    [Fact]
    public async Task WebSocket_carries_messages_both_ways_and_its_end()
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await StartAsync(scenario, upstream, certificate);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        using var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.GetRawCertData().AsSpan().SequenceEqual(certificate.Certificate.RawData);
        await socket.ConnectAsync(new UriBuilder(proxy.Url) { Scheme = "wss", Path = "/socket" }.Uri, limit.Token);
        for (int size = 1; size <= 300_000; size *= 7)
        {
            byte[] message = RandomNumberGenerator.GetBytes(size);
            await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, limit.Token);
            byte[] echo = new byte[size];
            for (int at = 0; at < size;)
            {
                at += (await socket.ReceiveAsync(echo.AsMemory(at), limit.Token)).Count;
            }

            Assert.True(message.AsSpan().SequenceEqual(echo));
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "enough", limit.Token);
        Assert.Equal("enough", socket.CloseStatusDescription);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Client_that_reads_nothing_holds_the_upstream_up(string httpVersion)
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await StartAsync(scenario, upstream, certificate);
        using HttpClient client = Upstream.Client(certificate);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(proxy.Url, "/flood"))
        {
            Version = Version.Parse(httpVersion),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

        // Buffers of sockets and pipes fill up; then the upstream stands still, however long one looks.
        long seen = -1;
        int unchanged = 0;
        await Eventually.TrueAsync("the upstream stands still", () =>
        {
            unchanged = upstream.FloodedBytes == seen ? unchanged + 1 : 0;
            seen = upstream.FloodedBytes;
            return seen > 0 && unchanged == 50;
        });
        Assert.InRange(seen, 1, Upstream.FloodBytes / 2);
        Assert.Equal(Upstream.FloodBytes, (await response.Content.ReadAsByteArrayAsync()).LongLength);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Client_that_leaves_in_the_middle_of_a_body_ends_it_for_the_upstream(string httpVersion)
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await StartAsync(scenario, upstream, certificate);
        using (HttpClient client = Upstream.Client(certificate))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(proxy.Url, "/flood"))
            {
                Version = Version.Parse(httpVersion),
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            await response.Content.ReadAsStream().ReadExactlyAsync(new byte[100_000]);
        }

        await Eventually.TrueAsync("the upstream learns it", () => upstream.ClosedFloods == 1);
        using HttpClient next = Upstream.Client(certificate);
        Assert.Equal("upstream: GET /next", await next.GetStringAsync(new Uri(proxy.Url, "/next")));
    }

    [Fact]
    public async Task Upstream_learns_how_the_client_came()
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await StartAsync(scenario, upstream, certificate);
        using HttpClient client = Upstream.Client(certificate);
        client.DefaultRequestHeaders.Add("X-Own", "kept");

        string[] headers = (await client.GetStringAsync(new Uri(proxy.Url, "/headers"))).Split('\n');

        Assert.Contains("X-Forwarded-Proto: https", headers);
        Assert.Contains("X-Forwarded-For: 127.0.0.1", headers);
        Assert.Contains($"X-Forwarded-Host: {proxy.HostAndPort}", headers);
        Assert.Contains("X-Own: kept", headers);
    }

    [Fact]
    public async Task Path_without_a_route_is_not_found()
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, [.. certificate.WriteTo(scenario), "--config", upstream.WriteConfig(scenario, "/here/{**rest}")]);
        using HttpClient client = Upstream.Client(certificate);

        Assert.Equal("upstream: GET /here/it/is", await client.GetStringAsync(new Uri(proxy.Url, "/here/it/is")));
        using HttpResponseMessage response = await client.GetAsync(new Uri(proxy.Url, "/elsewhere"));
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Theory]
    [InlineData(nameof(Signal.Interrupt))]
    [InlineData(nameof(Signal.Terminate))]
    public async Task Signal_lets_the_response_under_way_end(string signal)
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await StartAsync(scenario, upstream, certificate);
        using HttpClient client = Upstream.Client(certificate);
        Task<string> slow = client.GetStringAsync(new Uri(proxy.Url, "/slow"));
        await upstream.SlowBegan;

        proxy.Process.Send(Enum.Parse<Signal>(signal));
        await Eventually.TrueAsync("the proxy drains", () => proxy.Process.Output.Any(line => line.Contains("Draining", StringComparison.Ordinal)));
        await Eventually.TrueAsync("nobody can connect", () => CannotConnectAsync(proxy.Url));
        Assert.False(slow.IsCompleted);
        Assert.False(proxy.Process.HasExited);
        upstream.EndSlow();

        Assert.Equal("begin end", await slow);
        Assert.Equal(0, await proxy.Process.WaitForExitAsync(TimeSpan.FromMinutes(2)));
        Assert.Empty(proxy.Process.Errors);
    }

    private static Task<ProxyProcess> StartAsync(Scenario scenario, Upstream upstream, TestCertificate certificate) =>
        ProxyProcess.StartAsync(
            scenario,
            [.. certificate.WriteTo(scenario), "--config", upstream.WriteConfig(scenario, "{**all}")],
            new Dictionary<string, string>(ProxyProcess.LongDeadline) { ["WARPPROXY_Shutdown__Drain"] = "00:10:00" });

    private static async Task<bool> CannotConnectAsync(Uri url)
    {
        using var socket = new System.Net.Sockets.TcpClient();
        try
        {
            await socket.ConnectAsync(url.Host, url.Port);
            return false;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return true;
        }
    }
}
