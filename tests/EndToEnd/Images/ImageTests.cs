using System.Text.Json;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Images;

/// <summary>The images of the Dockerfile, built by buildah on bases of this machine and run as an engine would.</summary>
[Collection(Alone.Name)]
public sealed class ImageTests(BuiltImages images, ITestOutputHelper output) : IClassFixture<BuiltImages>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    // A busy machine may take longer than the default deadline.
    private static readonly Dictionary<string, string> ToTheDevice = new()
    {
        ["WARPPROXY_Offload__Devices__0"] = "emulator:/run/warp/device.sock", ["WARPPROXY_Offload__Path"] = "device", ["WARPPROXY_Offload__Deadline"] = "00:00:10",
    };

    [ImageFact]
    public async Task Results_have_what_they_need_and_nothing_of_the_build()
    {
        output.WriteLine(images.Report);
        foreach (string target in new[] { "emulator", "loadtest", "proxy" })
        {
            ImageConfiguration image = await ImageConfiguration.ReadAsync(images.Buildah, $"localhost/{target}");
            Assert.Equal("10001:10001", image.User);
            Assert.Equal("SIGTERM", image.StopSignal);
            Assert.StartsWith("/app/warp", Assert.Single(image.Entrypoint), StringComparison.Ordinal);
            Assert.Equal("MIT", image.Labels["org.opencontainers.image.licenses"]);
            Assert.Contains("org.opencontainers.image.version", image.Labels);

            string root = await images.Buildah.MakeRootAsync($"localhost/{target}");
            string[] files = [.. Directory.EnumerateFiles(root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })];
            output.WriteLine($"{target}: {Megabytes(files)} MB, of these {Megabytes(files.Where(file => file.StartsWith($"{root}/app/", StringComparison.Ordinal)))} MB are /app");
            Assert.DoesNotContain(files, file => Path.GetFileName(file) is "sh" or "bash" or "busybox" or "MSBuild.dll" or "NuGet.Config");
            Assert.DoesNotContain(files, file => Path.GetExtension(file) is ".cs" or ".csproj");
            Assert.False(Directory.Exists(Path.Combine(root, "source")), "the sources are in the result");
            Assert.Contains(files, file => file == $"{root}/app/LICENSE");

            // Whoever runs it may not change it.
            const UnixFileMode Others = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
            Assert.All(files, file => Assert.True((File.GetUnixFileMode(file) & Others) == 0, file));
            ToolResult owned = await Tool.RunAsync("/usr/bin/find", [root, "-uid", "10001", "-printf", "%P\n"]);
            Assert.All(owned.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), path => Assert.Contains(path, new[] { "run/warp", "var/cache/warpproxy", "var/lib/warpproxy" }));
        }

        static long Megabytes(IEnumerable<string> files) => files.Sum(static file => new FileInfo(file).Length) / 1_000_000;
    }

    [ImageFact]
    public async Task Proxy_and_emulator_in_roots_of_their_own_serve_clients_through_the_socket_that_they_share()
    {
        await using var scenario = new Scenario(output);
        (string emulatorRoot, ImageConfiguration emulatorImage) = await TakeAsync("emulator");
        (string proxyRoot, ImageConfiguration proxyImage) = await TakeAsync("proxy");
        (string loadtestRoot, ImageConfiguration loadtestImage) = await TakeAsync("loadtest");
        Dictionary<string, string> ofEmulator = new() { [await VolumeAsync("socket")] = "run/warp" };
        Dictionary<string, string> ofProxy = new() { [scenario.File("socket")] = "run/warp", [await VolumeAsync("state")] = "var/lib/warpproxy" };

        await using Container emulator = await Container.StartAsync(scenario, emulatorRoot, emulatorImage, ofEmulator);
        await HealthyAsync(emulator);
        await using Container proxy = await Container.StartAsync(scenario, proxyRoot, proxyImage, ofProxy, ToTheDevice);
        await HealthyAsync(proxy);

        // A page through the proxy, by the name that is in its certificate, which it made at its first start and keeps in its volume.
        ToolResult page = await proxy.RunBesideAsync(Tool.Curl, "--silent", "--show-error", "--max-time", "30", "--cacert", scenario.File("state/localhost.pem"), "https://localhost:8443/");
        Assert.True(page.ExitCode == 0, $"curl: {page}");
        Assert.Contains("WarpProxy is serving", page.Output, StringComparison.Ordinal);

        // A device that was too busy to answer at the start is asked again a moment later: until then software computes.
        await Eventually.TrueAsync("an operation of the device is counted", async () =>
        {
            await proxy.RunBesideAsync(Tool.Curl, "--silent", "--max-time", "30", "--cacert", scenario.File("state/localhost.pem"), "https://localhost:8443/");
            return (await ReadOperationsAsync(proxy)).Device >= 1;
        });
        output.WriteLine(page.Output);

        // The third image, in the network of the second. Names are the engine's to resolve.
        await using (Container load = await Container.StartAsync(
            scenario, loadtestRoot, loadtestImage, new Dictionary<string, string>(),
            command: ["handshakes", "https://127.0.0.1:8443/", "--connections", "4", "--seconds", "5", "--warmup", "0", "--timeout", "60", "--json"], network: proxy))
        {
            Assert.Equal(0, await load.Process.WaitForExitAsync(Limit));
            using JsonDocument result = JsonDocument.Parse(string.Concat(load.Process.Output));
            Assert.True(result.RootElement.GetProperty("handshakes").GetInt64() > 0);
        }

        // Without the device the proxy serves on, and is as well as before.
        emulator.Kill();
        page = await proxy.RunBesideAsync(Tool.Curl, "--silent", "--show-error", "--max-time", "30", "--cacert", scenario.File("state/localhost.pem"), "https://localhost:8443/");
        Assert.Contains("WarpProxy is serving", page.Output, StringComparison.Ordinal);
        await HealthyAsync(proxy);

        // An engine's stop is a drain, and its end is in order.
        proxy.Stop();
        Assert.Equal(0, await proxy.Process.WaitForExitAsync(Limit));

        async Task<string> VolumeAsync(string name)
        {
            // As an engine makes a volume: with the owner of the folder that it covers.
            Directory.CreateDirectory(scenario.File(name));
            Assert.Equal(0, (await Tool.RunAsync("/usr/bin/chown", ["10001:10001", scenario.File(name)])).ExitCode);
            return scenario.File(name);
        }
    }

    [ImageFact]
    public async Task Proxy_without_anything_mounted_serves_with_the_device_in_its_own_process()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        certificate.WriteTo(scenario);
        (string root, ImageConfiguration image) = await TakeAsync("proxy");

        // What is not mounted cannot be written: so the certificate has to be given.
        string certificates = scenario.File("certificates");
        Directory.CreateDirectory(certificates);
        File.Copy(scenario.File("certificate.pem"), Path.Combine(certificates, "site.pem"));
        File.Copy(scenario.File("key.pem"), Path.Combine(certificates, "site.key"));
        await using Container proxy = await Container.StartAsync(
            scenario, root, image, new Dictionary<string, string> { [certificates] = "var/lib/warpproxy" },
            new Dictionary<string, string>
            {
                ["WARPPROXY_Certificate__File"] = "/var/lib/warpproxy/site.pem", ["WARPPROXY_Certificate__KeyFile"] = "/var/lib/warpproxy/site.key",
                ["WARPPROXY_Offload__Path"] = "device", ["WARPPROXY_Offload__Deadline"] = "00:00:10",
            });
        await HealthyAsync(proxy);
        ToolResult page = await proxy.RunBesideAsync(Tool.Curl, "--silent", "--show-error", "--max-time", "30", "--cacert", scenario.File("root.pem"), "https://localhost:8443/");
        Assert.Contains("WarpProxy is serving", page.Output, StringComparison.Ordinal);

        // A device that was too busy to answer at the start is asked again a moment later: until then software computes.
        await Eventually.TrueAsync("an operation of the device is counted", async () =>
        {
            await proxy.RunBesideAsync(Tool.Curl, "--silent", "--max-time", "30", "--cacert", scenario.File("root.pem"), "https://localhost:8443/");
            return (await ReadOperationsAsync(proxy)).Device >= 1;
        });
        proxy.Stop();
        Assert.Equal(0, await proxy.Process.WaitForExitAsync(Limit));
    }

    private static async Task HealthyAsync(Container container)
    {
        ToolResult? last = null;
        await Eventually.TrueAsync("the image's health check says that it is well", async () =>
        {
            Assert.False(container.Process.HasExited, container.Process.Transcript());
            last = await container.CheckHealthAsync();
            return last.ExitCode == 0;
        });
    }

    private static async Task<OperationStatus> ReadOperationsAsync(Container proxy)
    {
        ToolResult status = await proxy.RunBesideAsync(Tool.Curl, "--silent", "--show-error", "--max-time", "30", "http://127.0.0.1:9901/status");
        Assert.True(status.ExitCode == 0, $"curl: {status}");
        return JsonSerializer.Deserialize<ProxyStatus>(status.Output, JsonSerializerOptions.Web)!.Operations;
    }

    private async Task<(string Root, ImageConfiguration Image)> TakeAsync(string target) =>
        (await images.Buildah.MakeRootAsync($"localhost/{target}"), await ImageConfiguration.ReadAsync(images.Buildah, $"localhost/{target}"));
}
