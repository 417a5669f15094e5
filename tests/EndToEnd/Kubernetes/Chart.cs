using System.Collections.Concurrent;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Kubernetes;

/// <summary>charts/warpproxy, as Helm sees it.</summary>
internal static class Chart
{
    /// <summary>Namespace and name of the release in all renderings.</summary>
    public const string Namespace = "edge";
    public const string Release = "front";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private static readonly ConcurrentDictionary<string, Lazy<Task<Manifests>>> Rendered = new();

    public static string Folder { get; } = Executable.RepositoryFile("charts/warpproxy");

    /// <summary>The value files of ci/, one for each way of using the chart.</summary>
    public static IEnumerable<string> ValueFiles => Directory.EnumerateFiles(Path.Combine(Folder, "ci"), "*-values.yaml").Order();

    /// <summary>What they are called: embedded, sidecar, node, hardware, production.</summary>
    public static IEnumerable<string> Names => ValueFiles.Select(file => Path.GetFileName(file).Replace("-values.yaml", "", StringComparison.Ordinal));

    /// <summary>For theories.</summary>
    public static TheoryData<string> Ways => new(Names);

    /// <summary>What one of the value files gives; rendered once.</summary>
    public static Task<Manifests> RenderAsync(string way) => Rendered.GetOrAdd(way, way => new Lazy<Task<Manifests>>(() => RenderAsync(way, []))).Value;

    /// <summary>What one of the value files gives with changes, or the chart's own values where <paramref name="way"/> is empty.</summary>
    public static async Task<Manifests> RenderAsync(string way, params string[] changes)
    {
        string[] values = way.Length > 0 ? ["--values", Path.Combine(Folder, "ci", $"{way}-values.yaml")] : [];
        ToolResult result = await TemplateAsync([.. values, .. Set(changes)]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return await Manifests.ReadAsync(result.Output);
    }

    /// <summary>What a file of values gives, in YAML.</summary>
    public static async Task<string> RenderFileAsync(string values)
    {
        ToolResult result = await TemplateAsync(["--values", values]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    /// <summary>What an upgrade gives where Helm finds the objects that an API has.</summary>
    public static async Task<Manifests> UpgradeAsync(string kubeconfig, params string[] changes)
    {
        // What Helm remembers of an API by its address is not for the next one that has the same.
        ToolResult result = await Tool.RunAsync(
            "/usr/bin/env",
            [$"KUBECACHEDIR={kubeconfig}-cache", KubernetesTools.Helm, .. Template(["--kubeconfig", kubeconfig, "--dry-run=server", "--is-upgrade", "--disable-openapi-validation", .. Set(changes)])],
            limit: Limit);
        Assert.True(result.ExitCode == 0, result.ToString());
        return await Manifests.ReadAsync(result.Output);
    }

    /// <summary>What Helm says to changed values that it should not take.</summary>
    public static async Task<string> RefusalAsync(params string[] changes)
    {
        ToolResult result = await TemplateAsync([.. Set(changes)]);
        Assert.True(result.ExitCode != 0, $"{string.Join(' ', changes)} was taken");
        return result.Error;
    }

    public static Task<ToolResult> LintAsync(string valueFile) => Tool.RunAsync(KubernetesTools.Helm, ["lint", "--strict", Folder, "--values", valueFile], limit: Limit);

    private static Task<ToolResult> TemplateAsync(IEnumerable<string> arguments) =>
        Tool.RunAsync(KubernetesTools.Helm, Template(arguments), limit: Limit);

    private static IEnumerable<string> Template(IEnumerable<string> arguments) => ["template", Release, Folder, "--namespace", Namespace, .. arguments];

    private static IEnumerable<string> Set(IEnumerable<string> changes) => changes.SelectMany(change => new[] { "--set-json", change });
}
