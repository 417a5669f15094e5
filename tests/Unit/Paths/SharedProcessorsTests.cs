namespace WarpProxy.Tests.Unit.Paths;

/// <summary>What the path <c>auto</c> does with a device whose engines are threads on the processors that software would use.</summary>
public sealed class SharedProcessorsTests
{
    private const int Device = 0;
    private const int Software = -1;

    public static TheoryData<string, int, int> Loads()
    {
        TheoryData<string, int, int> data = [];
        foreach (string key in Keys.Keys)
        {
            foreach (int clients in new[] { 1, 8, 64 })
            {
                data.Add(key, 1, clients);
                data.Add(key, 2, clients);
            }
        }

        return data;
    }

    // Microseconds in software, and in batches on an engine, as measured on one processor.
    private static readonly Dictionary<string, (double Software, Func<int, double> Batch)> Keys = new()
    {
        ["2048 with IFMA"] = (230, static count => count <= 2 ? 230 * count : count <= 4 ? 600 : 1010),
        ["2048"] = (500, static count => count <= 2 ? 500 * count : count <= 4 ? 600 : 1010),
        ["4096"] = (3300, static count => count <= 1 ? 3300 : count <= 4 ? 3800 : 6400),
        ["2048 of a scalar engine"] = (500, static count => 520 * count),
    };

    [Theory, MemberData(nameof(Loads))]
    public void Rate_is_near_that_of_the_better_path(string key, int processors, int clients)
    {
        double Serve(int? path)
        {
            PathSimulation simulation = Start(key, processors, path);
            simulation.Serve(clients, 4000);
            return simulation.Rate(3000);
        }

        Assert.InRange(Serve(null), 0.93 * Math.Max(Serve(Device), Serve(Software)), double.MaxValue);
    }

    [Theory, MemberData(nameof(Loads))]
    public void Choice_stays_while_the_load_does(string key, int processors, int clients)
    {
        PathSimulation simulation = Start(key, processors, null);
        simulation.Serve(clients, 1000);
        int switches = simulation.Choice.Switches;
        simulation.Serve(clients, 3000);
        Assert.InRange(simulation.Choice.Switches, switches, switches + 1);
    }

    [Fact]
    public void Engine_that_gains_nothing_gets_only_trials()
    {
        PathSimulation simulation = Start("2048 of a scalar engine", 2, null);
        simulation.Serve(64, 10_000);
        Assert.InRange(simulation.Share(Device, 9000), 0, 0.03);
    }

    [Fact]
    public void Device_that_becomes_worth_it_is_found_by_a_trial()
    {
        var device = new SimulatedDevice(static count => count <= 2 ? 500 * count : 1000) { Lanes = 8, Engines = 2, SharesProcessors = true, Slowness = 8 };
        var simulation = new PathSimulation(2, 500, device) { OtherMicroseconds = 300 };
        simulation.Serve(16, 5000);
        Assert.InRange(simulation.Share(Software, 2000), 0.9, 1);
        device.Slowness = 1;
        simulation.Serve(16, 60_000);
        Assert.InRange(simulation.Share(Device, 2000), 0.97, 1);
    }

    private static PathSimulation Start(string key, int processors, int? path) => new(
        processors,
        Keys[key].Software,
        new SimulatedDevice(Keys[key].Batch) { Lanes = 8, Engines = processors, SharesProcessors = true, DetourMicroseconds = 60 })
    {
        OtherMicroseconds = 370, Fixed = path,
    };
}
