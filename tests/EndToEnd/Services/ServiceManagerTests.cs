using System.Diagnostics;
using System.Globalization;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Services;

/// <summary>What both programs tell the service manager that started them (sd_notify(3)).</summary>
public sealed class ServiceManagerTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Proxy_says_when_it_serves_reloads_and_ends()
    {
        await using var scenario = new Scenario(output);
        using var manager = new ServiceManagerSocket(scenario.File("notify"));
        using var certificate = TestCertificate.Rsa(2048);
        string config = scenario.Write("proxy.json", """{ "Shutdown": { "Drain": "00:03:20" } }""");
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, [.. certificate.WriteTo(scenario), "--config", config], new Dictionary<string, string> { ["NOTIFY_SOCKET"] = manager.Address });
        IReadOnlyDictionary<string, string> ready = await manager.ReceiveAsync();
        Assert.Equal("1", ready["READY"]);
        Assert.Equal($"Serving {proxy.Url.GetLeftPart(UriPartial.Authority)}", ready["STATUS"]);

        long asked = Microseconds();
        scenario.Write("proxy.json", """{ "Shutdown": { "Drain": "00:05:00" } }""");
        proxy.Process.Send(Signal.Hangup);
        IReadOnlyDictionary<string, string> reloading = await manager.ReceiveAsync();
        Assert.Equal("1", reloading["RELOADING"]);
        Assert.InRange(long.Parse(reloading["MONOTONIC_USEC"], CultureInfo.InvariantCulture), asked, Microseconds());
        Assert.Equal("1", (await manager.ReceiveAsync())["READY"]);

        proxy.Process.Send(Signal.Terminate);
        IReadOnlyDictionary<string, string> stopping = await manager.ReceiveAsync();
        Assert.Equal("1", stopping["STOPPING"]);

        // Shutdown:Drain as it was reloaded, and what the rest of the end may take.
        Assert.InRange(long.Parse(stopping["EXTEND_TIMEOUT_USEC"], CultureInfo.InvariantCulture), 305_000_000, 400_000_000);
        Assert.Equal(0, await proxy.Process.WaitForExitAsync(Patience));
    }

    [Fact]
    public async Task Proxy_whose_reload_is_refused_says_that_it_serves_again()
    {
        await using var scenario = new Scenario(output);
        using var manager = new ServiceManagerSocket(scenario.File("notify"));
        using var certificate = TestCertificate.Rsa(2048);
        string config = scenario.Write("proxy.json", "{}");
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, [.. certificate.WriteTo(scenario), "--config", config], new Dictionary<string, string> { ["NOTIFY_SOCKET"] = manager.Address });
        Assert.Equal("1", (await manager.ReceiveAsync())["READY"]);
        scenario.Write("proxy.json", """{ "Offload": { "Depth": 300 } }""");
        proxy.Process.Send(Signal.Hangup);
        Assert.Equal("1", (await manager.ReceiveAsync())["RELOADING"]);
        Assert.Equal("1", (await manager.ReceiveAsync())["READY"]);
    }

    [Fact]
    public async Task Proxy_serves_though_the_manager_is_not_there()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, certificate.WriteTo(scenario), new Dictionary<string, string> { ["NOTIFY_SOCKET"] = scenario.File("nobody") });
        await Eventually.TrueAsync(
            "it says so", () => proxy.Process.Errors.Any(static line => line.StartsWith("The service manager could not be told 'READY=1':", StringComparison.Ordinal)));
        Assert.False(proxy.Process.HasExited);
    }

    [Fact]
    public async Task Emulator_says_when_its_socket_is_there_and_when_it_ends()
    {
        await using var scenario = new Scenario(output);
        using var manager = new ServiceManagerSocket(scenario.File("notify"));
        await using RunningProcess emulator = scenario.Start(
            Executable.Emulator, ["--socket", scenario.File("device.sock")], new Dictionary<string, string> { ["NOTIFY_SOCKET"] = manager.Address });
        Assert.Equal("1", (await manager.ReceiveAsync())["READY"]);
        Assert.True(File.Exists(scenario.File("device.sock")));
        emulator.Send(Signal.Terminate);
        Assert.Equal("1", (await manager.ReceiveAsync())["STOPPING"]);
        Assert.Equal(0, await emulator.WaitForExitAsync(Patience));
    }

    private static long Microseconds() => (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds;
}
