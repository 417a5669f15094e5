using WarpDrive.Engines;
using WarpProxy.LoadTest.Fleet;

namespace WarpProxy.Tests.Unit.Fleet;

/// <summary>What a simulated node does with lanes, devices, deadlines and limits.</summary>
public sealed class SimulatedNodeTests
{
    private const int Clients = 20_000;

    private static readonly ServiceTimes Rsa4096 = new()
    {
        Key = "RSA-4096", Before = 200, After = 60, Rest = 40, Resumed = 150, Software = 3300, EngineLanes = 8, Scalar = 3300, HalfPass = 3280, FullPass = 6600, Spread = 0.2,
    };

    [Theory]
    [InlineData(nameof(SimulatedPath.Software), false)]
    [InlineData(nameof(SimulatedPath.Device), false)]
    [InlineData(nameof(SimulatedPath.Device), true)]
    [InlineData(nameof(SimulatedPath.Auto), false)]
    [InlineData(nameof(SimulatedPath.Auto), true)]
    public void Number_inside_is_rate_times_time_inside(string path, bool own)
    {
        // Little's law, exact where the node is empty at both ends.
        NodeOutcome outcome = Run(new() { Cores = 2, Engines = 1, Path = Enum.Parse<SimulatedPath>(path), HasOwnProcessors = own }, 400);
        Assert.Equal(Clients, outcome.Served);
        Assert.Equal(outcome.PerSecond * outcome.MeanLatency / 1e6, outcome.MeanInside, outcome.MeanInside * 1e-9);
    }

    [Fact]
    public void Same_seed_gives_the_same_answer_and_another_one_another()
    {
        NodeShape shape = new() { Engines = 1 };
        NodeOutcome one = Run(shape, 250);
        NodeOutcome same = Run(shape, 250);
        NodeOutcome other = Run(shape, 250, seed: 2);
        Assert.Equal((one.MeanLatency, one.ByDevice, one.P99), (same.MeanLatency, same.ByDevice, same.P99));
        Assert.NotEqual(one.MeanLatency, other.MeanLatency);
    }

    [Theory]
    [InlineData(nameof(SimulatedPath.Software))]
    [InlineData(nameof(SimulatedPath.Device))]
    public void More_clients_wait_longer(string path)
    {
        // The same clients, closer together. Batches make the device cheaper with more of them, but nobody waits less for it.
        double[] means = [.. new[] { 0.2, 0.4, 0.6, 0.8, 0.95 }.Select(load =>
            Run(new() { Path = Enum.Parse<SimulatedPath>(path), Engines = 1, HasOwnProcessors = true, Lanes = 64, Queues = 64 }, load * (path == nameof(SimulatedPath.Software) ? 277 : 1100)).MeanLatency)];
        Assert.Equal(means.Order(), means);
    }

    [Fact]
    public void Handshakes_that_resume_need_no_key()
    {
        NodeOutcome outcome = Run(new() { Resumed = 1, Engines = 1, Path = SimulatedPath.Device }, 1000);
        Assert.Equal((0L, 0L, 0L), (outcome.FullHandshakes, outcome.ByDevice, outcome.BySoftware));
        Assert.InRange(outcome.ProcessorTimePerHandshake, 147, 153);
    }

    [Fact]
    public void Share_that_resumes_is_what_was_asked_for()
    {
        NodeOutcome outcome = Run(new() { Resumed = 0.75, Cores = 4 }, 500);
        Assert.InRange((double)outcome.FullHandshakes / outcome.Offered, 0.24, 0.26);
    }

    [Fact]
    public void Operation_past_its_deadline_runs_in_software_and_its_queue_stays_taken()
    {
        ServiceTimes slow = Rsa4096 with { Scalar = 1e6, HalfPass = 1e6, FullPass = 2e6, Spread = 0 };
        NodeShape shape = new() { Engines = 1, HasOwnProcessors = true, Path = SimulatedPath.Device, Deadline = 50_000, Queues = 4 };
        NodeOutcome outcome = SimulatedNode.Run(shape, slow, new EvenArrivals(10), 200, seed: 1);
        Assert.Equal(0, outcome.ByDevice);
        Assert.Equal(outcome.FullHandshakes, outcome.BySoftware);
        Assert.Equal(outcome.BySoftware, outcome.Overdue + outcome.Overflow);

        // In twenty seconds the device answers about four a second, far too late.
        Assert.InRange(outcome.Overdue, 40, 160);
        Assert.InRange(outcome.P99, 50 + 3.3, 62);
    }

