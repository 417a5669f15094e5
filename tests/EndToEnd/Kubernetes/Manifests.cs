using System.Text.Json.Nodes;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Kubernetes;

/// <summary>The objects that Helm rendered.</summary>
internal sealed class Manifests
{
    private readonly IReadOnlyList<JsonNode> _all;

    private Manifests(string yaml, IReadOnlyList<JsonNode> all) => (Yaml, _all) = (yaml, all);

    /// <summary>As Helm wrote them.</summary>
    public string Yaml { get; }

    public IEnumerable<JsonNode> All => _all;

    /// <summary>The pods of all kinds, with the name of the object that makes them.</summary>
    public IEnumerable<(string Name, JsonNode Template)> PodTemplates =>
        from manifest in _all
        let template = Text(manifest["kind"]) switch
        {
            "CronJob" => manifest["spec"]!["jobTemplate"]!["spec"]!["template"],
            "Pod" => manifest,
            _ => manifest["spec"]?["template"],
        }
        where template is not null
        select ($"{Text(manifest["kind"])} {Text(manifest["metadata"]!["name"])}", template);

    /// <summary>The Deployment or DaemonSet of the proxy.</summary>
    public JsonNode Workload => _all.Single(manifest =>
        Text(manifest["kind"]) is "Deployment" or "DaemonSet" && Text(manifest["metadata"]!["labels"]!["app.kubernetes.io/component"]) == "proxy");

    /// <summary>The pod of the proxy.</summary>
    public JsonNode Pod => Workload["spec"]!["template"]!["spec"]!;

    /// <summary>The proxy's container.</summary>
    public JsonNode Proxy => Pod["containers"]!.AsArray().Single(container => Text(container!["name"]) == "warpproxy")!;

    /// <summary>The ConfigMap of the proxy's configuration.</summary>
    public JsonNode ConfigurationMap => Of("ConfigMap").Single(map => map["data"]!["proxy.json"] is not null);

    /// <summary>What the ConfigMap gives the proxy.</summary>
    public string Configuration => Text(ConfigurationMap["data"]!["proxy.json"]);

    public static async Task<Manifests> ReadAsync(string yaml)
    {
        ToolResult result = await Tool.RunAsync(KubernetesTools.Node, [KubernetesTools.Manifests, "json"], yaml, TimeSpan.FromMinutes(2));
        Assert.True(result.ExitCode == 0, result.ToString());
        return new Manifests(yaml, [.. JsonNode.Parse(result.Output)!.AsArray().Select(manifest => manifest!)]);
    }

    public IEnumerable<JsonNode> Of(string kind) => _all.Where(manifest => Text(manifest["kind"]) == kind);

    public JsonNode Single(string kind, string name) => Of(kind).Single(manifest => Text(manifest["metadata"]!["name"]) == name);

    /// <summary>Containers of a pod, those that begin it included.</summary>
    public static IEnumerable<JsonNode> Containers(JsonNode pod) =>
        (pod["initContainers"]?.AsArray() ?? []).Concat(pod["containers"]!.AsArray()).Select(container => container!);

    /// <summary>Whether a selector's labels are all among an object's.</summary>
    public static bool Selects(JsonNode? selector, JsonNode? labels)
    {
        Assert.NotEmpty(selector!.AsObject());
        return selector.AsObject().All(label => labels?[label.Key] is { } value && Text(value) == Text(label.Value));
    }

    public static string Text(JsonNode? node) => node?.GetValueKind() == System.Text.Json.JsonValueKind.String ? node.GetValue<string>() : node?.ToJsonString() ?? "";
}
