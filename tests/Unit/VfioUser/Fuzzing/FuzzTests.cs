using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Xunit.Abstractions;

namespace WarpProxy.Tests.Unit.VfioUser.Fuzzing;

/// <summary>
/// The device's server against messages, rings and descriptors that follow from a seed. <c>WARP_FUZZ_INPUTS=1000000 dotnet test tests/Unit -c Release --filter Fuzzing</c>
/// runs as long as it takes, with a seed of its own; WARP_FUZZ_SEED repeats one.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int InputsForEveryone = 50_000;
    private const int InputsOfARound = 500;

    public static TheoryData<string> Corpus => [.. Directory.EnumerateFiles(CorpusFolder(), "*.txt").Select(static path => Path.GetFileName(path)!).Order()];

    [Fact]
    public void Clients_that_say_anything_harm_nobody()
    {
        int inputs = Setting("WARP_FUZZ_INPUTS") ?? InputsForEveryone;
        int seed = Setting("WARP_FUZZ_SEED") ?? (inputs > InputsForEveryone ? Environment.TickCount : 1);
        output.WriteLine($"{inputs} inputs from seed {seed}");
        long start = Stopwatch.GetTimestamp();
        using var run = new FuzzRun(seed);
        for (int round = 0, done = 0; done < inputs; round++, done += InputsOfARound)
        {
            FuzzStep[] steps = [.. new FuzzGenerator(seed + round).Steps(InputsOfARound)];
            try
            {
                run.Round(steps, countDescriptors: round % 10 == 0 || done + InputsOfARound >= inputs);
            }
            catch (Exception failure)
            {
                string path = Path.Combine(Path.GetTempPath(), $"fuzz-{seed + round}.txt");
                File.WriteAllLines(path, steps.Select(static step => step.ToString()));
                Assert.Fail($"WARP_FUZZ_SEED={seed + round} WARP_FUZZ_INPUTS={InputsOfARound} repeats this; its steps are in {path}, for the corpus.\n{failure}");
            }
        }

        output.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s; {run.Reached}");
    }

    [Theory]
    [MemberData(nameof(Corpus))]
    public void What_was_worth_keeping_harms_nobody(string file)
    {
        FuzzStep[] steps = [.. File.ReadLines(Path.Combine(CorpusFolder(), file)).Where(static line => line.Length > 0 && line[0] != '#').Select(FuzzStep.Parse)];
        Assert.NotEmpty(steps);
        Assert.Equal(steps.Select(static step => step.ToString()), steps.Select(static step => FuzzStep.Parse(step.ToString()).ToString()));
        using var run = new FuzzRun(1);
        for (int i = 0; i < 3; i++)
        {
            run.Round(steps, countDescriptors: true);
        }
    }

    private static int? Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    private static string CorpusFolder([CallerFilePath] string path = "") => Path.Combine(Path.GetDirectoryName(path)!, "corpus");
}
