using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Kubernetes;

/// <summary>charts/warpproxy by itself: Helm takes it, Kubernetes takes what it gives, and what it does not mean is refused.</summary>
public sealed class ChartTests(ITestOutputHelper output)
{
    [KubernetesToolsFact]
    public async Task Lint_finds_nothing_with_any_value_file()
    {
        string[] files = [.. Chart.ValueFiles];
        Assert.Equal(5, files.Length);
        foreach (string file in files)
        {
            ToolResult result = await Chart.LintAsync(file);
            output.WriteLine(result.Output);
            Assert.True(result.ExitCode == 0, result.ToString());
            Assert.DoesNotContain("[WARNING]", result.Output, StringComparison.Ordinal);
        }
    }

    [KubernetesToolsFact]
    public async Task Every_object_is_as_its_schema_has_it()
    {
        await using var scenario = new Scenario(output);
        var files = new List<string>();
        foreach (string way in Chart.Names)
        {
            files.Add(scenario.Write($"{way}.yaml", (await Chart.RenderAsync(way)).Yaml));
        }

        files.Add(scenario.Write("default.yaml", (await Chart.RenderAsync("", [])).Yaml));
        files.Add(scenario.Write("character-device.yaml", (await Chart.RenderAsync(
            "hardware", "device.hardware.resource=\"\"", "device.hardware.hostPaths=[\"/dev/hisi_hpre-0\"]", "device.hardware.privileged=true", "service.type=\"NodePort\"")).Yaml));
        (int exitCode, string said) = await JudgeAsync(files);
        Assert.Equal((0, ""), (exitCode, said));
    }

