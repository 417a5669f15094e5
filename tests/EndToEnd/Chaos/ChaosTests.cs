using System.Security.Authentication;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Chaos;

/// <summary>
/// The worst day, made short. As long as one likes, and another day, by
/// <c>WARP_CHAOS_SECONDS=600 WARP_CHAOS_SEED=2 dotnet test tests/EndToEnd -c Release --filter Chaos --logger "console;verbosity=detailed"</c>.
/// </summary>
[Collection(Alone.Name)]
public sealed class ChaosTests(ITestOutputHelper output)
{
    private const int Clients = 200;

    // Far beyond what anything takes here: a client that waits so long has been forgotten.
    private static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Length = TimeSpan.FromSeconds(Given.Number("WARP_CHAOS_SECONDS", 25));
    private static readonly int Seed = Given.Number("WARP_CHAOS_SEED", 1);

    [Fact]
    public async Task Whatever_happens_to_device_certificate_and_configuration_no_client_notices()
    {
        await using var scenario = new Scenario(output);
        await using Upstream first = await Upstream.StartAsync();
        await using Upstream second = await Upstream.StartAsync();
        using var weather = new Weather(scenario, Seed, Routes(first, second));
        await weather.BeginAsync();
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, ["--config", weather.ConfigFile], ProxyProcess.DefaultDeadline);
        var client12 = new TlsClient(proxy.Url, weather.Issuer.Root, protocols: SslProtocols.Tls12, limit: Forgotten);
        var client13 = new TlsClient(proxy.Url, weather.Issuer.Root, protocols: SslProtocols.Tls13, limit: Forgotten);
        await using var crowd = new ClientCrowd(Clients, async number =>
        {
            var pattern = new Pattern(Random.Shared.Next(), Random.Shared.Next(16) == 0 ? Random.Shared.Next(200_000) : Random.Shared.Next(4_000));
            byte[] answer = await (number % 2 == 0 ? client12 : client13).GetAsync(pattern.Path);
            Assert.True(pattern.IsBodyOf(answer), $"Wrong bytes for {pattern}");
        });

        using var end = new CancellationTokenSource();
        var series = new ProcessSeries(proxy.Process.Id, Length / 30, output);
        Task measuring = series.RunAsync(() => crowd.ServedCount, end.Token);
        for (long start = Environment.TickCount64; Environment.TickCount64 - start < Length.TotalMilliseconds;)
        {
            await weather.NextAsync(proxy);
        }

        await weather.EndAsync();
        Assert.Empty(crowd.Failures);
        long before = (await proxy.StatusAsync()).Operations.Device;
        await Eventually.TrueAsync("the device computes again", async () => (await proxy.StatusAsync()).Operations.Device > before + Clients, TimeSpan.FromMinutes(5));
        await crowd.ServeMoreAsync(Clients);
        await crowd.StopAsync();
        await end.CancelAsync();
        await measuring;
        OperationStatus operations = (await proxy.StatusAsync()).Operations;
        output.WriteLine($"Seed {Seed}, {Length.TotalSeconds} s: {weather.Happened}");
        output.WriteLine($"Served {crowd.ServedCount}, failed {crowd.Failures.Count}, the longest took {crowd.Longest.TotalSeconds:0.0} s; operations: {operations.Since(new OperationStatus(0, 0, []))}");
        Assert.Empty(crowd.Failures);
        Assert.Empty(series.FindGrowth() ?? []);
        await Eventually.TrueAsync("nothing is in use", async () => (await proxy.StatusAsync()).Leaks == new LeakStatus(0, 0, 0));
        Assert.False(proxy.Process.HasExited);
    }

    private static string Routes(Upstream first, Upstream second) => $$$"""
        {{
            "Routes": {{ "all": {{ "ClusterId": "{0}", "Match": {{ "Path": "{{**all}}" }} }} }},
            "Clusters": {{
              "0": {{ "Destinations": {{ "here": {{ "Address": "{{{first.Url}}}" }} }} }},
              "1": {{ "Destinations": {{ "here": {{ "Address": "{{{second.Url}}}" }} }} }}
            }}
          }}
        """;

}
