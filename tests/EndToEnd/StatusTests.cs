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
        Assert.StartsWith("scalar", device.GetProperty("engine").GetString(), StringComparison.Ordinal);
        JsonElement leaks = status.RootElement.GetProperty("leaks");
        Assert.Equal(["slotsInUse", "operationsInFlight", "lanesBusy"], leaks.EnumerateObject().Select(leak => leak.Name));
        Assert.All(leaks.EnumerateObject(), leak => Assert.Equal(0, leak.Value.GetInt64()));
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
    [InlineData("/")]
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
}
