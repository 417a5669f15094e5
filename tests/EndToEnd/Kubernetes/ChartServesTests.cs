using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Kubernetes;

/// <summary>The real programs take what the chart gives them: the nearest to running it in a cluster.</summary>
public sealed class ChartServesTests(ITestOutputHelper output) : IAsyncDisposable
{
    // Operations may take long on a busy machine; everything else is the chart's.
    private static readonly Dictionary<string, string> LongDeadline = new() { ["WARPPROXY_Offload__Deadline"] = "00:00:10" };

    private readonly Scenario _scenario = new(output);

    public static TheoryData<string> Ways => Chart.Ways;

    public ValueTask DisposeAsync() => _scenario.DisposeAsync();

    [KubernetesToolsTheory, MemberData(nameof(Ways))]
    public async Task Configuration_is_right(string way)
    {
        using var mounted = new MountedChart(_scenario, await Chart.RenderAsync(way));
        RunningProcess check = _scenario.Start(Executable.Proxy, ["check", "--config", mounted.File]);
        Assert.Equal(0, await check.WaitForExitAsync(TimeSpan.FromSeconds(60)));
        string counted = way switch { "production" => "4 certificates, 3 routes", "node" => "2 certificates, 2 routes", _ => "1 certificate, 1 route" };
        Assert.Equal([$"{mounted.File} is right: 2 listeners, {counted}"], check.Output);
    }

    [KubernetesToolsFact("curl", Tool.Curl)]
    public async Task Values_of_the_chart_alone_serve_the_demo_page_with_a_development_certificate()
    {
        using var mounted = new MountedChart(_scenario, await Chart.RenderAsync("", []));
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(_scenario, ["--config", mounted.File], LongDeadline);
        ToolResult curl = await CurlAsync(proxy, "localhost", Path.Combine(_scenario.File("data"), "warpproxy", "localhost.pem"));
        Assert.Contains("WarpProxy is serving", curl.Output, StringComparison.Ordinal);
    }

    [KubernetesToolsFact("curl", Tool.Curl)]
    public async Task Proxy_and_sidecar_serve_a_host_by_its_name_and_probes_are_answered()
    {
        Manifests chart = await Chart.RenderAsync("sidecar", "device.path=\"device\"", "reverseProxy={}");
        using var mounted = new MountedChart(_scenario, chart);
        await using EmulatorProcess emulator = await mounted.StartEmulatorAsync(chart.Pod["initContainers"]![0]!);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(_scenario, ["--config", mounted.File], LongDeadline);

        // As the kubelet asks the emulator, and helm test the proxy.
        JsonArray command = chart.Pod["initContainers"]![0]!["startupProbe"]!["exec"]!["command"]!.AsArray();
        Assert.Equal(["/app/warp-emulator", "probe", "/run/warp/device.sock"], command.Select(Manifests.Text));
        await AnswersAsync(Executable.Emulator, "probe", mounted.Socket);
        await AnswersAsync(Executable.Proxy, "probe", new Uri(MetricsOf(proxy), "/readyz").ToString());

        // Probes ask where Prometheus does.
        using var http = new HttpClient { BaseAddress = MetricsOf(proxy) };
        foreach (string probe in (string[])["startupProbe", "livenessProbe", "readinessProbe"])
        {
            using HttpResponseMessage answer = await http.GetAsync(new Uri(Manifests.Text(chart.Proxy[probe]!["httpGet"]!["path"]), UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        await Eventually.TrueAsync("the device computes", async () =>
        {
            using JsonDocument ready = JsonDocument.Parse(await http.GetStringAsync(new Uri("/readyz", UriKind.Relative)));
            return ready.RootElement.GetProperty("path").GetString() == "device";
        });
        ToolResult curl = await CurlAsync(proxy, "shop.example", mounted.Root);
        Assert.Contains("WarpProxy is serving", curl.Output, StringComparison.Ordinal);
        Assert.True((await proxy.StatusAsync()).Operations.Device >= 1, "the device computed nothing");
        Assert.Contains("warpproxy_handshake_duration_seconds_count", await http.GetStringAsync(new Uri("/metrics", UriKind.Relative)), StringComparison.Ordinal);
    }

    [KubernetesToolsFact("openssl", Tool.OpenSsl)]
    public async Task Each_host_has_its_certificate_and_one_has_RSA_beside_ECDSA()
    {
        // No load balancer is here that would send headers, and the limit of locked memory is this machine's.
        Manifests chart = await Chart.RenderAsync("production", "proxyProtocol.enabled=false", "lockedMemory.required=false", "device.mode=\"embedded\"");
        using var mounted = new MountedChart(_scenario, chart);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(_scenario, ["--config", mounted.File], LongDeadline);
        ProxyProcess site = proxy.At((await Listeners.OfAsync(proxy, 2))[1]);
        foreach ((string host, string algorithms, string type) in new[]
        {
            ("shop.example", "RSA-PSS+SHA256:RSA+SHA256", "RSA-PSS"), ("shop.example", "ECDSA+SHA256", "ECDSA"), ("today.news.example", "RSA-PSS+SHA256", "RSA-PSS"),
            ("bank.example", "RSA-PSS+SHA256", "RSA-PSS"),
        })
        {
            ToolResult said = await Tool.RunAsync(
                Tool.OpenSsl,
                ["s_client", "-connect", site.HostAndPort, "-servername", host, "-CAfile", mounted.Root, "-verify_return_error", "-verify_hostname", host, "-sigalgs", algorithms],
                limit: TimeSpan.FromMinutes(2));
            Assert.Contains("Verification: OK", said.Output, StringComparison.Ordinal);
            Assert.Contains($"Peer signature type: {type}", said.Output, StringComparison.Ordinal);
        }

        // Others get the alert that https.settings ask for.
        ToolResult unknown = await Tool.RunAsync(Tool.OpenSsl, ["s_client", "-connect", site.HostAndPort, "-servername", "other.example"], limit: TimeSpan.FromMinutes(2));
        Assert.Contains("unrecognized name", unknown.Error, StringComparison.Ordinal);
    }

    private async Task AnswersAsync(string program, params string[] arguments) => await Eventually.TrueAsync($"{program} says that it is well", async () =>
    {
        RunningProcess probe = _scenario.Start(program, arguments);
        return await probe.WaitForExitAsync(TimeSpan.FromMinutes(1)) == 0;
    });

    private static Uri MetricsOf(ProxyProcess proxy)
    {
        string line = proxy.Process.Output.Single(line => line.Contains("Metrics at http://", StringComparison.Ordinal));
        return new Uri(line[line.IndexOf("http://", StringComparison.Ordinal)..]);
    }

    /// <summary>GET / of a host at the chart's own https listener.</summary>
    private static async Task<ToolResult> CurlAsync(ProxyProcess proxy, string host, string trusted)
    {
        Uri listener = (await Listeners.OfAsync(proxy, 2))[1];
        Assert.Equal("https", listener.Scheme);
        ToolResult result = await Tool.RunAsync(
            Tool.Curl,
            ["--silent", "--show-error", "--max-time", "60", "--cacert", trusted, "--resolve", $"{host}:{listener.Port}:127.0.0.1", $"https://{host}:{listener.Port}/"],
            limit: TimeSpan.FromMinutes(2));
        Assert.True(result.ExitCode == 0, result.ToString());
        return result;
    }
}
