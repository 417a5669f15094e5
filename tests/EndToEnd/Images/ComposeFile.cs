using System.Text.Json;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Images;

/// <summary>docker-compose.yml, as docker-compose reads it.</summary>
internal sealed class ComposeFile
{
    public const string DockerCompose = "/usr/bin/docker-compose";

    private readonly JsonElement _root;

    private ComposeFile(JsonElement root) => _root = root;

    public static string Path { get; } = Executable.RepositoryFile("docker-compose.yml");

    public JsonElement Services => _root.GetProperty("services");

    public JsonElement Volumes => _root.GetProperty("volumes");

    public JsonElement this[string service] => Services.GetProperty(service);

    /// <summary>Reads it with Python's YAML, which docker-compose brings and uses.</summary>
    public static async Task<ComposeFile> ReadAsync()
    {
        JsonElement root = await ReadYamlAsync(Path);
        return new ComposeFile(root);
    }

    public static async Task<JsonElement> ReadYamlAsync(string path)
    {
        ToolResult result = await Tool.RunAsync(Tool.Python, ["-c", "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)", path]);
        Assert.True(result.ExitCode == 0, $"{path}: {result}");
        return JsonElement.Parse(result.Output);
    }

    /// <summary>What a service mounts, as source and place; variables have their defaults.</summary>
    public IEnumerable<(string Source, string Target)> MountsOf(string service) =>
        Strings(this[service], "volumes").Select(static volume => volume.Replace("${WARP_SECRETS:-secrets}", "secrets", StringComparison.Ordinal).Split(':')).Select(static parts => (parts[0], parts[1]));

    public static string[] Strings(JsonElement element, string property) =>
        element.TryGetProperty(property, out JsonElement list) ? [.. list.EnumerateArray().Select(static one => one.GetString()!)] : [];
}
