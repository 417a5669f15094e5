using System.CommandLine;
using System.Globalization;
using WarpDrive.Engines;
using WarpProxy.LoadTest.Reporting;

namespace WarpProxy.LoadTest.ConstantTime;

/// <summary>
/// <c>warp-loadtest constant-time</c>, run by hand after changes of an engine: whether the times of engines and kernels differ between two
/// classes of data. It shows leaks that it finds; that it finds none is no proof.
/// </summary>
internal static class ConstantTimeCommand
{
    private const int Rounds = 5;

    private static readonly Option<double> Seconds =
        new Option<double>("--seconds") { Description = "Of all measurements together.", DefaultValueFactory = static _ => 120 }.Between(1, 86_400);

    private static readonly Option<string> Only =
        new Option<string>("--only") { Description = "Only what has this text in its name.", DefaultValueFactory = static _ => "" };

    public static Command Create()
    {
        var command = new Command("constant-time", "Whether times of the engines depend on keys or inputs (Welch's t, two classes).")
        {
            Seconds, Only,
        };
        command.SetAction(static parsed => Run(TimeSpan.FromSeconds(parsed.GetValue(Seconds)), parsed.GetValue(Only)!));
        return command;
    }

    private static int Run(TimeSpan time, string only)
    {
        using var subjects = new SubjectList();
        TimingTest[] tests = [.. subjects.Tests.Where(test => test.Subject.Name.Contains(only, StringComparison.OrdinalIgnoreCase))];
        if (tests.Length == 0)
        {
            Console.Error.WriteLine($"--only is {only}; it must be part of one of: {string.Join("; ", subjects.Tests.Select(static test => test.Subject.Name).Distinct())}.");
            return 2;
        }

        TimeSpan share = time / (Rounds * tests.Length);
        for (int round = 0; round < Rounds; round++)
        {
            foreach (TimingTest test in tests)
            {
                test.Run(share);
            }
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Two classes, the second of random data, interleaved at random, {time.TotalSeconds:0.#} s in {Rounds} rounds over {tests.Length} tests, seed {SubjectList.Seed}."));
        Console.WriteLine("t: the largest of Welch's t after crops at 100, 99, 95, 90, 75 and 50 % of the times; the first class is slower where it is positive.");
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Below {TimingTest.Suspicious}: no difference seen. From {TimingTest.Certain} on: they differ. Between: measure longer.\n"));
        if (!SimdEngine.IsSupported)
        {
            Console.WriteLine("No AVX2 and FMA here: no SIMD engine.\n");
        }

        return Print(tests);
    }

    /// <summary>Prints a row for each computation; returns 0 when nothing differs but what must.</summary>
    private static int Print(IReadOnlyList<TimingTest> tests)
    {
        Console.WriteLine("| what | median, µs | measurements | first class: t |");
        Console.WriteLine("|---|---|---|---|");
        bool isGood = true;
        foreach (IGrouping<string, TimingTest> row in tests.GroupBy(static test => test.Subject.Name))
        {
            var cells = new List<string>();
            foreach (TimingTest test in row)
            {
                (double t, double nanoseconds) = test.Compare();
                isGood &= Math.Abs(t) >= TimingTest.Certain == test.Subject.IsControl;
                cells.Add(string.Create(CultureInfo.InvariantCulture, $"{test.Subject.FirstClass}: {t:0.0}{Verdict(Math.Abs(t), nanoseconds, test.Subject.IsControl)}"));
            }

            double median = row.Average(static test => test.MedianMicroseconds);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {row.Key} | {median:#,0.00} | {row.Sum(static test => test.Count):N0} | {string.Join("; ", cells)} |"));
        }

        return isGood ? 0 : 1;
    }

    private static string Verdict(double t, double nanoseconds, bool isControl)
    {
        string verdict = t switch
        {
            >= TimingTest.Certain => isControl ? "differs, as it must" : "**differs**",
            _ when isControl => "must differ: measure longer",
            >= TimingTest.Suspicious => "measure longer",
            _ => "",
        };
        return verdict.Length == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" ({verdict}; {nanoseconds:0.0} ns)");
    }
}
