using System.Globalization;
using System.Net;
using System.Text.Json;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

public sealed class StatusTests(ITestOutputHelper output)
{
    private static readonly HttpClient Http = new();

    [Fact]
    public async Task Status_has_the_documented_shape()
    {
        await using var scenario = new Scenario(output);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, []);
        using HttpResponseMessage response = await Http.GetAsync(new Uri(proxy.Admin, "/status"));
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        using JsonDocument status = JsonDocument.Parse(await response.Content.ReadAsStringAsync());

        JsonElement operations = status.RootElement.GetProperty("operations");
        Assert.Equal(0, operations.GetProperty("device").GetInt64());
        Assert.Equal(0, operations.GetProperty("software").GetInt64());
        Assert.Equal(JsonValueKind.Object, operations.GetProperty("fallback").ValueKind);
        Assert.Empty(operations.GetProperty("fallback").EnumerateObject());
        JsonElement device = Assert.Single(status.RootElement.GetProperty("devices").EnumerateArray());
        Assert.Equal("embedded:", device.GetProperty("uri").GetString());
        Assert.Equal("ready", device.GetProperty("state").GetString());
        Assert.Contains("scalar (OpenSSL", device.GetProperty("engine").GetString(), StringComparison.Ordinal);

        // Those of the probe: nobody else has asked yet.
        Assert.Equal([1024, 2048, 3072, 4096], device.GetProperty("batches").EnumerateArray().Select(batch => batch.GetProperty("bits").GetInt32()));
        Assert.Equal(0, device.GetProperty("operations").GetInt64());
        JsonElement breaker = device.GetProperty("breaker");
        Assert.Equal("closed", breaker.GetProperty("state").GetString());
        Assert.Equal(JsonValueKind.Null, breaker.GetProperty("reason").ValueKind);
        Assert.Equal("""{"good":1,"bad":0}""", breaker.GetProperty("probes").GetRawText());
        Assert.Empty(breaker.GetProperty("openings").EnumerateObject());
        JsonElement leaks = status.RootElement.GetProperty("leaks");
        Assert.Equal(["slotsInUse", "operationsInFlight", "lanesBusy", "queuesInUse"], leaks.EnumerateObject().Select(leak => leak.Name));
        Assert.All(leaks.EnumerateObject(), leak => Assert.Equal(0, leak.Value.GetInt64()));
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("scalar")]
    public async Task Engine_of_each_size_is_told_with_its_reason_at_start_and_in_the_status(string engine)
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, [.. certificate.WriteTo(scenario), "--engine", engine], ProxyProcess.LongDeadline);
        int probed = CountOperations(await ReadDeviceAsync(proxy));
        await new TlsClient(proxy.Url, certificate.Root).GetAsync();
        JsonElement device = await ReadDeviceAsync(proxy);
        Assert.Equal(probed + 1, CountOperations(device));
        JsonElement choice = device.GetProperty("engineChoice");
        Assert.Equal(engine, choice.GetProperty("asked").GetString());
        JsonElement[] sizes = [.. choice.GetProperty("sizes").EnumerateArray()];
        Assert.Equal([2048, 3072, 4096], sizes.Select(size => size.GetProperty("bits").GetInt32()));
        Assert.All(sizes, size =>
        {
            Assert.Contains(size.GetProperty("engine").GetString(), (string[])["simd", "scalar"]);
            string reason = size.GetProperty("reason").GetString()!;
            Assert.Contains(scenario.Transcript().Split('\n'), line => line.Contains("Engines chosen", StringComparison.Ordinal) && line.Contains(reason, StringComparison.Ordinal));
            Assert.True(engine == "auto" || reason == "scalar (asked for)", reason);
        });
    }

    [Fact]
    public async Task Proxy_serves_with_the_scalar_engine_where_the_CPU_has_no_AVX2()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, [.. certificate.WriteTo(scenario)], new Dictionary<string, string>(ProxyProcess.LongDeadline) { ["DOTNET_EnableAVX2"] = "0" });
        await new TlsClient(proxy.Url, certificate.Root).GetAsync();
        JsonElement device = await ReadDeviceAsync(proxy);
        Assert.Equal(1, device.GetProperty("operations").GetInt64());
        Assert.StartsWith("scalar", device.GetProperty("engine").GetString(), StringComparison.Ordinal);
        Assert.All(
            device.GetProperty("engineChoice").GetProperty("sizes").EnumerateArray(),
            size => Assert.Equal("scalar (no AVX2 and FMA on this CPU)", size.GetProperty("reason").GetString()));
    }

    [Fact]
    public async Task Reasons_of_fallback_are_counted_by_name()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, [.. certificate.WriteTo(scenario), "--device", $"emulator:{scenario.File("absent.sock")}"]);
        await new TlsClient(proxy.Url, certificate.Root).GetAsync();
        ProxyStatus status = await proxy.StatusAsync();
        Assert.Equal("device 0, software 1, no_device 1", status.Operations.Since(new OperationStatus(0, 0, [])));
        Assert.Equal("absent", Assert.Single(status.Devices).State);
    }

    [Theory]
    [InlineData("/page")]
    [InlineData("/routed/page")]
    public async Task Admin_port_answers_no_route_of_the_proxy(string path)
    {
        await using var scenario = new Scenario(output);
        await using var upstream = await Upstream.StartAsync();
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, [.. certificate.WriteTo(scenario), "--config", upstream.WriteConfig(scenario, "{**all}")]);
        using HttpClient client = Upstream.Client(certificate);

        using HttpResponseMessage routed = await client.GetAsync(new Uri(proxy.Url, path));
        Assert.Equal(HttpStatusCode.OK, routed.StatusCode);
        using HttpResponseMessage refused = await Http.GetAsync(new Uri(proxy.Admin, path));
        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);

        // And the status is not on the port of the clients: there it goes to the upstream.
        Assert.Equal("upstream: GET /status", await client.GetStringAsync(new Uri(proxy.Url, "/status")));
    }

    /// <summary>Of RSA-2048, by the batches in which they were computed.</summary>
    private static int CountOperations(JsonElement device) => device.GetProperty("batches").EnumerateArray()
        .Single(batch => (batch.GetProperty("algorithm").GetString(), batch.GetProperty("bits").GetInt32()) == ("crt", 2048))
        .GetProperty("byOperations").EnumerateObject().Sum(size => int.Parse(size.Name, CultureInfo.InvariantCulture) * size.Value.GetInt32());

    private static async Task<JsonElement> ReadDeviceAsync(ProxyProcess proxy)
    {
        using JsonDocument status = JsonDocument.Parse(await Http.GetStringAsync(new Uri(proxy.Admin, "/status")));
        return Assert.Single(status.RootElement.GetProperty("devices").EnumerateArray()).Clone();
    }
}