    [Fact]
    public void Crowd_beyond_the_limit_is_refused_and_everybody_is_counted()
    {
        NodeShape shape = new() { Path = SimulatedPath.Software, MaxWaiting = 10 };
        NodeOutcome outcome = SimulatedNode.Run(shape, Rsa4096, new BurstArrivals(100, 50), 5000, seed: 1);
        Assert.Equal(5000, outcome.Served + outcome.Refused);
        Assert.True(outcome.Refused > 1000, $"{outcome.Refused} were refused");
    }

    [Fact]
    public void Who_waits_too_long_for_a_lane_is_refused()
    {
        NodeShape shape = new() { Path = SimulatedPath.Software, LaneTimeout = 20_000 };
        NodeOutcome outcome = SimulatedNode.Run(shape, Rsa4096, new BurstArrivals(100, 50), 5000, seed: 1);
        Assert.Equal(5000, outcome.Served + outcome.Refused);
        Assert.True(outcome.Refused > 1000, $"{outcome.Refused} were refused");

        // Within the limit it began; then it was computed.
        Assert.InRange(outcome.P99, 20, 20 + 8);
    }

    [Fact]
    public void Operation_that_finds_all_queues_taken_runs_in_software()
    {
        NodeOutcome outcome = Run(new() { Engines = 1, HasOwnProcessors = true, Path = SimulatedPath.Device, Queues = 1 }, 200);
        Assert.True(outcome.Overflow > 0 && outcome.ByDevice > 0);
        Assert.Equal(outcome.FullHandshakes, outcome.ByDevice + outcome.BySoftware);
    }

    [Fact]
    public void Auto_leaves_a_lone_operation_to_software_and_gives_many_to_the_device()
    {
        NodeShape shape = new() { Engines = 1, Path = SimulatedPath.Auto };
        Assert.InRange(Run(shape, 5).DeviceShare, 0, 0.05);
        Assert.InRange(Run(shape, 450).DeviceShare, 0.8, 1);
    }

    [Fact]
    public void Auto_is_about_as_quick_as_the_better_path()
    {
        foreach (double rate in new[] { 20.0, 200, 600 })
        {
            NodeShape shape = new() { Engines = 2, HasOwnProcessors = true, Cores = 1 };
            double[] means = [.. Enum.GetValues<SimulatedPath>().Select(path => Run(shape with { Path = path }, rate).MeanLatency)];
            Assert.InRange(means[0], 0, 1.25 * Math.Min(means[1], means[2]));
        }
    }

    [Fact]
    public void Device_with_processors_of_its_own_leaves_those_of_the_proxy_to_the_rest()
    {
        NodeOutcome own = Run(new() { Engines = 1, HasOwnProcessors = true, Path = SimulatedPath.Device }, 200);
        NodeOutcome shared = Run(new() { Engines = 1, Path = SimulatedPath.Device }, 200);
        Assert.InRange(own.ProcessorTimePerHandshake, 295, 305);
        Assert.InRange(shared.ProcessorTimePerHandshake, 300 + 800, 300 + 3300);
    }

    [Fact]
    public void Batches_grow_with_the_load()
    {
        NodeShape shape = new() { Engines = 1, HasOwnProcessors = true, Path = SimulatedPath.Device, Cores = 4, Lanes = 64, Queues = 64, Deadline = 1e6 };
        double few = Run(shape, 100).MeanBatch;
        double many = Run(shape, 1100).MeanBatch;
        Assert.InRange(few, 1, 2);
        Assert.InRange(many, 5, 8);
    }

    [Theory]
    [InlineData(8, 2, 4)]       // eight operations go to two engines as two half passes
    [InlineData(8, 1, 8)]
    [InlineData(3, 2, 3)]       // three stay together
    [InlineData(5, 1, 4)]       // of five the four of a half pass
    [InlineData(1, 4, 1)]
    [InlineData(40, 1, 8)]
    public void Batches_are_what_the_documents_of_the_engines_say(int waiting, int free, int expected) =>
        Assert.Equal(expected, SimulatedDevice.ChooseBatch(BatchPlan.FromTimes(new EngineTimes(213, 401, 795), 8), 8, waiting, free));

    [Fact]
    public void Of_two_that_would_be_scalar_the_first_is_taken_alone() =>
        Assert.Equal(1, SimulatedDevice.ChooseBatch(BatchPlan.FromTimes(new EngineTimes(100, 401, 795), 8), 8, 2, 1));

    private static NodeOutcome Run(NodeShape shape, double perSecond, int seed = 1) => SimulatedNode.Run(shape, Rsa4096, new PoissonArrivals(perSecond), Clients, seed);
}
