using System.Globalization;
using Xunit.Abstractions;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>
/// Runs of <see cref="PoolSimulation"/>, each of one seed. More of them: <c>WARP_SEEDS=1000000 dotnet test tests/Unit --filter PoolSimulation</c>;
/// one that failed, with what happened in it: <c>WARP_SEED=123 dotnet test tests/Unit --filter PoolSimulation</c>.
/// </summary>
public sealed class PoolSimulationTests(ITestOutputHelper output)
{
    private const int SeedsOfEveryDay = 10_000;

    // Each run locks memory, of which a process may lock only so much: the other tests want some too.
    private const int MaxThreads = 4;

    [Fact]
    public void Whatever_goes_wrong_every_operation_ends_once_with_the_right_answer()
    {
        if (Environment.GetEnvironmentVariable("WARP_SEED") is { Length: > 0 } one)
        {
            Reproduce(int.Parse(one, CultureInfo.InvariantCulture));
            return;
        }

        int seeds = Environment.GetEnvironmentVariable("WARP_SEEDS") is { Length: > 0 } many ? int.Parse(many, CultureInfo.InvariantCulture) : SeedsOfEveryDay;
        var counts = new SimulationCounts();
        int next = 0;
        string? failure = null;
        var threads = Enumerable.Range(0, Math.Min(Environment.ProcessorCount, MaxThreads)).Select(_ => new Thread(Work) { IsBackground = true }).ToList();
        threads.ForEach(static thread => thread.Start());
        threads.ForEach(static thread => thread.Join());
        output.WriteLine(counts.ToString());
        Assert.True(failure is null, failure);

        void Work()
        {
            var own = new SimulationCounts();
            while (Volatile.Read(ref failure) is null && Interlocked.Increment(ref next) is int seed && seed <= seeds)
            {
                if (TryRun(seed, own) is { } problem)
                {
                    Interlocked.CompareExchange(ref failure, problem, null);
                }
            }

            lock (counts)
            {
                counts.Add(own);
            }
        }
    }

    [Fact]
    public void Same_seed_makes_the_same_run()
    {
        for (int seed = 1; seed <= 20; seed++)
        {
            Assert.Equal(Hash(seed), Hash(seed));
        }

        Assert.NotEqual(Hash(1), Hash(2));
    }

    private static ulong Hash(int seed)
    {
        using var simulation = new PoolSimulation(seed, new SimulationCounts());
        simulation.Run();
        return simulation.Trace.Hash;
    }

    private static string? TryRun(int seed, SimulationCounts counts)
    {
        try
        {
            using var simulation = new PoolSimulation(seed, counts);
            simulation.Run();
            return null;
        }
#pragma warning disable CA1031 // Whatever a run throws is the answer.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return $"Seed {seed}: {e}{Environment.NewLine}To see it: WARP_SEED={seed} dotnet test tests/Unit --filter PoolSimulation";
        }
    }

    private void Reproduce(int seed)
    {
        var counts = new SimulationCounts();
        var simulation = new PoolSimulation(seed, counts, keepsText: true);
        try
        {
            simulation.Run();
            simulation.Dispose();
        }
        finally
        {
            output.WriteLine(string.Join(Environment.NewLine, simulation.Trace.Lines));
            output.WriteLine($"seed {seed}, trace {simulation.Trace.Hash:x16}");
        }

        output.WriteLine(counts.ToString());
    }
}
