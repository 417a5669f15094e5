using System.Text.Json.Nodes;
using WarpProxy.Tests.EndToEnd.Harness;
using static WarpProxy.Tests.EndToEnd.Kubernetes.Manifests;

namespace WarpProxy.Tests.EndToEnd.Kubernetes;

/// <summary>A rendered configuration whose files are in a scenario instead of a pod, and whose ports the system chooses.</summary>
internal sealed class MountedChart : IDisposable
{
    private readonly Scenario _scenario;
    private readonly TlsSecrets _secrets;

    public MountedChart(Scenario scenario, Manifests chart)
    {
        _scenario = scenario;
        string folder = scenario.File("mounts");
        _secrets = new TlsSecrets(Path.Combine(folder, "certs"));
        JsonNode configuration = JsonNode.Parse(chart.Configuration)!;
        foreach ((string name, string host, bool isEcdsa) in CertificatesOf(chart, configuration))
        {
            _secrets.Write(name, host, isEcdsa);
        }

        Directory.CreateDirectory(Path.Combine(folder, "run"));
        Directory.CreateDirectory(Path.Combine(folder, "tickets"));
        foreach ((string file, JsonNode? key) in chart.Of("Secret").SelectMany(secret => secret["data"]!.AsObject()))
        {
            System.IO.File.WriteAllBytes(Path.Combine(folder, "tickets", file), Convert.FromBase64String(Text(key)));
        }

        Socket = Path.Combine(folder, "run", "device.sock");
        File = scenario.Write(
            "proxy.json",
            chart.Configuration
                .Replace("/etc/warpproxy/certs", Path.Combine(folder, "certs"), StringComparison.Ordinal)
                .Replace("/etc/warpproxy/tickets", Path.Combine(folder, "tickets"), StringComparison.Ordinal)
                .Replace("/run/warp/device.sock", Socket, StringComparison.Ordinal)
                .Replace("https://*:8443", "https://127.0.0.1:0", StringComparison.Ordinal)
                .Replace("http://*:8080", "http://127.0.0.1:0", StringComparison.Ordinal)
                .Replace("http://*:9902", "http://127.0.0.1:0", StringComparison.Ordinal));
        Root = scenario.Write("root.pem", _secrets.RootPem);
    }

    /// <summary>The proxy's configuration.</summary>
    public string File { get; }

    /// <summary>Where the emulator listens.</summary>
    public string Socket { get; }

    /// <summary>What clients trust.</summary>
    public string Root { get; }

    /// <summary>Starts the emulator with the arguments that the chart gives it.</summary>
    public Task<EmulatorProcess> StartEmulatorAsync(JsonNode container)
    {
        string[] arguments = [.. container["args"]!.AsArray().Select(Text)];
        Assert.Equal("--socket", arguments[0]);
        return EmulatorProcess.StartAsync(_scenario, Socket, arguments[2..]);
    }

    public void Dispose() => _secrets.Dispose();

    /// <summary>Each certificate with the host and the algorithm that its cert-manager object has, or with those of a chart that has none.</summary>
    private static IEnumerable<(string Name, string Host, bool IsEcdsa)> CertificatesOf(Manifests chart, JsonNode configuration)
    {
        foreach ((string name, JsonNode? _) in configuration["Certificates"]?.AsObject() ?? [])
        {
            JsonNode? asked = chart.Of("Certificate").Select(one => one["spec"]!).SingleOrDefault(one => Text(one["secretName"]) == name);
            yield return asked is null
                ? (name, name.Replace("-tls", ".example", StringComparison.Ordinal), false)
                : (name, Text(asked["dnsNames"]!.AsArray().Single()), Text(asked["privateKey"]!["algorithm"]) == "ECDSA");
        }
    }
}
