using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using WarpProxy.Tests.EndToEnd.Harness;
using WarpProxy.Tests.EndToEnd.Telemetry;
using Xunit.Abstractions;
using static WarpProxy.Tests.EndToEnd.Kubernetes.Manifests;

namespace WarpProxy.Tests.EndToEnd.Kubernetes;

/// <summary>The rule for prometheus-adapter that docs/kubernetes.md has gives the metric that the chart scales by.</summary>
public sealed class AutoscalingMetricTests(ITestOutputHelper output)
{
    [KubernetesToolsFact("prometheus", PrometheusProcess.Path)]
    public async Task Rule_of_the_document_gives_the_metric_that_the_chart_scales_by()
    {
        string document = await File.ReadAllTextAsync(Executable.RepositoryFile("docs/kubernetes.md"));
        string yaml = Regex.Matches(document, @"^```yaml\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)
            .Select(match => match.Groups[1].Value).Single(block => block.Contains("seriesQuery", StringComparison.Ordinal));
        JsonNode rule = (await ReadAsync(yaml)).All.Single()["rules"]!["custom"]!.AsArray().Single()!;
        JsonNode metric = (await Chart.RenderAsync("production")).Of("HorizontalPodAutoscaler").Single()["spec"]!["metrics"]!.AsArray().Single(one => Text(one!["type"]) == "Pods")!;
        Assert.Equal(Text(metric["pods"]!["metric"]!["name"]), Text(rule["name"]!["as"]));

        // prometheus-adapter puts in the series, the labels of the objects that it is asked for, and what it groups by. Here no Kubernetes adds labels.
        string series = Regex.Match(Text(rule["seriesQuery"]), @"^\w+").Value;
        string query = Text(rule["metricsQuery"])
            .Replace("<<.Series>>", series, StringComparison.Ordinal)
            .Replace("<<.LabelMatchers>>", "job=\"warpproxy\"", StringComparison.Ordinal)
            .Replace("<<.GroupBy>>", "instance", StringComparison.Ordinal);
        Assert.DoesNotContain("<<", query, StringComparison.Ordinal);

        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, certificate.WriteTo(scenario));
        await using PrometheusProcess prometheus = await PrometheusProcess.StartAsync(scenario, proxy.Admin, "");
        var client = new TlsClient(proxy.Url, certificate.Root);
        await Eventually.TrueAsync("the query counts handshakes", async () =>
        {
            await client.GetAsync();
            return await prometheus.HasDataAsync($"({query}) > 0");
        }, TimeSpan.FromMinutes(2));
    }
}
