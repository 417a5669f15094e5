using System.Text.Json;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary><c>warp-loadtest storm</c> against the proxy. How long either takes depends on the machine; what becomes of each connection does not.</summary>
[Collection(Alone.Name)]
public sealed class StormTests(ITestOutputHelper output)
{
    private const int Connections = 500;

    [Theory]
    [InlineData("rsa", "")]
    [InlineData("ecdsa", "")]
    [InlineData("rsa", "\"Lanes\": 2, \"MaxWaiting\": 20")]     // many are refused after their ClientHello
    [InlineData("ecdsa", "\"MaxHandshakes\": 30")]              // many are reset where they are accepted
    public async Task Every_connection_is_served_or_refused_and_established_ones_stay(string key, string limits)
    {
        await using var scenario = new Scenario(output);
        using TestCertificate certificate = key == "rsa" ? TestCertificate.Rsa(2048) : TestCertificate.Ecdsa();
        string config = scenario.Write("proxy.json", $$"""
            { "Tls": { "HandshakeTimeout": "00:05:00", "ClientHelloTimeout": "00:05:00", "LaneTimeout": "00:05:00"{{(limits.Length > 0 ? "," : "")}} {{limits}} } }
            """);
        ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, [.. certificate.WriteTo(scenario), "--config", config]);

        ToolResult result = await Tool.RunAsync(
            Executable.LoadTest,
            [
                "storm", proxy.Url.ToString(), "--connections", $"{Connections}", "--established", "10", "--rate", "50", "--before", "0.5", "--timeout", "300", "--json",
            ],
            limit: TimeSpan.FromMinutes(5));

        Assert.True(result.ExitCode == 0, result.ToString());
        output.WriteLine(result.Output);
        JsonElement storm = JsonDocument.Parse(result.Output).RootElement;
        long served = storm.GetProperty("served").GetProperty("count").GetInt64();
        long refused = storm.GetProperty("refused").GetProperty("count").GetInt64();
        Assert.Equal((Connections, 0), (served + refused, storm.GetProperty("late").GetInt32()));
        Assert.Empty(storm.GetProperty("lost").EnumerateArray());
        Assert.True(storm.GetProperty("during").GetProperty("count").GetInt64() + storm.GetProperty("before").GetProperty("count").GetInt64() > 0);

        await Eventually.TrueAsync(
            "nothing is left",
            async () => await proxy.StatusAsync() is { Leaks: { SlotsInUse: 0, OperationsInFlight: 0, LanesBusy: 0 }, Connections: { Open: 0, Handshaking: 0, Tls: 0 } },
            TimeSpan.FromMinutes(1));
        ProxyStatus status = await proxy.StatusAsync();
        Assert.InRange(status.Handshakes.Completed, served, served + 11);
        Assert.InRange(status.Handshakes.RefusedQueueFull + status.Connections.Refused.Values.Sum(), refused, refused + 1);
        Assert.True(limits.Length > 0 || refused == 0, result.Output);
    }
}
