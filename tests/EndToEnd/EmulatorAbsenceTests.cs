using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>An emulator that is not there, not yet there, killed or stopped: clients notice nothing.</summary>
[Collection(Alone.Name)]
public sealed class EmulatorAbsenceTests(ITestOutputHelper output)
{
    private const int Clients = 64;
    private const int Rounds = 5;
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(12);

    // A device that misses its deadlines on a busy machine, too, is kept out for up to a minute before it is tried again.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task Emulator_that_is_absent_at_start_is_used_when_it_appears()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        string socket = scenario.File("device.sock");
        await using ProxyProcess proxy = await StartAsync(scenario, certificate, socket, ProxyProcess.LongDeadline);
        var client = new TlsClient(proxy.Url, certificate.Root);
        for (int i = 0; i < 5; i++)
        {
            await client.GetAsync();
        }

        OperationStatus before = (await proxy.StatusAsync()).Operations;
        Assert.Equal("device 0, software 5, no_device 5", before.Since(new OperationStatus(0, 0, [])));

        await EmulatorProcess.StartAsync(scenario, socket);
        await Eventually.TrueAsync("the emulator is ready", async () => await StateAsync(proxy) is { State: "ready", QueueCount: 16 });
        await client.GetAsync();

        Assert.Equal("device 1, software 0", (await proxy.StatusAsync()).Operations.Since(before));
        await proxy.Process.HearAsync(line => line.Contains("is absent", StringComparison.Ordinal));
        await proxy.Process.HearAsync(line => line.Contains("taken into use", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Stopped_emulator_is_worked_around_and_used_again()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        EmulatorProcess emulator = await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock"));
        await using ProxyProcess proxy = await StartAsync(scenario, certificate, scenario.File("device.sock"));
        await using var crowd = new ClientCrowd(16, proxy.Url, certificate.Root);
        await crowd.ServeMoreAsync(100);

        // Until every queue was given up, and the device did not answer when one was to be opened again.
        emulator.Process.Send(Signal.Stop);
        await Eventually.TrueAsync("the device is absent", async () => await StateAsync(proxy) is { State: "absent", QueueCount: 0 }, Patience);
        OperationStatus stopped = (await proxy.StatusAsync()).Operations;
        Assert.True(stopped.Fallback.GetValueOrDefault("deadline") > 0, "no operation was counted as past its deadline");
        await crowd.ServeMoreAsync(100);
        Assert.Equal(stopped.Device, (await proxy.StatusAsync()).Operations.Device);

        emulator.Process.Send(Signal.Continue);
        await Eventually.TrueAsync("all queues are back", async () => await StateAsync(proxy) is { State: "ready", QueueCount: 16 }, Patience);
        await Eventually.TrueAsync("operations return to the device", async () => (await proxy.StatusAsync()).Operations.Device > stopped.Device, Patience);
        await crowd.StopAsync();
        Assert.Empty(crowd.Failures);
        await Eventually.TrueAsync("nothing is in use", async () => (await proxy.StatusAsync()).Leaks == new LeakStatus(0, 0, 0));
        OperationStatus all = (await proxy.StatusAsync()).Operations;
        Assert.Equal(crowd.ServedCount, all.Device + all.Software);
    }

    [Fact]
    public async Task Emulator_killed_five_times_under_64_clients_costs_no_handshake()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        string socket = scenario.File("device.sock");
        EmulatorProcess emulator = await EmulatorProcess.StartAsync(scenario, socket);
        await using ProxyProcess proxy = await StartAsync(scenario, certificate, socket);
        await using var crowd = new ClientCrowd(Clients, proxy.Url, certificate.Root);
        var returns = new List<TimeSpan>();
        using var round = new PeriodicTimer(RoundTime);
        for (int i = 0; i < Rounds; i++)
        {
            // With the device, without it, and with it again.
            await crowd.ServeMoreAsync(2 * Clients);
            await emulator.KillAsync();
            await crowd.ServeMoreAsync(2 * Clients);
            long byDevice = (await proxy.StatusAsync()).Operations.Device;
            emulator = await EmulatorProcess.StartAsync(scenario, socket);
            long back = Environment.TickCount64;
            await Eventually.TrueAsync("operations return to the device", async () => (await proxy.StatusAsync()).Operations.Device > byDevice, Patience);
            returns.Add(TimeSpan.FromMilliseconds(Environment.TickCount64 - back));
            await round.WaitForNextTickAsync();
        }

        await crowd.StopAsync();
        await Eventually.TrueAsync("nothing is in use", async () => (await proxy.StatusAsync()).Leaks == new LeakStatus(0, 0, 0));
        OperationStatus operations = (await proxy.StatusAsync()).Operations;
        output.WriteLine($"Served {crowd.ServedCount}, failed {crowd.Failures.Count}; {operations.Since(new OperationStatus(0, 0, []))}");
        output.WriteLine($"Back on the device after {string.Join(", ", returns.Select(time => $"{time.TotalMilliseconds} ms"))}");
        Assert.Empty(crowd.Failures);
        Assert.Equal(crowd.ServedCount, operations.Device + operations.Software);
        Assert.True(operations.Fallback.GetValueOrDefault("no_device") > 0, "the device was never missed");
    }

    private static Task<ProxyProcess> StartAsync(
        Scenario scenario, TestCertificate certificate, string socket, IReadOnlyDictionary<string, string>? environment = null) =>
        ProxyProcess.StartAsync(scenario, [.. certificate.WriteTo(scenario), "--device", $"emulator:{socket}"], environment ?? ProxyProcess.DefaultDeadline);

    private static async Task<DeviceStatus> StateAsync(ProxyProcess proxy) => Assert.Single((await proxy.StatusAsync()).Devices);
}
