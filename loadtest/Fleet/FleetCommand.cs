using System.CommandLine;
using System.Globalization;
using WarpProxy.LoadTest.Reporting;

namespace WarpProxy.LoadTest.Fleet;

/// <summary>
/// <c>warp-loadtest fleet</c>: what a proxy of any size would do, computed and not measured; and how many of them, with how many engines, a site needs. It starts nothing and
/// connects nowhere.
/// </summary>
internal static class FleetCommand
{
    private static readonly double[] DefaultLoads = [0.3, 0.6, 0.85, 0.95];

    private static readonly Option<string> Key = new("--key")
    {
        Description = $"Which times: {string.Join(", ", MeasuredTimes.Defaults.Select(static times => times.Key))}, or those of --times.",
        DefaultValueFactory = static _ => "RSA-2048",
    };

    private static readonly Option<string?> Times = new Option<string?>("--times")
    {
        Description = "JSON file with times measured elsewhere; --print-times prints what it looks like.",
    }.RefusedIf(static file => File.Exists(file) ? null : $"--times is {file}; there is no such file.");

    private static readonly Option<bool> PrintTimes = new("--print-times") { Description = "Print the times that would be used, as JSON, and end." };

    private static readonly Option<int> Cores =
        new Option<int>("--cores") { Description = "Processors of the proxy (1).", DefaultValueFactory = static _ => 1 }.Between(1, 1024);

    private static readonly Option<int?> Lanes =
        new Option<int?>("--lanes") { Description = "Tls:Lanes (16; with more than 4 cores 4 for each, at most 256)." }.Between(1, 256);

    private static readonly Option<string> Engines = new Option<string>("--engines")
    {
        Description = "Engines of a node's devices; with --target several numbers with commas between, each planned (1).",
        DefaultValueFactory = static _ => "1",
    }.RefusedIf(static text => Numbers(text, 0, 4096) is null ? $"--engines is '{text}'; it must be numbers from 0 to 4096 with commas between." : null);

    private static readonly Option<bool> Own =
        new("--own") { Description = "Engines have processors of their own, as hardware has, or an emulator elsewhere; else they take turns on the proxy's." };

    private static readonly Option<int?> Queues =
        new Option<int?>("--queues") { Description = "Offload:QueuesPerDevice, of all devices of a node: operations in flight (as many as lanes)." }.Between(1, 100_000);

    private static readonly Option<string> Path = new Option<string>("--path") { Description = "Offload:Path: auto, device or software.", DefaultValueFactory = static _ => "auto" }
        .RefusedIf(static text => text is "auto" or "device" or "software" ? null : $"--path is '{text}'; it must be auto, device or software.");

    private static readonly Option<double?> Deadline =
        new Option<double?>("--deadline") { Description = "Offload:Deadline in milliseconds, for this size of key (50 for RSA-2048, 169 for 3072, 400 for 4096)." }.Between(1, 60_000);

    private static readonly Option<double> Resume =
        new Option<double>("--resume") { Description = "Share of the handshakes that resume a session, 0 to 1 (0)." }.Between(0, 1);

    private static readonly Option<string> Arrivals = new Option<string>("--arrivals") { Description = "How clients come: poisson, even or bursts.", DefaultValueFactory = static _ => "poisson" }
        .RefusedIf(static text => text is "poisson" or "even" or "bursts" ? null : $"--arrivals is '{text}'; it must be poisson, even or bursts.");

    private static readonly Option<int> Burst =
        new Option<int>("--burst") { Description = "With bursts: clients that come at once (32).", DefaultValueFactory = static _ => 32 }.Between(1, 100_000);

    private static readonly Option<string?> Rates = new Option<string?>("--rate")
    {
        Description = "Handshakes per second to predict, with commas between. Default: 30, 60, 85 and 95 % of what the node can do.",
    }.RefusedIf(static text => Values(text) is null ? $"--rate is '{text}'; it must be numbers above 0 with commas between." : null);

    private static readonly Option<double?> Target =
        new Option<double?>("--target") { Description = "Plan a site that does so many handshakes per second." }.Between(1, 1e9);

    private static readonly Option<double> P99 =
        new Option<double>("--p99") { Description = "What 99 % of the clients may wait, in milliseconds (50).", DefaultValueFactory = static _ => 50 }.Between(0.1, 60_000);

    private static readonly Option<double> Headroom =
        new Option<double>("--headroom") { Description = "Share of each node that is left for peaks and failures (0.3).", DefaultValueFactory = static _ => 0.3 }.Between(0, 0.95);

    private static readonly Option<int> Handshakes =
        new Option<int>("--handshakes") { Description = "How many are simulated for each number, at least (40000).", DefaultValueFactory = static _ => 40_000 }.Between(1000, 10_000_000);

    private static readonly Option<int> Seed = new Option<int>("--seed") { Description = "The same seed gives the same answer (1).", DefaultValueFactory = static _ => 1 }.Between(0, int.MaxValue);

    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object instead of text." };

