using System.Text.Json;
using System.Text.RegularExpressions;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Telemetry;

/// <summary>What stands in charts/, asked of a real Prometheus that scrapes a real proxy.</summary>
public sealed class DashboardTests(ITestOutputHelper output)
{
    private static readonly string Charts = Executable.RepositoryFile("charts");

    [DebianPackageFact("prometheus", PrometheusProcess.Path)]
    public async Task Every_panel_of_every_dashboard_has_data_under_load()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, certificate.WriteTo(scenario), new Dictionary<string, string> { ["WARPPROXY_Offload__Path"] = "auto", ["WARPPROXY_Offload__Deadline"] = "00:00:10" });
        await using PrometheusProcess prometheus = await PrometheusProcess.StartAsync(scenario, proxy.Admin, "");
        var client = new TlsClient(proxy.Url, certificate.Root);

        List<(string Where, string Query)> left = [.. Directory.GetFiles(Path.Combine(Charts, "grafana/dashboards"), "*.json").SelectMany(Queries)];
        Assert.True(left.Count > 40, $"{left.Count} queries");
        try
        {
            await Eventually.TrueAsync("every query has data", async () =>
            {
                await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.GetAsync()));
                List<(string Where, string Query)> empty = [];
                foreach ((string where, string query) in left)
                {
                    if (!await prometheus.HasDataAsync(query))
                    {
                        empty.Add((where, query));
                    }
                }

                left = empty;
                return left.Count == 0;
            }, TimeSpan.FromMinutes(4));
        }
        finally
        {
            left.ForEach(one => output.WriteLine($"No data: {one.Where}: {one.Query}"));
        }
    }

    [DebianPackageFact("prometheus", PrometheusProcess.Promtool)]
    public async Task Alert_rules_do_what_their_tests_say()
    {
        ToolResult result = await Tool.RunAsync(PrometheusProcess.Promtool, ["test", "rules", Path.Combine(Charts, "prometheus/alerts.test.yml")]);
        Assert.True(result.ExitCode == 0, $"{result}");
        string tests = await File.ReadAllTextAsync(Path.Combine(Charts, "prometheus/alerts.test.yml"));
        MatchCollection rules = Regex.Matches(await File.ReadAllTextAsync(Path.Combine(Charts, "prometheus/alerts.yml")), @"- alert: (\w+)");
        Assert.True(rules.Count >= 6);
        Assert.All(rules, rule => Assert.Contains($"alertname: {rule.Groups[1].Value}\n", tests, StringComparison.Ordinal));
    }

    /// <summary>The rules as they are, but without the time that they wait.</summary>
    [DebianPackageFact("prometheus", PrometheusProcess.Path)]
    public async Task Device_that_is_killed_fires_its_alert_and_one_that_comes_back_ends_it()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        string socket = scenario.File("device.sock");
        EmulatorProcess emulator = await EmulatorProcess.StartAsync(scenario, socket);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, [.. certificate.WriteTo(scenario), "--device", $"emulator:{socket}"]);
        string rules = Regex.Replace(await File.ReadAllTextAsync(Path.Combine(Charts, "prometheus/alerts.yml")), @"for: \w+", "for: 0s");
        await using PrometheusProcess prometheus = await PrometheusProcess.StartAsync(scenario, proxy.Admin, rules);
        const string Alert = """ALERTS{alertname="WarpProxyDeviceLost",alertstate="firing"}""";

        // In one question, asked until it is so: a device that was too busy at the start is rightly told as lost until it is ready.
        await Eventually.TrueAsync(
            "the device is seen, and there is no alert", () => prometheus.HasDataAsync($$"""warpproxy_device_state{state="ready"} == 1 unless on() {{Alert}}"""));
        await emulator.KillAsync();
        await Eventually.TrueAsync("the alert fires", () => prometheus.HasDataAsync(Alert), TimeSpan.FromMinutes(2));
        await using EmulatorProcess again = await EmulatorProcess.StartAsync(scenario, socket);
        await Eventually.TrueAsync("the alert ends", async () => !await prometheus.HasDataAsync(Alert), TimeSpan.FromMinutes(2));
    }

    /// <summary>The queries of a dashboard, with its variables as Grafana would fill them in.</summary>
    private static IEnumerable<(string Where, string Query)> Queries(string file)
    {
        using JsonDocument dashboard = JsonDocument.Parse(File.ReadAllText(file));
        return
        [
            .. from panel in dashboard.RootElement.GetProperty("panels").EnumerateArray()
               where panel.GetProperty("type").GetString() != "row"
               from target in panel.GetProperty("targets").EnumerateArray()
               select ($"{Path.GetFileName(file)}, {panel.GetProperty("title").GetString()}", Fill(target.GetProperty("expr").GetString()!)),
        ];
    }

    private static string Fill(string query)
    {
        string filled = query.Replace("$__rate_interval", "10s", StringComparison.Ordinal)
            .Replace("$instance", ".*", StringComparison.Ordinal).Replace("$job", ".*", StringComparison.Ordinal);
        Assert.DoesNotContain("$", filled, StringComparison.Ordinal);
        return filled;
    }
}
