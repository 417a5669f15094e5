using System.Globalization;
using System.Text.Json;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary><c>warp-loadtest handshakes</c> against the proxy. How fast either is depends on the machine.</summary>
[Collection(Alone.Name)]
public sealed class HandshakesTests(EveryPath paths, ITestOutputHelper output) : IClassFixture<EveryPath>
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    private ProxyProcess Proxy => paths.Proxy(EveryPath.Embedded);

    [Theory]
    [InlineData("1.2")]
    [InlineData("1.3")]
    public async Task Every_full_handshake_is_one_operation_of_the_proxy(string version)
    {
        long before = (await Proxy.StatusAsync()).Operations.Device;
        JsonElement result = await MeasureAsync(Proxy, "--tls", version, "--connections", "4");
        long operations = (await Proxy.StatusAsync()).Operations.Device - before;

        Assert.Equal(version, result.GetProperty("tls").GetString());
        Assert.Equal(("RSA", 2048), (result.GetProperty("keyType").GetString(), result.GetProperty("keyBits").GetInt32()));
        Assert.Equal(0, result.GetProperty("errorCount").GetInt64());
        Assert.Equal(0, result.GetProperty("resumedShare").GetDouble());

        // The others are the probe, the warm-up and what was cut at the end.
        long full = result.GetProperty("fullHandshakes").GetInt64();
        Assert.InRange(full, 1, operations);
        JsonElement latency = result.GetProperty("latency");
        Assert.Equal(full, latency.GetProperty("count").GetInt64());
        string[] names = ["min", "p50", "p90", "p99", "p999", "max"];
        double[] percentiles = [.. names.Select(name => latency.GetProperty(name + "Microseconds").GetDouble())];
        Assert.Equal(percentiles.Order(), percentiles);
        Assert.True(percentiles[0] > 0);
        Assert.True(result.GetProperty("clientCpuMicrosecondsPerHandshake").GetDouble() > 0);

        // Nothing per handshake; what is left comes from code that is compiled late.
        Assert.InRange(result.GetProperty("clientAllocatedBytesPerHandshake").GetDouble(), 0, 50);
    }

    [Theory]
    [InlineData("1.2")]
    [InlineData("1.3")]
    public async Task Half_of_the_handshakes_resume_with_requests_and_a_verified_certificate(string version)
    {
        using var certificate = TestCertificate.Rsa(2048);
        await using var scenario = new Scenario(output);
        ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, [.. certificate.WriteTo(scenario), "--device", "embedded:"]);
        JsonElement result = await MeasureAsync(
            proxy, "--tls", version, "--resume", "0.5", "--request", "--verify", scenario.File("root.pem"), "--connections", "4");
        Assert.Equal(0, result.GetProperty("errorCount").GetInt64());
        Assert.True(result.GetProperty("isVerified").GetBoolean());
        Assert.InRange(result.GetProperty("resumedShare").GetDouble(), 0.2, 0.8);
        Assert.Equal(result.GetProperty("latency").GetProperty("count").GetInt64(), result.GetProperty("response").GetProperty("count").GetInt64());
    }

    [Fact]
    public async Task Open_loop_counts_every_connection_that_was_due()
    {
        JsonElement result = await MeasureAsync(Proxy, "--rate", "50");
        Assert.Equal("open", result.GetProperty("loop").GetString());
        Assert.Equal(50, result.GetProperty("latency").GetProperty("count").GetInt64() + result.GetProperty("errorCount").GetInt64());
        Assert.Equal(50, result.GetProperty("startDelay").GetProperty("count").GetInt64());
    }

    [Fact]
    public async Task Cipher_and_group_are_the_chosen_ones()
    {
        JsonElement result = await MeasureAsync(Proxy, "--tls", "1.2", "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256", "--groups", "P-256");
        Assert.Equal("ECDHE-RSA-AES128-GCM-SHA256", result.GetProperty("cipher").GetString());
        Assert.Equal("secp256r1", result.GetProperty("group").GetString());
    }

    [Fact]
    public async Task Report_for_people()
    {
        ToolResult result = await RunAsync(Proxy.Url.ToString(), "--seconds", "1", "--warmup", "0.2");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("full handshakes/s", result.Output, StringComparison.Ordinal);
        Assert.Contains("certificate not verified", result.Output, StringComparison.Ordinal);
        Assert.Contains("errors              none", result.Output, StringComparison.Ordinal);
        Assert.Empty(result.Error);
    }

    [Fact]
    public async Task Port_that_refuses()
    {
        // Port 1, tcpmux, which nobody serves.
        ToolResult result = await RunAsync("https://127.0.0.1:1");
        Assert.Equal((1, "", "The first connection to https://127.0.0.1:1/ failed: connect refused.\n"), (result.ExitCode, result.Output, result.Error));
    }

    [Theory]
    [InlineData("http://localhost", "The URL is 'http://localhost'; it must be like https://localhost:8443.")]
    [InlineData("https://localhost --connections 0", "--connections is 0; it must be between 1 and 10000.")]
    [InlineData("https://localhost --threads 2 --connections 1", "--threads is 2; it must not be above --connections, which is 1.")]
    [InlineData("https://localhost --seconds soon", "Cannot parse argument 'soon' for option '--seconds' as expected type 'System.Double'.")]
    public async Task Bad_input(string arguments, string sentence)
    {
        ToolResult result = await RunAsync(arguments.Split(' '));
        Assert.Equal((2, "", sentence + "\n"), (result.ExitCode, result.Output, result.Error));
    }

    [Theory]
    [InlineData(nameof(Signal.Interrupt), 130)]
    [InlineData(nameof(Signal.Terminate), 143)]
    public async Task Signal_ends_the_run_with_what_was_measured_so_far(string signal, int exitCode)
    {
        long before = (await Proxy.StatusAsync()).Operations.Device;
        await using var scenario = new Scenario(output);
        RunningProcess process = scenario.Start(
            Executable.LoadTest, ["handshakes", Proxy.Url.ToString(), "--seconds", "3600", "--warmup", "0", "--json"]);
        await Eventually.TrueAsync("handshakes are made", async () => (await Proxy.StatusAsync()).Operations.Device > before + 50);
        process.Send(Enum.Parse<Signal>(signal));
        Assert.Equal(exitCode, await process.WaitForExitAsync(Limit));
        using JsonDocument json = JsonDocument.Parse(string.Join('\n', process.Output));
        Assert.True(json.RootElement.GetProperty("isInterrupted").GetBoolean());
        Assert.InRange(json.RootElement.GetProperty("seconds").GetDouble(), 0.001, 3599);
        Assert.True(json.RootElement.GetProperty("handshakes").GetInt64() > 0);
    }

    [DebianPackageFact("openssl", Tool.OpenSsl)]
    public async Task Server_that_refuses_after_the_client_was_done_is_an_error()
    {
        // In TLS 1.3 the client's handshake is done before the server asks in vain for its certificate (RFC 8446 4.4.2.4).
        using var certificate = TestCertificate.Ecdsa();
        await using var scenario = new Scenario(output);
        certificate.WriteTo(scenario);
        RunningProcess server = scenario.Start(
            Tool.OpenSsl,
            [
                "s_server", "-accept", "127.0.0.1:0", "-www", "-Verify", "1", "-tls1_3",
                "-cert", scenario.File("certificate.pem"), "-key", scenario.File("key.pem"),
            ]);
        string? listening = null;
        await Eventually.TrueAsync(
            "s_server listens", () => (listening = server.Output.FirstOrDefault(line => line.StartsWith("ACCEPT ", StringComparison.Ordinal))) is not null);
        int port = int.Parse(listening!.Split(':')[^1], CultureInfo.InvariantCulture);
        ToolResult result = await RunAsync($"https://127.0.0.1:{port}");
        Assert.Equal(1, result.ExitCode);
        Assert.EndsWith("failed: TLS alert certificate_required.\n", result.Error, StringComparison.Ordinal);
    }

    private async Task<JsonElement> MeasureAsync(ProxyProcess proxy, params string[] arguments)
    {
        ToolResult result = await RunAsync([proxy.Url.ToString(), "--seconds", "1", "--warmup", "0.5", "--json", .. arguments]);
        Assert.Equal(0, result.ExitCode);
        Assert.Empty(result.Error);
        using JsonDocument json = JsonDocument.Parse(result.Output);
        return json.RootElement.Clone();
    }

    private async Task<ToolResult> RunAsync(params string[] arguments)
    {
        ToolResult result = await Tool.RunAsync(Executable.LoadTest, ["handshakes", .. arguments], limit: Limit);
        output.WriteLine(result.ToString());
        return result;
    }
}
