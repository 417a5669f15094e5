using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>Who may ask a real proxy how it is.</summary>
public sealed class AdminTests(ITestOutputHelper output)
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    private static readonly HttpClient Http = new();

    [Fact]
    public async Task Token_file_keeps_others_out_and_metrics_and_probes_have_a_port_of_their_own()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        string file = scenario.Write("token", $"{Token}\n");
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, [.. certificate.WriteTo(scenario), "--admin", "http://0.0.0.0:0"],
            new Dictionary<string, string>(ProxyProcess.LongDeadline)
            {
                ["WARPPROXY_Server__AdminTokenFile"] = file,
                ["WARPPROXY_Server__Metrics"] = "http://127.0.0.1:0",
                ["WARPPROXY_Files__Interval"] = "00:00:00.1",
            });
        Uri admin = new($"http://127.0.0.1:{proxy.Admin.Port}");
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(admin, "/status", null));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(admin, "/status", Token));

        Uri metrics = ReadMetricsUrl(proxy);
        Assert.Contains("warpproxy_info", await Http.GetStringAsync(new Uri(metrics, "/metrics")), StringComparison.Ordinal);
        Assert.Equal("serving\n", await Http.GetStringAsync(new Uri(metrics, "/healthz")));
        JsonElement ready = await Http.GetFromJsonAsync<JsonElement>(new Uri(metrics, "/readyz"));
        Assert.Equal(("device", "embedded: is ready"), (ready.GetProperty("path").GetString(), ready.GetProperty("reason").GetString()));
        Assert.All(new[] { "/", "/status", "/live" }, path => Assert.Equal(HttpStatusCode.NotFound, AskAsync(metrics, path, Token).GetAwaiter().GetResult()));

        const string Next = "another-token-of-the-operators";
        await File.WriteAllTextAsync($"{file}.new", Next);
        File.Move($"{file}.new", file, overwrite: true);
        await Eventually.TrueAsync("the changed token counts", async () => await AskAsync(admin, "/status", Next) == HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(admin, "/status", Token));
    }

    private static Uri ReadMetricsUrl(ProxyProcess proxy)
    {
        const string Beginning = "Metrics at ";
        string line = proxy.Process.Output.First(static line => line.Contains(Beginning, StringComparison.Ordinal));
        return new Uri(line[(line.IndexOf(Beginning, StringComparison.Ordinal) + Beginning.Length)..]);
    }

    private static async Task<HttpStatusCode> AskAsync(Uri listener, string path, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(listener, path));
        if (token is not null)
        {
            request.Headers.Authorization = new("Bearer", token);
        }

        using HttpResponseMessage response = await Http.SendAsync(request);
        return response.StatusCode;
    }
}
