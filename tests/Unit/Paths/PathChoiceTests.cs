using WarpDrive.Driver.Paths;

namespace WarpProxy.Tests.Unit.Paths;

/// <summary>What the path <c>auto</c> does with devices that have processors of their own, by simulation.</summary>
public sealed class PathChoiceTests
{
    private const int Software = -1;

    [Fact]
    public void Operation_that_comes_alone_goes_to_software()
    {
        var simulation = new PathSimulation(2, 500, Batching());
        simulation.Serve(1, 2000);
        Assert.InRange(simulation.Share(Software, 1500), 0.98, 1);
    }

    [Fact]
    public void Rising_load_goes_to_the_device_and_falling_load_comes_back()
    {
        var simulation = new PathSimulation(2, 500, Batching()) { OtherMicroseconds = 200 };
        for (int day = 0; day < 3; day++)
        {
            simulation.Serve(1, 500);
            Assert.InRange(simulation.Share(Software, 400), 0.97, 1);
            simulation.Serve(32, 1000);
            Assert.InRange(simulation.Share(0, 900), 0.97, 1);
        }

        Assert.InRange(simulation.Choice.Switches, 5, 8);
    }

    [Fact]
    public void Device_that_becomes_slow_loses_the_operations_and_gets_them_back()
    {
        SimulatedDevice device = Batching();
        var simulation = new PathSimulation(2, 500, device);
        simulation.Serve(16, 1000);
        Assert.InRange(simulation.Share(0, 800), 0.97, 1);

        device.Slowness = 10;
        simulation.Serve(16, 500);
        Assert.InRange(simulation.Share(0, 200), 0, 0.06);
        simulation.Serve(16, 1000);
        Assert.InRange(simulation.Share(0, 1000), 0, 0.02);

        device.Slowness = 1;
        simulation.Serve(16, 4000);
        Assert.InRange(simulation.Share(0, 500), 0.97, 1);
    }

    [Fact]
    public void Devices_of_different_speed_share_the_load_so_that_they_answer_alike()
    {
        var simulation = new PathSimulation(2, 100_000, new SimulatedDevice(static _ => 100) { Queues = 64 }, new SimulatedDevice(static _ => 300) { Queues = 64 })
        {
            Lanes = 64,
        };
        simulation.Serve(40, 6000);
        Assert.InRange(simulation.Share(0, 4000) / simulation.Share(1, 4000), 2.5, 3.5);
        Assert.InRange(simulation.Mean(0, 4000) / simulation.Mean(1, 4000), 0.8, 1.25);
        Assert.InRange(simulation.Share(Software, 4000), 0, 0.01);
    }

    [Fact]
    public void What_a_device_cannot_do_in_time_overflows_to_software_steadily()
    {
        // Neither can do it alone: the device 3,333 a second, the processors 4,000.
        var simulation = new PathSimulation(2, 500, new SimulatedDevice(static _ => 300) { Queues = 64 }) { Lanes = 64 };
        simulation.Serve(24, 8000);
        Assert.InRange(simulation.Rate(6000), 6200, 7400);
        double[] shares = [.. simulation.Done.Skip(2000).Chunk(500).Where(static some => some.Length == 500).Select(static some => some.Count(static one => one.Device == 0) / (double)some.Length)];
        Assert.All(shares, static share => Assert.InRange(share, 0.35, 0.55));
        Assert.Equal(1, simulation.Choice.Switches);
        Assert.All(simulation.Done.TakeLast(6000).Where(static one => one.Device < 0).GroupBy(static one => one.Decision), static group =>
            Assert.True(group.Key == PathDecision.Overflow || group.Count() < 6000 / PathChoice.ExploringInterval, $"{group.Key} {group.Count()}"));
    }

    [Fact]
    public void Full_device_overflows_to_software()
    {
        var simulation = new PathSimulation(2, 500, new SimulatedDevice(static _ => 400) { Lanes = 8, Queues = 4 });
        simulation.Serve(16, 2000);
        Assert.InRange(simulation.Done.TakeLast(1000).Count(static one => one.Decision == PathDecision.Overflow), 200, 800);
        Assert.InRange(simulation.Share(0, 1000), 0.2, 0.8);
    }

    [Theory]
    [InlineData(300)]
    [InlineData(3000)]
    [InlineData(12000)]
    public void Connections_that_come_by_themselves_are_answered_no_later_than_on_the_better_path(double perSecond)
    {
        double[] means = [.. new int?[] { null, 0, Software }.Select(path =>
        {
            var simulation = new PathSimulation(2, 400, Batching()) { Fixed = path };
            if (perSecond < 4800 || path != Software)   // software alone can do 5,000
            {
                simulation.Receive(perSecond, 5000);
            }

            return simulation.Done.Count == 0 ? double.MaxValue : simulation.Done.Skip(1000).Average(static one => one.Microseconds);
        })];
        Assert.InRange(means[0], 0, 1.1 * Math.Min(means[1], means[2]));
    }

    [Fact]
    public void Device_that_takes_forever_costs_only_its_turns()
    {
        var simulation = new PathSimulation(2, 500, new SimulatedDevice(static _ => 50_000));
        simulation.Serve(8, 8000);
        Assert.InRange(simulation.Done.Count(static one => one.Device == 0), 1, 8000 / (2 * PathChoice.ExploringInterval * PathChoice.RareExploring) + 8);
    }

    [Fact]
    public void Without_a_device_that_is_ready_there_is_nothing_to_choose()
    {
        PathTicket ticket = new PathChoice(2).Begin(1, 3, 0).Choose();
        Assert.Equal(PathDecision.Device, ticket.Decision);
        Assert.Equal(-1, ticket.Device);
    }

    [Fact]
    public void Deadline_that_was_missed_counts_with_the_software_after_it()
    {
        var service = new DeviceService(sharesProcessors: false);
        var ticket = new PathTicket { Device = 0, InFlight = 1, Load = 1 };
        service.Record(ticket, new DeviceMeasurement(WarpDrive.Driver.AcceleratorError.None, 100), 0, now: 0);
        service.Record(ticket, new DeviceMeasurement(WarpDrive.Driver.AcceleratorError.Deadline, 50_000), 500, now: 1);
        Assert.Equal((100 + 50_500) / 2, service.Answers.Expect(1));
    }

    /// <summary>Eight at once in a millisecond, and one alone not much sooner.</summary>
    private static SimulatedDevice Batching() => new(static count => count <= 2 ? 550 : 1000) { Lanes = 8 };
}
