using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>Several proxies on one emulator.</summary>
[Collection(Alone.Name)]
public sealed class SharedEmulatorTests(ITestOutputHelper output)
{
    private const int QueuesPerProxy = 16;

    [Fact]
    public async Task Killed_proxy_leaves_its_queues_to_others_and_disturbs_none()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        EmulatorProcess emulator = await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock"), "--queues", $"{2 * QueuesPerProxy}");
        string[] arguments = [.. certificate.WriteTo(scenario), "--device", emulator.DeviceUri];
        await using ProxyProcess survivor = await StartWithQueuesAsync(scenario, arguments, QueuesPerProxy);
        await using ProxyProcess victim = await StartWithQueuesAsync(scenario, arguments, QueuesPerProxy);
        var survivors = new ClientCrowd(8, survivor.Url, certificate.Root);
        var victims = new ClientCrowd(8, victim.Url, certificate.Root);
        await survivors.ServeMoreAsync(50);
        await victims.ServeMoreAsync(50);

        // The limit is reached: the third proxy gets no queue, and serves all the same.
        await using ProxyProcess third = await StartWithQueuesAsync(scenario, arguments, 0);
        var client = new TlsClient(third.Url, certificate.Root);
        await client.GetAsync();
        Assert.Equal("device 0, software 1, no_device 1", (await third.StatusAsync()).Operations.Since(new OperationStatus(0, 0, [])));

        victim.Process.Send(Signal.Kill);
        await victim.Process.WaitForExitAsync(TimeSpan.FromSeconds(20));
        Task stopping = victims.StopAsync();
        await survivors.ServeMoreAsync(100);
        await Eventually.TrueAsync("the third proxy has the queues of the dead one", async () => await QueueCountAsync(third) == QueuesPerProxy);
        await client.GetAsync();
        Assert.Equal(1, (await third.StatusAsync()).Operations.Device);
        await stopping;
        await survivors.StopAsync();

        Assert.Empty(survivors.Failures);
        Assert.Equal(
            $"device {survivors.ServedCount}, software 0", (await survivor.StatusAsync()).Operations.Since(new OperationStatus(0, 0, [])));
        await Eventually.TrueAsync("nothing is in use", async () => (await survivor.StatusAsync()).Leaks == new LeakStatus(0, 0, 0));
    }

    private static async Task<ProxyProcess> StartWithQueuesAsync(Scenario scenario, string[] arguments, int queueCount)
    {
        ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, arguments, ProxyProcess.LongDeadline);
        await Eventually.TrueAsync($"{queueCount} queues", async () => await QueueCountAsync(proxy) == queueCount);
        return proxy;
    }

    private static async Task<int> QueueCountAsync(ProxyProcess proxy) => Assert.Single((await proxy.StatusAsync()).Devices).QueueCount;
}
