using System.Globalization;
using System.Text.Json;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Telemetry;

/// <summary>Both paths under the same traffic.</summary>
[Collection(Alone.Name)]
public sealed class CompareTests(ITestOutputHelper output)
{
    private static readonly HttpClient Http = new();

    [Fact]
    public async Task Share_of_the_handshakes_goes_each_way_and_the_other_way_gives_the_same_signatures()
    {
        const int Connections = 20;
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, certificate.WriteTo(scenario), new Dictionary<string, string>
        {
            ["WARPPROXY_Offload__Path"] = "compare",
            ["WARPPROXY_Offload__CompareShare"] = "0.25",
            ["WARPPROXY_Offload__Shadow"] = "1",
            ["WARPPROXY_Offload__Deadline"] = "00:00:10",
        });

        // One queue for a handshake, one for what is computed again: on a busy machine all but the first are opened after the start.
        await Eventually.TrueAsync("the device has queues for both", async () => (await proxy.StatusAsync()).Devices is [{ State: "ready", QueueCount: >= 2 }]);
        for (int i = 0; i < Connections; i++)
        {
            await new TlsClient(proxy.Url, certificate.Root).GetAsync();
        }

        JsonElement operations = default;
        await Eventually.TrueAsync("every signature was computed both ways", async () =>
        {
            await HurryAsync(proxy);
            using JsonDocument status = JsonDocument.Parse(await Http.GetStringAsync(new Uri(proxy.Admin, "/status")));
            operations = status.RootElement.GetProperty("operations").Clone();
            return operations.GetProperty("shadow").TryGetProperty("matched", out JsonElement matched) && matched.GetInt64() == Connections;
        }, TimeSpan.FromMinutes(4));
        Assert.Equal((Connections / 4, Connections * 3 / 4), (operations.GetProperty("device").GetInt32(), operations.GetProperty("software").GetInt32()));
        Assert.Empty(operations.GetProperty("fallback").EnumerateObject());
        Assert.All(new[] { "mismatched", "failed", "dropped" }, name => Assert.Equal(0, operations.GetProperty("shadow").GetProperty(name).GetInt64()));
        string metrics = await Http.GetStringAsync(new Uri(proxy.Admin, "/metrics"));
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"warpproxy_shadow_operations_total{{result=\"matched\"}} {Connections}\n"), metrics, StringComparison.Ordinal);
    }

    /// <summary>
    /// Has the thread that computes the other way run as others do, where that is allowed: on a machine that is never idle, one that runs when nobody else wants to
    /// would never run.
    /// </summary>
    private static async Task HurryAsync(ProxyProcess proxy)
    {
        foreach (string thread in Directory.EnumerateDirectories($"/proc/{proxy.Process.Id}/task"))
        {
            try
            {
                if (await File.ReadAllTextAsync(Path.Combine(thread, "comm")) == "warp-shadow\n")
                {
                    await Tool.RunAsync("/usr/bin/chrt", ["--other", "--pid", "0", Path.GetFileName(thread)]);
                }
            }
            catch (IOException)
            {
                // A thread that is gone.
            }
        }
    }
}
