using System.Text.Json;

namespace WarpProxy.Tests.EndToEnd.Images;

/// <summary>What an image says of itself to whoever runs it.</summary>
internal sealed record ImageConfiguration(
    string User, string[] Entrypoint, string[] Cmd, string[] Env, string StopSignal, Dictionary<string, string> Labels, Dictionary<string, object>? ExposedPorts, HealthCheck? Healthcheck)
{
    public static async Task<ImageConfiguration> ReadAsync(Buildah buildah, string image)
    {
        using JsonDocument document = JsonDocument.Parse(await buildah.RunAsync("inspect", "--type", "image", image));
        return document.RootElement.GetProperty("Docker").GetProperty("config").Deserialize<ImageConfiguration>()!;
    }
}

internal sealed record HealthCheck(string[] Test);
