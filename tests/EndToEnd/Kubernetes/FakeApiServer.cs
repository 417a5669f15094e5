using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace WarpProxy.Tests.EndToEnd.Kubernetes;

/// <summary>As much of Kubernetes' API as kubectl needs to read and to patch one Secret.</summary>
internal sealed class FakeApiServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly JsonObject _secret;
    private readonly ConcurrentQueue<string> _requests = new();

    private FakeApiServer(WebApplication application, JsonObject secret) => (_application, _secret) = (application, secret);

    public Uri Url => new(_application.Urls.First());

    /// <summary>Data of the Secret, by name.</summary>
    public SortedDictionary<string, string> Data =>
        new(_secret["data"]!.AsObject().ToDictionary(key => key.Key, key => Manifests.Text(key.Value)), StringComparer.Ordinal);

    /// <summary>Method and path of the requests for namespaces, each once.</summary>
    public IEnumerable<string> Requests => _requests.Where(request => request.Contains("/namespaces/", StringComparison.Ordinal)).Distinct().Order();

    public static async Task<FakeApiServer> StartAsync(JsonNode secret)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        WebApplication application = builder.Build();
        var server = new FakeApiServer(application, secret.DeepClone().AsObject());
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
            case ("GET", "/api"):
                await WriteAsync(context, """{ "kind": "APIVersions", "versions": [ "v1" ] }""");
                break;
            case ("GET", "/apis"):
                await WriteAsync(context, """{ "kind": "APIGroupList", "apiVersion": "v1", "groups": [] }""");
                break;
            case ("GET", "/api/v1"):
                await WriteAsync(context, """
                    { "kind": "APIResourceList", "groupVersion": "v1",
                      "resources": [ { "name": "secrets", "singularName": "secret", "namespaced": true, "kind": "Secret", "verbs": [ "get", "patch" ] } ] }
                    """);
                break;
            case ("GET", _) when path == SecretPath:
                await WriteAsync(context, _secret.ToJsonString());
                break;
            case ("PATCH", _) when path == SecretPath && context.Request.ContentType == "application/merge-patch+json":
                Merge(_secret, (await JsonNode.ParseAsync(context.Request.Body))!.AsObject());
                await WriteAsync(context, _secret.ToJsonString());
                break;
            default:
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                break;
        }
    }

    private string SecretPath => $"/api/v1/namespaces/{Manifests.Text(_secret["metadata"]!["namespace"])}/secrets/{Manifests.Text(_secret["metadata"]!["name"])}";

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