    [KubernetesToolsFact]
    public async Task Judges_of_objects_find_wrong_types_unknown_fields_and_what_is_missing()
    {
        await using var scenario = new Scenario(output);
        string yaml = (await Chart.RenderAsync("production")).Yaml;
        (string Right, string Wrong, string Said)[] mistakes =
        [
            ("readOnlyRootFilesystem: true", "readOnlyRootFileSystem: true", "'\"readOnlyRootFileSystem\"' does not exist"),
            ("periodSeconds: 2\n", "periodSeconds: two\n", "periodSeconds must be integer"),
            ("scrapeTimeout: 10s", "timeout: 10s", "'\"timeout\"' does not exist"),
            ("kind: HorizontalPodAutoscaler", "kind: HorizontalAutoscaler", "no schema is known of autoscaling/v2"),
            ("roleRef:\n", "rolesRef:\n", "roleRef"),
            ("issuerRef:", "issuer:", "issuer"),
        ];
        var files = new List<string>();
        foreach ((string right, string wrong, string _) in mistakes)
        {
            string mistaken = yaml.Replace(right, wrong, StringComparison.Ordinal);
            Assert.NotEqual(yaml, mistaken);
            files.Add(scenario.Write($"{files.Count}.yaml", mistaken));
        }

        (int exitCode, string found) = await JudgeAsync(files);
        Assert.Equal(1, exitCode);
        string[] lines = found.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < mistakes.Length; i++)
        {
            Assert.Contains(lines, line => line.StartsWith($"{i}.yaml: ", StringComparison.Ordinal) && line.Contains(mistakes[i].Said, StringComparison.Ordinal));
        }
    }

    [KubernetesToolsTheory]
    [InlineData("at '/kind': value must be one of 'Deployment', 'DaemonSet'", "kind=\"StatefulSet\"")]
    [InlineData("at '/device/mode': value must be one of 'embedded', 'sidecar', 'node', 'hardware', 'none'", "device.mode=\"gpu\"")]
    [InlineData("additional properties 'devices' not allowed", "devices={}")]
    [InlineData("at '/https/port': minimum: got 443, want 1,024", "https.port=443")]
    [InlineData("at '/certificates/0': missing property 'secretName'", "certificates=[{\"host\":\"shop.example\"}]")]
    [InlineData("at '/certificates/0/host': 'https://shop.example' does not match pattern", "certificates=[{\"host\":\"https://shop.example\",\"secretName\":\"shop\"}]")]
    [InlineData("at '/resources/limits': missing property 'memory'", "resources.limits={\"cpu\":\"1\",\"memory\":null}")]
    [InlineData("at '/tickets/rotation/keep': minimum: got 2, want 3", "tickets.rotation.keep=2")]
    [InlineData("at '/image/digest': 'sha256:1' does not match pattern", "image.digest=\"sha256:1\"")]
    [InlineData("autoscaling.enabled is true, but kind is DaemonSet", "kind=\"DaemonSet\"", "autoscaling.enabled=true")]
    [InlineData("autoscaling.minReplicas is 20; it must be at most autoscaling.maxReplicas, which is 10.", "autoscaling.enabled=true", "autoscaling.minReplicas=20")]
    [InlineData("device.mode is hardware, but neither device.hardware.resource (a device plugin's) nor device.hardware.hostPaths is set.", "device.mode=\"hardware\"")]
    [InlineData("device.hardware.hostPaths needs device.hardware.privileged: true", "device.mode=\"hardware\"", "device.hardware.hostPaths=[\"/dev/hisi_hpre-0\"]")]
    [InlineData("emulator.queues is 24; it must be at least device.queues, which is 25.", "device.mode=\"sidecar\"", "device.queues=25")]
    [InlineData("at '/device/queues': maximum: got 65, want 64", "device.queues=65")]
    [InlineData("certificates has fallback none for 'a', but device.mode is none; without a device it must be software.", "device.mode=\"none\"", "certificates=[{\"host\":\"a.example\",\"secretName\":\"a\",\"fallback\":\"none\"}]")]
    [InlineData("certificates has fallback none for 'a', whose path is compare; with that path it must be software.", "certificates=[{\"host\":\"a.example\",\"secretName\":\"a\",\"path\":\"compare\",\"fallback\":\"none\"}]")]
    [InlineData("certificates has fallback none for 'a', whose path is software; with that path it must be software.", "device.path=\"software\"", "certificates=[{\"host\":\"a.example\",\"secretName\":\"a\",\"fallback\":\"none\"}]")]
    [InlineData("device.node.deploy is false; set device.node.hostPath", "device.mode=\"node\"", "device.node.deploy=false")]
    [InlineData("certificates has the Secret 'a' twice", "certificates=[{\"host\":\"a.example\",\"secretName\":\"a\"},{\"host\":\"b.example\",\"secretName\":\"a\"}]")]
    [InlineData("certManager.enabled is true, but certManager.issuerRef.name is empty; name an issuer.", "certManager.enabled=true")]
    [InlineData("tickets.rotation.enabled is true, but there are no shared keys; set tickets.create: true or tickets.secretName.", "tickets.rotation.enabled=true")]
    [InlineData("proxyProtocol.enabled is true, but proxyProtocol.from is empty; name the networks of the load balancer", "proxyProtocol.enabled=true")]
    [InlineData("https.port is 8443, http.port 8443 and metrics.port 9902; each must be another, and none may be 9901", "http.port=8443")]
    [InlineData("config.Shutdown is set; the pod's end goes with it, so that shutdown.drainSeconds says it.", "config.Shutdown={\"Drain\":\"00:01:00\"}")]
    [InlineData("config.Server.Admin is set;", "config.Server={\"Admin\":\"http://*:9901\"}")]
    [InlineData("config.offload is no section of the proxy's configuration; sections begin with a capital letter, such as Offload or Limits.", "config.offload={\"Depth\":2}")]
    public async Task Values_that_make_no_sense_are_refused_with_a_sentence(string sentence, params string[] changes) =>
        Assert.Contains(sentence, await Chart.RefusalAsync(changes), StringComparison.Ordinal);

    [KubernetesToolsFact]
    public async Task Values_that_the_document_shows_are_taken()
    {
        string document = await File.ReadAllTextAsync(Executable.RepositoryFile("docs/kubernetes.md"));
        string site = Regex.Matches(document, @"^```yaml\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)
            .Select(match => match.Groups[1].Value).Single(block => block.StartsWith("certificates:", StringComparison.Ordinal));
        await using var scenario = new Scenario(output);
        string rendered = scenario.Write("site.yaml", await Chart.RenderFileAsync(scenario.Write("values.yaml", site)));
        Assert.Equal((0, ""), await JudgeAsync([rendered]));
    }

    [KubernetesToolsFact]
    public async Task Alert_rules_are_those_of_the_file_that_Prometheus_reads()
    {
        Manifests chart = await Chart.RenderAsync("production");
        Manifests rules = await Manifests.ReadAsync(await File.ReadAllTextAsync(Executable.RepositoryFile("charts/prometheus/alerts.yml")));
        Assert.Equal(rules.All.Single().ToJsonString(), chart.Of("PrometheusRule").Single()["spec"]!.ToJsonString());
    }

    [KubernetesToolsFact]
    public async Task Dashboards_are_those_of_the_files_that_Grafana_reads()
    {
        JsonNode[] maps = [.. (await Chart.RenderAsync("production")).Of("ConfigMap").Where(map => map["metadata"]!["labels"]!["grafana_dashboard"] is not null)];
        string[] files = [.. Directory.EnumerateFiles(Executable.RepositoryFile("charts/grafana/dashboards"), "*.json").Order()];
        Assert.True(files.Length >= 4);
        Assert.Equal(files.Select(Path.GetFileName), maps.Select(map => map["data"]!.AsObject().Single().Key).Order());
        Assert.All(files, file => Assert.Equal(
            File.ReadAllText(file).TrimEnd(), Manifests.Text(maps.Select(map => map["data"]![Path.GetFileName(file)]).Single(data => data is not null)).TrimEnd()));
    }

    [KubernetesToolsFact]
    public async Task Every_value_is_in_the_readme_and_the_schema_and_nothing_else_is()
    {
        JsonNode values = (await Manifests.ReadAsync(await File.ReadAllTextAsync(Path.Combine(Chart.Folder, "values.yaml")))).All.Single();
        JsonNode schema = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Chart.Folder, "values.schema.json")))!;
        string readme = await File.ReadAllTextAsync(Path.Combine(Chart.Folder, "README.md"));
        string[] documented = [.. Regex.Matches(readme, @"^\| `([A-Za-z.]+)` \|", RegexOptions.Multiline).Select(row => row.Groups[1].Value)];
        string[] inSchema = [.. Leaves(schema, schema, "").Where(path => path != "global")];

        string[] paths = [.. Walk(values, "")];
        Assert.All(paths, path => Assert.Contains(inSchema, one => path == one || path.StartsWith($"{one}.", StringComparison.Ordinal)));
        Assert.All(inSchema, one => Assert.Contains(paths, path => path == one || path.StartsWith($"{one}.", StringComparison.Ordinal)));
        Assert.All(paths, path => Assert.Contains(documented, one => path == one || path.StartsWith($"{one}.", StringComparison.Ordinal)));
        Assert.All(documented, one => Assert.Contains(paths, path => path == one || path.StartsWith($"{one}.", StringComparison.Ordinal)));
    }

    [Fact]
    public void Version_of_the_application_is_that_of_the_programs()
    {
        string chart = Regex.Match(File.ReadAllText(Path.Combine(Chart.Folder, "Chart.yaml")), "^appVersion: \"(.*)\"$", RegexOptions.Multiline).Groups[1].Value;
        string programs = Regex.Match(File.ReadAllText(Executable.RepositoryFile("Directory.Build.props")), "<Version>(.*)</Version>").Groups[1].Value;
        Assert.NotEmpty(programs);
        Assert.Equal(programs, chart);
    }

    private static IEnumerable<string> Walk(JsonNode? node, string path) =>
        node is JsonObject { Count: > 0 } branch ? branch.SelectMany(child => Walk(child.Value, path.Length > 0 ? $"{path}.{child.Key}" : child.Key)) : [path];

    /// <summary>Paths of the schema that have no properties of their own.</summary>
    private static IEnumerable<string> Leaves(JsonNode schema, JsonNode node, string path)
    {
        if (node["$ref"] is { } reference)
        {
            return Leaves(schema, schema["$defs"]![Manifests.Text(reference).Split('/')[^1]]!, path);
        }

        return node["properties"] is JsonObject properties && path is not "reverseProxy" and not "resources" && !path.EndsWith(".resources", StringComparison.Ordinal)
            ? properties.SelectMany(property => Leaves(schema, property.Value!, path.Length > 0 ? $"{path}.{property.Key}" : property.Key))
            : [path];
    }

    private static async Task<(int ExitCode, string Said)> JudgeAsync(IEnumerable<string> files)
    {
        ToolResult result = await Tool.RunAsync(KubernetesTools.Node, [KubernetesTools.Manifests, "check", .. files], limit: TimeSpan.FromMinutes(10));
        return (result.ExitCode, result.Output + result.Error);
    }
}
