using System.Globalization;
using System.Text.Json;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary><c>warp-loadtest http</c> against the proxy. How fast either is depends on the machine.</summary>
[Collection(Alone.Name)]
public sealed class HttpLoadTests(EveryPath paths, ITestOutputHelper output) : IClassFixture<EveryPath>
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private ProxyProcess Proxy => paths.Proxy(EveryPath.Embedded);

    [Theory]
    [InlineData("1.1", false, false)]
    [InlineData("1.1", false, true)]
    [InlineData("1.1", true, false)]
    [InlineData("1.1", true, true)]
    [InlineData("2", false, false)]
    [InlineData("2", false, true)]
    [InlineData("2", true, false)]
    [InlineData("2", true, true)]
    public async Task Requests_are_served_and_cost_handshakes_only_when_connections_are_new(string version, bool isNew, bool isOpen)
    {
        const int Rate = 20;
        string[] arguments = ["--http", version, "--connections", "4", .. Given(isNew, "--new-connections"), .. Given(isOpen, "--rate", "20")];

        // Handshakes that the run before has cut off at its end are still computed.
        await Eventually.TrueAsync(
            "nothing of an earlier run is left", async () => await Proxy.StatusAsync() is { Leaks: { LanesBusy: 0, OperationsInFlight: 0 }, Connections.Open: 0, Handshakes.Waiting: 0 });
        long before = (await Proxy.StatusAsync()).Operations.Device;
        JsonElement result = await MeasureAsync(Proxy.Url, arguments);
        long operations = (await Proxy.StatusAsync()).Operations.Device - before;

        long requests = result.GetProperty("requests").GetInt64();
        Assert.Equal(0, result.GetProperty("errorCount").GetInt64());
        Assert.True(requests > 0);
        Assert.Equal(requests, result.GetProperty("statuses").GetProperty("2xx").GetInt64());
        Assert.Equal((version, "RSA", isOpen ? "open" : "closed"), (Text(result, "http"), Text(result, "keyType"), Text(result, "loop")));
        Assert.True(result.GetProperty("bytesReceivedPerSecond").GetDouble() > 0);
        Assert.True(result.GetProperty("bytesSentPerSecond").GetDouble() > 0);
        Assert.True(result.GetProperty("clientCpuMicrosecondsPerRequest").GetDouble() > 0);
        JsonElement latency = result.GetProperty("latency");
        Assert.Equal(isOpen ? Rate : requests, latency.GetProperty("count").GetInt64());
        string[] names = ["min", "p50", "p90", "p99", "p999", "max"];
        double[] percentiles = [.. names.Select(name => latency.GetProperty(name + "Microseconds").GetDouble())];
        Assert.Equal(percentiles.Order(), percentiles);

        if (isNew)
        {
            // One handshake for each; the others are the first connection, the warm-up and what was cut at the end.
            Assert.InRange(requests, 1, operations);
        }
        else
        {
            Assert.InRange(operations, 1, 4 + 1);
        }
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2")]
    public async Task Uploads_go_through_to_the_upstream_with_a_verified_certificate(string version)
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, [.. certificate.WriteTo(scenario), "--config", upstream.WriteConfig(scenario, "/echo")]);
        const int Length = 100_000;
        JsonElement result = await MeasureAsync(
            new Uri(proxy.Url, "/echo"), "--http", version, "--body", Length.ToString(CultureInfo.InvariantCulture), "--header", "X-Own: kept",
            "--verify", scenario.File("root.pem"), "--connections", "2");
        Assert.True(result.GetProperty("isVerified").GetBoolean());
        Assert.Equal(("POST", 0), (Text(result, "method"), result.GetProperty("errorCount").GetInt64()));
        double seconds = result.GetProperty("seconds").GetDouble();
        long requests = result.GetProperty("requests").GetInt64();
        Assert.Equal(requests, result.GetProperty("statuses").GetProperty("2xx").GetInt64());

        // The body comes back. Those under way at the begin and the end of the time count in part.
        int underWay = result.GetProperty("connections").GetInt32() * result.GetProperty("streams").GetInt32();
        Assert.True(result.GetProperty("bytesReceivedPerSecond").GetDouble() * seconds >= (requests - underWay) * (double)Length);
        Assert.True(result.GetProperty("bytesSentPerSecond").GetDouble() * seconds >= (requests - underWay) * (double)Length);

        // A path without a route is a response, too.
        JsonElement missing = await MeasureAsync(new Uri(proxy.Url, "/missing"), "--http", version, "--connections", "2");
        Assert.Equal(missing.GetProperty("requests").GetInt64(), missing.GetProperty("statuses").GetProperty("4xx").GetInt64());
        Assert.Contains("4xx or 5xx", missing.GetProperty("warnings")[0].GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2")]
    public async Task Upstream_that_stalls_shows_in_an_open_loop(string version)
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, [.. certificate.WriteTo(scenario), "--config", upstream.WriteConfig(scenario, "{**all}")]);

        // /slow does not end before this test does.
        JsonElement result = await MeasureAsync(1, new Uri(proxy.Url, "/slow"), "--http", version, "--rate", "50", "--warmup", "0");
        Assert.Equal(0, result.GetProperty("requests").GetInt64());
        Assert.Equal(50, result.GetProperty("unfinished").GetInt64());
        JsonElement latency = result.GetProperty("latency");
        Assert.Equal(50, latency.GetProperty("count").GetInt64());

        // Due over a second, and waited for during another one.
        Assert.True(latency.GetProperty("minMicroseconds").GetDouble() >= 1_000_000);
        Assert.True(latency.GetProperty("maxMicroseconds").GetDouble() >= 1_980_000);
    }

    [Fact]
    public async Task Plain_http_is_measured_too()
    {
        await using var upstream = await Upstream.StartAsync();
        JsonElement result = await MeasureAsync(upstream.Url, "--connections", "2");
        Assert.Equal(0, result.GetProperty("errorCount").GetInt64());
        Assert.Equal(JsonValueKind.Null, result.GetProperty("tls").ValueKind);
        Assert.True(result.GetProperty("statuses").GetProperty("2xx").GetInt64() > 0);
    }

    [Fact]
    public async Task Report_for_people_names_what_was_measured()
    {
        ToolResult result = await RunAsync(Proxy.Url.ToString(), "--seconds", "0.5", "--warmup", "0.2");
        Assert.Equal(0, result.ExitCode);
        Assert.Empty(result.Error);
        Assert.Contains("GET, HTTP/1.1, connections kept.", result.Output, StringComparison.Ordinal);
        Assert.Contains("Closed loop of 32 connections, 1 thread,", result.Output, StringComparison.Ordinal);
        Assert.Contains("requests/s", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nowhere", "The URL is 'nowhere'; it must be like https://localhost:8443 or http://localhost:8080.\n")]
    [InlineData("https://localhost --threads 9 --connections 8", "--threads is 9; it must not be above --connections, which is 8.\n")]
    public async Task Bad_input_is_one_sentence_and_exit_code_2(string arguments, string sentence)
    {
        ToolResult result = await RunAsync(arguments.Split(' '));
        Assert.Equal((2, "", sentence), (result.ExitCode, result.Output, result.Error));
    }

    [Fact]
    public async Task Rings_with_seconds_that_are_no_number_is_one_sentence_and_exit_code_2()
    {
        ToolResult result = await Tool.RunAsync(Executable.LoadTest, ["rings", "--seconds", "x"], limit: Limit);
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Equal("Cannot parse argument 'x' for option '--seconds' as expected type 'System.Double'.\n", result.Error);
    }

    [Fact]
    public async Task Server_of_http_1_is_no_server_of_http_2()
    {
        await using var upstream = await Upstream.StartAsync();
        ToolResult wrongPort = await RunAsync($"https://127.0.0.1:{upstream.Url.Port}", "--http", "2");
        Assert.Equal(1, wrongPort.ExitCode);
        Assert.StartsWith("The first connection to https://127.0.0.1:", wrongPort.Error, StringComparison.Ordinal);
        ToolResult plain = await RunAsync(upstream.Url.ToString(), "--http", "2", "--seconds", "0.5", "--warmup", "0", "--json");
        Assert.Equal(1, plain.ExitCode);
        using JsonDocument json = JsonDocument.Parse(plain.Output);
        Assert.True(json.RootElement.GetProperty("errorCount").GetInt64() > 0);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2")]
    public async Task Signal_ends_a_run_and_shows_what_was_measured(string version)
    {
        await using var scenario = new Scenario(output);
        long before = (await Proxy.StatusAsync()).Operations.Device;
        RunningProcess process = scenario.Start(
            Executable.LoadTest,
            ["http", Proxy.Url.ToString(), "--http", version, "--new-connections", "--connections", "4", "--seconds", "3600", "--warmup", "0", "--json"]);
        await Eventually.TrueAsync("requests are made", async () => (await Proxy.StatusAsync()).Operations.Device > before + 20);
        process.Send(Signal.Interrupt);
        Assert.Equal(130, await process.WaitForExitAsync(Limit));
        Assert.Empty(process.Errors);
        using JsonDocument json = JsonDocument.Parse(string.Join('\n', process.Output));
        Assert.True(json.RootElement.GetProperty("isInterrupted").GetBoolean());
        Assert.InRange(json.RootElement.GetProperty("seconds").GetDouble(), 0.001, 3599);
        Assert.True(json.RootElement.GetProperty("requests").GetInt64() > 0);
    }

    private static string[] Given(bool isGiven, params string[] arguments) => isGiven ? arguments : [];

    private static string? Text(JsonElement result, string name) => result.GetProperty(name).GetString();

    private Task<JsonElement> MeasureAsync(Uri url, params string[] arguments) => MeasureAsync(0, url, arguments);

    private async Task<JsonElement> MeasureAsync(int exitCode, Uri url, params string[] arguments)
    {
        string[] warmup = Given(!arguments.Contains("--warmup"), "--warmup", "0.3");
        ToolResult result = await RunAsync([url.ToString(), "--seconds", "1", "--json", .. warmup, .. arguments]);
        Assert.Equal((exitCode, ""), (result.ExitCode, result.Error));
        using JsonDocument json = JsonDocument.Parse(result.Output);
        return json.RootElement.Clone();
    }

    private async Task<ToolResult> RunAsync(params string[] arguments)
    {
        ToolResult result = await Tool.RunAsync(Executable.LoadTest, ["http", .. arguments], limit: Limit);
        output.WriteLine(result.ToString());
        return result;
    }
}
