using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
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

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [Fact]
    public void Whatever_goes_wrong_every_operation_ends_once_with_the_right_answer()
    {
        if (Environment.GetEnvironmentVariable("WARP_SEED") is { Length: > 0 } one)
        {
            OnOwnThread(() => Reproduce(int.Parse(one, CultureInfo.InvariantCulture)));
            return;
        }

        int seeds = Environment.GetEnvironmentVariable("WARP_SEEDS") is { Length: > 0 } many ? int.Parse(many, CultureInfo.InvariantCulture) : SeedsOfEveryDay;
        var counts = new SimulationCounts();
        int next = 0;
        string? failure = null;
        var runs = new Run?[Math.Min(Environment.ProcessorCount, MaxThreads)];
        List<Thread> threads = [.. runs.Select((_, number) => new Thread(() => Work(number)) { IsBackground = true })];
        threads.ForEach(static thread => thread.Start());
        while (failure is null && threads.Exists(static thread => !thread.Join(TimeSpan.FromSeconds(1))))
        {
            // A run takes milliseconds. One that takes as long as this goes round in a circle.
            Run? endless = Array.Find(runs, static run => run is not null && Stopwatch.GetElapsedTime(run.Started) > Patience);
            failure = endless is null ? failure : $"Seed {endless.Seed} does not end.{HowToSee(endless.Seed)}";
        }

        lock (counts)
        {
            output.WriteLine(counts.ToString());
        }

        Assert.True(failure is null, failure);

        void Work(int number)
        {
            var own = new SimulationCounts();
            while (Volatile.Read(ref failure) is null && Interlocked.Increment(ref next) is int seed && seed <= seeds)
            {
                Volatile.Write(ref runs[number], new Run(seed, Stopwatch.GetTimestamp()));
                if (TryRun(seed, own) is { } problem)
                {
                    Interlocked.CompareExchange(ref failure, problem, null);
                }
            }

            Volatile.Write(ref runs[number], null);
            lock (counts)
            {
                counts.Add(own);
            }
        }
    }

    [Fact]
    public void Same_seed_makes_the_same_run() => OnOwnThread(static () =>
    {
        for (int seed = 1; seed <= 50; seed++)
        {
            Assert.Equal(Hash(seed), Hash(seed));
        }

        Assert.NotEqual(Hash(1), Hash(2));
    });

    private static ulong Hash(int seed)
    {
        using var simulation = new PoolSimulation(seed, new SimulationCounts());
        simulation.Run();
        return simulation.Trace.Hash;
    }

    /// <summary>On a thread without the context of the test runner, which would let continuations run elsewhere.</summary>
    private static void OnOwnThread(Action action)
    {
        Exception? thrown = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
#pragma warning disable CA1031 // It is thrown again.
            catch (Exception e)
#pragma warning restore CA1031
            {
                thrown = e;
            }
        });
        thread.Start();
        thread.Join();
        if (thrown is not null)
        {
            ExceptionDispatchInfo.Throw(thrown);
        }
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
            return $"Seed {seed}: {e}{HowToSee(seed)}";
        }
    }

    private static string HowToSee(int seed) =>
        $"{Environment.NewLine}To see it: WARP_SEED={seed} dotnet test tests/Unit --filter PoolSimulation --logger \"console;verbosity=detailed\"";

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

    private sealed record Run(int Seed, long Started);
}
