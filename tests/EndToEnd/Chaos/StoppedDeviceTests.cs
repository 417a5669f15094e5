using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Chaos;

/// <summary>
/// A device that neither answers nor goes away. Longer by
/// <c>WARP_STOP_SECONDS=30 dotnet test tests/EndToEnd -c Release --filter StoppedDevice --logger "console;verbosity=detailed"</c>.
/// </summary>
[Collection(Alone.Name)]
public sealed class StoppedDeviceTests(ITestOutputHelper output)
{
    private const int Clients = 8;

    private static readonly TimeSpan Stop = TimeSpan.FromSeconds(Given.Number("WARP_STOP_SECONDS", 3));

    [Fact]
    public async Task No_client_waits_for_a_stopped_device_longer_than_its_deadline()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        await using EmulatorProcess emulator = await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock"));
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, [.. certificate.WriteTo(scenario), "--device", emulator.DeviceUri, "--path", "device"], ProxyProcess.DefaultDeadline);
        TimeSpan fair = await ServeAsync(proxy, certificate, crowd => crowd.ServeMoreAsync(400));

        // What is not ready gets nothing to be late with: on a busy machine it may have failed its first probe.
        await Eventually.TrueAsync("the device gets work", async () => (await proxy.StatusAsync()).Devices[0].State == "ready", TimeSpan.FromMinutes(2));
        emulator.Process.Send(Signal.Stop);
        long served = 0;
        TimeSpan stopped = await ServeAsync(proxy, certificate, async crowd =>
        {
            await crowd.ServeMoreAsync(10 * Clients);
            await Task.Delay(Stop);
            served = crowd.ServedCount;
        });
        output.WriteLine(
            $"The longest connection of {Clients} clients took {fair.TotalMilliseconds:0} ms, and {stopped.TotalMilliseconds:0} ms while the device was stopped for {Stop.TotalSeconds} s and {served} were served");

        OperationStatus operations = (await proxy.StatusAsync()).Operations;
        output.WriteLine($"Operations: {operations.Since(new OperationStatus(0, 0, []))}");
        Assert.True(operations.Fallback["deadline"] > 0);
        emulator.Process.Send(Signal.Continue);
        var client = new TlsClient(proxy.Url, certificate.Root);
        await Eventually.TrueAsync(
            "the device computes again",
            async () =>
            {
                await client.GetAsync();
                return (await proxy.StatusAsync()).Operations.Device > operations.Device;
            },
            TimeSpan.FromMinutes(2));
        await Eventually.TrueAsync("nothing is in use", async () => (await proxy.StatusAsync()).Leaks == new LeakStatus(0, 0, 0));
    }

    private static async Task<TimeSpan> ServeAsync(ProxyProcess proxy, TestCertificate certificate, Func<ClientCrowd, Task> whileAsync)
    {
        await using var crowd = new ClientCrowd(Clients, proxy.Url, certificate.Root);
        await whileAsync(crowd);
        await crowd.StopAsync();
        Assert.Empty(crowd.Failures);
        return crowd.Longest;
    }
}
