using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>A device that does wrong by a plan (<c>warp-emulator --faults</c>): every client is served rightly, and each reason is counted.</summary>
[Collection(Alone.Name)]
public sealed class FaultyDeviceTests(ITestOutputHelper output)
{
    private const int Clients = 16;

    [Theory]
    [InlineData("""{ "kind": "wrong", "probability": 0.004 }""", "wrong_result")]
    [InlineData("""{ "kind": "zero", "probability": 0.004 }""", "wrong_result")]
    [InlineData("""{ "kind": "swap", "probability": 0.004 }""", "wrong_result")]
    [InlineData("""{ "kind": "error", "status": 5, "probability": 0.004 }""", "device_error")]
    [InlineData("""{ "kind": "drop", "probability": 0.004 }""", "deadline")]
    [InlineData("""{ "kind": "delay", "seconds": 1, "probability": 0.004 }""", "deadline")]
    [InlineData("""{ "kind": "stall", "queues": [0, 1, 2, 3, 4, 5, 6, 7] }""", "deadline")]
    [InlineData("""{ "kind": "slow", "factor": 1000 }""", "deadline")]
    [InlineData("""{ "kind": "reset", "seconds": 0.5 }""", "device_gone")]
    [InlineData("""{ "kind": "disconnect", "seconds": 0.5 }""", "device_gone")]
    public async Task No_client_notices(string fault, string reason)
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        string plan = scenario.Write("plan.json", $$"""{ "seed": 1, "faults": [{{fault}}] }""");
        EmulatorProcess emulator = await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock"), "--faults", plan);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, [.. certificate.WriteTo(scenario), "--device", emulator.DeviceUri], ProxyProcess.DefaultDeadline);

        await using var crowd = new ClientCrowd(Clients, proxy.Url, certificate.Root);

        // A device that is at fault when it is probed gets no work at all; that is a reason too.
        await Eventually.TrueAsync($"{reason} is counted", async () =>
        {
            Dictionary<string, long> fallback = (await proxy.StatusAsync()).Operations.Fallback;
            return fallback.GetValueOrDefault(reason) + fallback.GetValueOrDefault("quarantined") > 0;
        }, TimeSpan.FromMinutes(5));
        await crowd.ServeMoreAsync(10 * Clients);
        await crowd.StopAsync();

        OperationStatus operations = (await proxy.StatusAsync()).Operations;
        output.WriteLine($"Served {crowd.ServedCount}; {operations.Since(new OperationStatus(0, 0, []))}");
        Assert.Empty(crowd.Failures);
        Assert.Equal(crowd.ServedCount, operations.Device + operations.Software);
    }
}