    public static Command Create()
    {
        var command = new Command("fleet", "What a proxy of any size would do, by simulation, and how many of them a site needs.")
        {
            Key, Times, PrintTimes, Cores, Lanes, Engines, Own, Queues, Path, Deadline, Resume, Arrivals, Burst, Rates, Target, P99, Headroom, Handshakes, Seed, Json,
        };
        command.SetAction(static parsed =>
        {
            try
            {
                Console.WriteLine(Answer(parsed));
                return 0;
            }
            catch (LoadFailure failure)
            {
                Console.Error.WriteLine(failure.Message);
                return failure.ExitCode;
            }
        });
        return command;
    }

    private static string Answer(ParseResult parsed)
    {
        IReadOnlyList<ServiceTimes> all = parsed.GetValue(Times) is { } file ? MeasuredTimes.Read(file) : MeasuredTimes.Defaults;
        if (parsed.GetValue(PrintTimes))
        {
            return JsonFormat.Write(all);
        }

        string key = parsed.GetValue(Key)!;
        ServiceTimes times = all.FirstOrDefault(one => one.Key == key)
            ?? throw new LoadFailure($"--key is '{key}'; there are {string.Join(", ", all.Select(static one => one.Key))}.", LoadFailure.BadInput);
        int[] engines = Numbers(parsed.GetValue(Engines)!, 0, 4096)!;
        NodeShape shape = ToShape(parsed, times, engines[0]);
        var load = new Load
        {
            Arrivals = parsed.GetValue(Arrivals) switch { "even" => ArrivalKind.Even, "bursts" => ArrivalKind.Bursts, _ => ArrivalKind.Poisson },
            Burst = parsed.GetValue(Burst),
            Handshakes = parsed.GetValue(Handshakes),
            Seed = parsed.GetValue(Seed),
        };
        if (parsed.GetValue(Target) is { } target)
        {
            var goal = new FleetGoal(target, parsed.GetValue(P99), parsed.GetValue(Headroom));
            FleetPlan[] plans = [.. engines.Select(count => FleetPlan.Make(shape with { Engines = count }, times, load, goal))];
            return FleetReport.OfPlans(shape, times, load, goal, plans, parsed.GetValue(Json));
        }

        double[] rates = parsed.GetValue(Rates) is { } given ? Values(given)! : Shares(NodeCapacity.Find(shape, times, load, parsed.GetValue(P99)), parsed.GetValue(P99));
        return FleetReport.OfRates(shape, times, load, [.. rates.Select(rate => (rate, load.Run(shape, times, rate)))], parsed.GetValue(Json));
    }

    private static NodeShape ToShape(ParseResult parsed, ServiceTimes times, int engines)
    {
        int cores = parsed.GetValue(Cores);
        int lanes = parsed.GetValue(Lanes) ?? Math.Clamp(4 * cores, 16, 256);
        return new NodeShape
        {
            Cores = cores,
            Lanes = lanes,
            Engines = engines,
            HasOwnProcessors = parsed.GetValue(Own),
            Queues = parsed.GetValue(Queues) ?? lanes,
            Path = parsed.GetValue(Path) switch { "device" => SimulatedPath.Device, "software" => SimulatedPath.Software, _ => SimulatedPath.Auto },
            Deadline = (parsed.GetValue(Deadline) ?? DefaultDeadline(times.Key)) * 1000,
            Resumed = parsed.GetValue(Resume),
        };
    }

    /// <summary>In milliseconds, as the proxy lengthens Offload:Deadline for long keys (docs/devices.md).</summary>
    private static double DefaultDeadline(string key) => key switch
    {
        _ when key.Contains("3072", StringComparison.Ordinal) => 50 * 1.5 * 1.5 * 1.5,
        _ when key.Contains("4096", StringComparison.Ordinal) => 50 * 8,
        _ => 50,
    };

    private static double[] Shares(NodeCapacity capacity, double longestMs) => capacity.PerSecond > 0
        ? [.. DefaultLoads.Select(share => Math.Round(share * capacity.PerSecond, 1))]
        : throw new LoadFailure(
            string.Create(CultureInfo.InvariantCulture, $"--p99 is {longestMs}; even a single client of such a node waits {capacity.Outcome.P99:0.###} ms."), LoadFailure.BadInput);

    private static int[]? Numbers(string text, int lowest, int highest)
    {
        string[] parts = text.Split(',');
        int[] numbers = [.. parts.Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1)];
        return Array.TrueForAll(numbers, number => number >= lowest && number <= highest) ? numbers : null;
    }

    private static double[]? Values(string text)
    {
        string[] parts = text.Split(',');
        double[] values = [.. parts.Select(static part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : 0)];
        return Array.TrueForAll(values, static value => value is > 0 and <= 1e7) ? values : null;
    }
}
