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
        await using var survivors = new ClientCrowd(8, survivor.Url, certificate.Root);
        await using var victims = new ClientCrowd(8, victim.Url, certificate.Root);
        await survivors.ServeMoreAsync(50);
        await victims.ServeMoreAsync(50);

        // The limit is reached: the third proxy gets no queue, and serves all the same.
        await using ProxyProcess third = await StartWithQueuesAsync(scenario, arguments, 0);
        var client = new TlsClient(third.Url, certificate.Root);
        await client.GetAsync();
        Assert.Equal("device 0, software 1, no_device 1", (await third.StatusAsync()).Operations.Since(new OperationStatus(0, 0, [])));

        victim.Process.Send(Signal.Kill);
        await victim.Process.WaitForExitAsync(TimeSpan.FromMinutes(2));
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

    [Fact]
    public async Task Three_proxies_with_two_queues_all_serve_and_the_queue_of_one_that_stops_goes_to_the_one_without()
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        EmulatorProcess emulator = await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock"), "--queues", "2");
        string[] arguments = [.. certificate.WriteTo(scenario), "--device", emulator.DeviceUri];
        var oneQueue = new Dictionary<string, string>(ProxyProcess.LongDeadline) { ["WARPPROXY_Offload__QueuesPerDevice"] = "1" };
        await using ProxyProcess first = await StartWithQueuesAsync(scenario, arguments, 1, oneQueue);
        await using ProxyProcess second = await StartWithQueuesAsync(scenario, arguments, 1, oneQueue);
        await using ProxyProcess third = await StartWithQueuesAsync(scenario, arguments, 0, oneQueue);
        await using var firstCrowd = new ClientCrowd(4, first.Url, certificate.Root);
        await using var secondCrowd = new ClientCrowd(4, second.Url, certificate.Root);
        await using var thirdCrowd = new ClientCrowd(4, third.Url, certificate.Root);
        ClientCrowd[] crowds = [firstCrowd, secondCrowd, thirdCrowd];
        await Task.WhenAll(crowds.Select(static crowd => crowd.ServeMoreAsync(100)));
        Assert.Equal(0, await QueueCountAsync(third));
        Assert.Equal(0, (await third.StatusAsync()).Operations.Device);
        Assert.True((await first.StatusAsync()).Operations.Device > 0);
        Assert.True((await second.StatusAsync()).Operations.Device > 0);

        await firstCrowd.StopAsync();
        first.Process.Send(Signal.Terminate);
        await first.Process.WaitForExitAsync(TimeSpan.FromSeconds(60));
        await Eventually.TrueAsync("the third proxy has the queue of the first", async () => await QueueCountAsync(third) == 1);
        await Task.WhenAll(secondCrowd.ServeMoreAsync(50), thirdCrowd.ServeMoreAsync(50));
        await Eventually.TrueAsync("the third proxy's operations go to the device", async () => (await third.StatusAsync()).Operations.Device > 0);
        await Task.WhenAll(secondCrowd.StopAsync(), thirdCrowd.StopAsync());
        Assert.All(crowds, static crowd => Assert.Empty(crowd.Failures));
    }

    private static async Task<ProxyProcess> StartWithQueuesAsync(
        Scenario scenario, string[] arguments, int queueCount, IReadOnlyDictionary<string, string>? environment = null)
    {
        ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, arguments, environment ?? ProxyProcess.LongDeadline);
        await Eventually.TrueAsync($"{queueCount} queues", async () => await QueueCountAsync(proxy) == queueCount);
        return proxy;
    }

    private static async Task<int> QueueCountAsync(ProxyProcess proxy) => Assert.Single((await proxy.StatusAsync()).Devices).QueueCount;
}
