using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Telemetry;

/// <summary>A real Prometheus that scrapes one proxy every two seconds, each time for as long at most.</summary>
internal sealed class PrometheusProcess : IAsyncDisposable
{
    public const string Path = "/usr/bin/prometheus";
    public const string Promtool = "/usr/bin/promtool";

    private readonly HttpClient _http;
    private readonly RunningProcess _process;

    private PrometheusProcess(RunningProcess process, int port)
    {
        _process = process;
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
    }

    /// <param name="scenario">Ends it.</param>
    /// <param name="target">The admin listener of a proxy.</param>
    /// <param name="rules">Of alerts; empty for none.</param>
    public static async Task<PrometheusProcess> StartAsync(Scenario scenario, Uri target, string rules)
    {
        await File.WriteAllTextAsync(scenario.File("rules.yml"), rules.Length > 0 ? rules : "groups: []\n");
        await File.WriteAllTextAsync(
            scenario.File("prometheus.yml"),
            $"""
            global: {"{"} scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s {"}"}
            rule_files: [ rules.yml ]
            scrape_configs:
              - job_name: warpproxy
                static_configs: [ {"{"} targets: [ "{target.Host}:{target.Port}" ] {"}"} ]
            """);

        // It cannot say which port it was given, so that it is told one that was free a moment ago; should it be taken meanwhile, another.
        while (true)
        {
            int port = FreePort();
            string storage = scenario.File($"prometheus-{port}");
            RunningProcess process = scenario.Start(
                Path,
                [
                    $"--config.file={scenario.File("prometheus.yml")}", $"--storage.tsdb.path={storage}", $"--web.listen-address=127.0.0.1:{port}",
                    "--log.level=warn",
                ],
                new Dictionary<string, string>());
            var prometheus = new PrometheusProcess(process, port);
            await Eventually.TrueAsync("Prometheus is ready", async () => process.HasExited || await prometheus.IsReadyAsync(storage));
            if (!process.HasExited)
            {
                return prometheus;
            }

            await prometheus.DisposeAsync();
        }
    }

    /// <summary>Whether a query has any result now.</summary>
    public async Task<bool> HasDataAsync(string query)
    {
        using var form = new FormUrlEncodedContent([new("query", query)]);
        using HttpResponseMessage response = await _http.PostAsync(new Uri("/api/v1/query", UriKind.Relative), form);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{query}: {text}");
        using JsonDocument answer = JsonDocument.Parse(text);
        return answer.RootElement.GetProperty("data").GetProperty("result").GetArrayLength() > 0;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>Whether it answers; another one, which took the port meanwhile, has other storage.</summary>
    private async Task<bool> IsReadyAsync(string storage)
    {
        try
        {
            using HttpResponseMessage response = await _http.GetAsync(new Uri("/-/ready", UriKind.Relative));
            return response.IsSuccessStatusCode
                && (await _http.GetStringAsync(new Uri("/api/v1/status/flags", UriKind.Relative))).Contains(storage, StringComparison.Ordinal);
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
