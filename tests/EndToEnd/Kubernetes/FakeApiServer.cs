using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace WarpProxy.Tests.EndToEnd.Kubernetes;

/// <summary>As much of Kubernetes' API as kubectl needs to read and to patch one Secret, and Helm to look at that and other objects.</summary>
internal sealed class FakeApiServer : IAsyncDisposable
{
    /// <summary>Kinds of objects, by the path of their group and version.</summary>
    private static readonly Dictionary<string, string[]> Kinds = new()
    {
        ["/api/v1"] = ["ConfigMap", "Secret", "Service", "ServiceAccount"],
        ["/apis/apps/v1"] = ["DaemonSet", "Deployment"],
        ["/apis/autoscaling/v2"] = ["HorizontalPodAutoscaler"],
        ["/apis/policy/v1"] = ["PodDisruptionBudget"],
    };

    private readonly WebApplication _application;
    private readonly JsonObject _secret;
    private readonly Dictionary<string, JsonNode> _objects;
    private readonly ConcurrentQueue<string> _requests = new();

    private FakeApiServer(WebApplication application, JsonObject secret, IEnumerable<JsonNode> others)
    {
        (_application, _secret) = (application, secret);
        _objects = others.Append(secret).ToDictionary(PathOf);
    }

    public Uri Url => new(_application.Urls.First());

    /// <summary>Data of the Secret, by name.</summary>
    public SortedDictionary<string, string> Data =>
        new(_secret["data"]!.AsObject().ToDictionary(key => key.Key, key => Manifests.Text(key.Value)), StringComparer.Ordinal);

    /// <summary>Method and path of the requests for namespaces, each once.</summary>
    public IEnumerable<string> Requests => _requests.Where(request => request.Contains("/namespaces/", StringComparison.Ordinal)).Distinct().Order();

    public static async Task<FakeApiServer> StartAsync(JsonNode secret, params JsonNode[] others)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        WebApplication application = builder.Build();
        var server = new FakeApiServer(application, secret.DeepClone().AsObject(), others);
        application.Run(server.AnswerAsync);
        await application.StartAsync();
        return server;
    }

    /// <summary>A configuration of kubectl that leads here.</summary>
    public string WriteKubeconfig(string path)
    {
        File.WriteAllText(path, $$"""
            { "apiVersion": "v1", "kind": "Config", "current-context": "test",
              "clusters": [ { "name": "test", "cluster": { "server": "{{Url}}" } } ],
              "users": [ { "name": "test", "user": {} } ],
              "contexts": [ { "name": "test", "context": { "cluster": "test", "user": "test" } } ] }
            """);
        return path;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path;
        _requests.Enqueue($"{context.Request.Method} {path}");
        switch (context.Request.Method, path)
        {
            case ("GET", "/version"):
                await WriteAsync(context, """{ "major": "1", "minor": "34", "gitVersion": "v1.34.0" }""");
                break;
            case ("GET", "/api"):
                await WriteAsync(context, """{ "kind": "APIVersions", "versions": [ "v1" ] }""");
                break;
            case ("GET", "/apis"):
                await WriteAsync(context, $$"""{ "kind": "APIGroupList", "apiVersion": "v1", "groups": [ {{string.Join(", ", Kinds.Keys.Where(one => one != "/api/v1").Select(Group))}} ] }""");
                break;
            case ("GET", _) when Kinds.TryGetValue(path, out string[]? kinds):
                await WriteAsync(context, $$"""
                    { "kind": "APIResourceList", "groupVersion": "{{GroupVersion(path)}}", "resources": [ {{string.Join(", ", kinds.Select(Resource))}} ] }
                    """);
                break;
            case ("GET", _) when _objects.TryGetValue(path, out JsonNode? found):
                await WriteAsync(context, found.ToJsonString());
                break;
            case ("PATCH", _) when path == PathOf(_secret) && context.Request.ContentType == "application/merge-patch+json":
                Merge(_secret, (await JsonNode.ParseAsync(context.Request.Body))!.AsObject());
                await WriteAsync(context, _secret.ToJsonString());
                break;
            default:
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                break;
        }
    }

    private static string PathOf(JsonNode one)
    {
        string version = Manifests.Text(one["apiVersion"]);
        string group = version.Contains('/', StringComparison.Ordinal) ? "apis" : "api";
        return $"/{group}/{version}/namespaces/{Manifests.Text(one["metadata"]!["namespace"])}/{PluralOf(Manifests.Text(one["kind"]))}/{Manifests.Text(one["metadata"]!["name"])}";
    }

    private static string PluralOf(string kind) => $"{kind.ToLowerInvariant()}s";

    private static string GroupVersion(string path) => path.Split('/', 3)[2];

    private static string Group(string path) => $$"""
        { "name": "{{path.Split('/')[2]}}", "versions": [ { "groupVersion": "{{GroupVersion(path)}}", "version": "{{path.Split('/')[3]}}" } ] }
        """;

    private static string Resource(string kind) => $$"""
        { "name": "{{PluralOf(kind)}}", "singularName": "{{kind.ToLowerInvariant()}}", "namespaced": true, "kind": "{{kind}}", "verbs": [ "get", "patch" ] }
        """;

    /// <summary>RFC 7396.</summary>
    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach ((string name, JsonNode? value) in patch)
        {
            if (value is null)
            {
                target.Remove(name);
            }
            else if (value is JsonObject branch && target[name] is JsonObject existing)
            {
                Merge(existing, branch);
            }
            else
            {
                target[name] = value.DeepClone();
            }
        }
    }

    private static Task WriteAsync(HttpContext context, string json)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json);
    }
}
