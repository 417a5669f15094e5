using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

public sealed class ThreadSchedulingTests(ITestOutputHelper output)
{
    private const int SchedOther = 0;
    private const int SchedBatch = 3;

    [Theory]
    [InlineData("own", SchedBatch)]
    [InlineData("shared", SchedOther)]
    public async Task Lanes_and_thread_pool_run_as_SCHED_BATCH_unless_processors_are_shared_and_engines_as_SCHED_OTHER(string processors, int expected)
    {
        await using var scenario = new Scenario(output);
        using var certificate = TestCertificate.Rsa(2048);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, certificate.WriteTo(scenario), new Dictionary<string, string> { ["WARPPROXY_Server__Processors"] = processors });
        for (int i = 0; i < 8; i++)
        {
            await new TlsClient(proxy.Url, certificate.Root).GetAsync();
        }

        Assert.All(Policies(proxy.Process.Id, "lane-", count: 16), policy => Assert.Equal(expected, policy));
        Assert.All(Policies(proxy.Process.Id, "warp-engine-", count: 1), policy => Assert.Equal(SchedOther, policy));
        Assert.All(Policies(proxy.Process.Id, ".NET TP Worker", count: 1), policy => Assert.Equal(expected, policy));
        Assert.All(Policies(proxy.Process.Id, ".NET Sockets", count: 1), policy => Assert.Equal(expected, policy));
    }

    /// <summary>Scheduling policies of the threads whose name begins so: field 41 of their stat (proc(5)). At least <paramref name="count"/>.</summary>
    private static List<int> Policies(int process, string name, int count)
    {
        List<int> policies = [];
        foreach (string thread in Directory.GetDirectories($"/proc/{process}/task"))
        {
            string stat;
            try
            {
                stat = File.ReadAllText(Path.Combine(thread, "stat"));
            }
            catch (IOException)
            {
                continue; // it has just ended
            }

            int nameEnd = stat.LastIndexOf(')');
            if (stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..nameEnd].StartsWith(name, StringComparison.Ordinal))
            {
                policies.Add(int.Parse(stat[(nameEnd + 2)..].Split(' ')[41 - 3], System.Globalization.CultureInfo.InvariantCulture));
            }
        }

        Assert.True(policies.Count >= count, $"{policies.Count} threads are called {name}..., and there must be {count} or more");
        return policies;
    }
}
