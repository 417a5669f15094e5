using System.Net;
using System.Security.Cryptography;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>Requests through a configured route to a real upstream, and the end of the proxy while one is under way.</summary>
public sealed class RoutingTests(ITestOutputHelper output)
{
    private const int BodyBytes = 10 * 1024 * 1024;

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Bodies_of_10_MiB_go_both_ways_unchanged(string httpVersion)
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await StartAsync(scenario, upstream, certificate);
        using HttpClient client = Upstream.Client(certificate);
        byte[] body = RandomNumberGenerator.GetBytes(BodyBytes);

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
        Assert.Equal(0, await proxy.Process.WaitForExitAsync(TimeSpan.FromSeconds(20)));
        Assert.Empty(proxy.Process.Errors);
    }

    private static Task<ProxyProcess> StartAsync(Scenario scenario, Upstream upstream, TestCertificate certificate) =>
        ProxyProcess.StartAsync(scenario, [.. certificate.WriteTo(scenario), "--config", upstream.WriteConfig(scenario, "{**all}")]);

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
