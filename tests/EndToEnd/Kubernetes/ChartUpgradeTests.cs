using System.Text.Json.Nodes;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;
using static WarpProxy.Tests.EndToEnd.Kubernetes.Manifests;

namespace WarpProxy.Tests.EndToEnd.Kubernetes;

/// <summary>What the chart gives where Helm finds an earlier release in the cluster.</summary>
public sealed class ChartUpgradeTests(ITestOutputHelper output) : IAsyncDisposable
{
    private const string Tickets = $"{Chart.Release}-warpproxy-tickets";

    private readonly Scenario _scenario = new(output);

    public ValueTask DisposeAsync() => _scenario.DisposeAsync();

    [KubernetesToolsFact]
    public async Task Ticket_keys_in_use_are_in_no_later_revision_and_stay_where_they_are()
    {
        JsonNode first = (await Chart.RenderAsync("", "tickets.create=true")).Single("Secret", Tickets);
        JsonNode annotations = first["metadata"]!["annotations"]!;
        Assert.Equal("keep", Text(annotations["helm.sh/resource-policy"]));

        // What a hook makes is not compared with what a later revision has, which would end it.
        Assert.Equal("pre-install,pre-upgrade", Text(annotations["helm.sh/hook"]));
        Assert.Equal(3, first["data"]!.AsObject().Count);
        await using FakeApiServer api = await FakeApiServer.StartAsync(Live(first));
        Manifests upgrade = await Chart.UpgradeAsync(api.WriteKubeconfig(_scenario.File("kubeconfig")), "tickets.create=true");
        Assert.Empty(upgrade.Of("Secret"));
        Assert.Equal(Tickets, Text(upgrade.Pod["volumes"]!.AsArray().Single(volume => Text(volume!["name"]) == "tickets")!["secret"]!["secretName"]));
    }

    [KubernetesToolsFact]
    public async Task Ticket_keys_of_a_Secret_that_is_not_kept_yet_are_rendered_as_they_are()
    {
        JsonNode secret = Live((await Chart.RenderAsync("", "tickets.create=true")).Single("Secret", Tickets));
        secret["metadata"]!["annotations"] = new JsonObject { ["meta.helm.sh/release-name"] = Chart.Release, ["meta.helm.sh/release-namespace"] = Chart.Namespace };
        await using FakeApiServer api = await FakeApiServer.StartAsync(secret);
        JsonNode upgraded = (await Chart.UpgradeAsync(api.WriteKubeconfig(_scenario.File("kubeconfig")), "tickets.create=true")).Single("Secret", Tickets);
        Assert.Equal(secret["data"]!.ToJsonString(), upgraded["data"]!.ToJsonString());
        Assert.Equal("""{"helm.sh/resource-policy":"keep"}""", upgraded["metadata"]!["annotations"]!.ToJsonString());
    }

    [KubernetesToolsFact]
    public async Task Upgrade_with_autoscaling_leaves_as_many_pods_as_there_are()
    {
        JsonNode deployment = Live((await Chart.RenderAsync("", "replicas=7")).Workload);
        await using FakeApiServer api = await FakeApiServer.StartAsync(Live((await Chart.RenderAsync("", "tickets.create=true")).Single("Secret", Tickets)), deployment);
        string kubeconfig = api.WriteKubeconfig(_scenario.File("kubeconfig"));
        Assert.Equal("7", Text((await Chart.UpgradeAsync(kubeconfig, "autoscaling.enabled=true")).Workload["spec"]!["replicas"]));
        Assert.Equal("2", Text((await Chart.UpgradeAsync(kubeconfig)).Workload["spec"]!["replicas"]));
    }

    /// <summary>An object as a cluster has it.</summary>
    private static JsonNode Live(JsonNode rendered)
    {
        JsonNode live = rendered.DeepClone();
        live["metadata"]!["namespace"] = Chart.Namespace;
        JsonNode annotations = live["metadata"]!["annotations"] ??= new JsonObject();
        annotations["meta.helm.sh/release-name"] = Chart.Release;
        annotations["meta.helm.sh/release-namespace"] = Chart.Namespace;
        return live;
    }
}
