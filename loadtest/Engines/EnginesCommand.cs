using System.CommandLine;
using System.Globalization;
using WarpDrive.Engines;
using WarpProxy.LoadTest.Reporting;

namespace WarpProxy.LoadTest.Engines;

/// <summary>
/// <c>warp-loadtest engines</c>: private-key operations per second of one core, by OpenSSL's own RSA and by each engine, interleaved on
/// one thread. Which core that is may be settled from outside: <c>taskset -c 1 warp-loadtest engines</c>.
/// </summary>
internal static class EnginesCommand
{
    private static readonly Option<double> Seconds =
        new Option<double>("--seconds") { Description = "CPU time for each size, about.", DefaultValueFactory = static _ => 10 }.Between(0.01, 3600);

    private static readonly Option<int> Rounds =
        new Option<int>("--rounds") { Description = "Rounds; a ratio is taken in each.", DefaultValueFactory = static _ => 9 }.Between(1, 1000);

    private static readonly Option<string> Sizes = new("--sizes")
    {
        Description = "Bits of the keys, with commas between.",
        DefaultValueFactory = static _ => string.Join(',', EngineSizes.Allowed),
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print an array of rows; what they depend on goes to standard error." };

    static EnginesCommand() => Sizes.Validators.Add(static result =>
    {
        string text = result.GetValueOrDefault<string>() ?? "";
        if (!EngineSizes.TryParse(text, out _))
        {
            result.AddError($"--sizes is '{text}'; it must be one or more of {string.Join(", ", EngineSizes.Allowed)}, each once, with commas between.");
        }
    });

    public static Command Create()
    {
        var command = new Command(
            "engines", "Private-key operations per second of one core, by OpenSSL and by each engine. To keep it on one core: taskset -c 1 warp-loadtest engines")
        {
            Seconds, Rounds, Sizes, Json,
        };
        command.SetAction(static parsed =>
        {
            _ = EngineSizes.TryParse(parsed.GetValue(Sizes)!, out int[] sizes);
            return Run(TimeSpan.FromSeconds(parsed.GetValue(Seconds)), parsed.GetValue(Rounds), sizes, parsed.GetValue(Json));
        });
        return command;
    }

    private static int Run(TimeSpan time, int rounds, int[] sizes, bool json)
    {
        if (!ThreadCpuClock.IsSupported)
        {
            Console.Error.WriteLine("This kernel does not count the CPU time of threads: there is no /proc/thread-self/schedstat.");
            return 1;
        }

        TextWriter words = json ? Console.Error : Console.Out;
        words.WriteLine($"Processor: {ProcessorFacts.Model}");
        words.WriteLine($"OpenSSL:   {ProcessorFacts.OpenSslVersion}, {ProcessorFacts.OpenSslIfma()}");
        words.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Measured:  CPU time of one thread, {rounds} rounds of interleaved slices of {EngineBench.Slice.TotalMilliseconds} ms, {time.TotalSeconds} s for each size, fresh keys"));
        using var bench = new EngineBench();
        words.WriteLine(bench.SimdName is { } simd ? $"Engines:   scalar, {simd}" : $"Left out:  simd, which needs {SimdWidth.Avx2.Instructions}");
        EngineRow[] rows = [.. sizes.SelectMany(bits => bench.Measure(bits, time, rounds))];
        Console.WriteLine(json ? JsonFormat.Write(rows) : Table(rows));
        return 0;
    }

    private static string Table(EngineRow[] rows)
    {
        var lines = new List<string> { "", "bits   engine    batch   operations/s   ratio to OpenSSL   lowest to highest   ms/batch   faster from" };
        lines.AddRange(rows.Select(static row => string.Create(
            CultureInfo.InvariantCulture,
            $"{row.Bits,4}   {row.Engine,-8}  {row.Batch,5}   {row.OpsPerSecond,12:N0}   {row.RatioToOpenSsl,16:N2}   {row.LowestRatio,6:N2} to {row.HighestRatio,-6:N2}    {row.BatchLatencyMs,8:N3}   {BreakEven(row),11}")));
        lines.Add("");
        lines.Add("Operations/s of one core. Faster from: the fewest waiting operations that one batch computes sooner than OpenSSL one after the other.");
        return string.Join('\n', lines);
    }

    private static string BreakEven(EngineRow row) => row.BreakEven?.ToString(CultureInfo.InvariantCulture) ?? "-";
}
