using WarpProxy.LoadTest.Fleet;

namespace WarpProxy.Tests.Unit.Fleet;

/// <summary>
/// Nodes so simple that queueing theory has formulas for them. Simulations have a seed, so that each of these numbers is always the same; the tolerances are what so many clients
/// leave to chance.
/// </summary>
public sealed class QueueingTheoryTests
{
    private const double Service = 1000;        // microseconds
    private const int Clients = 400_000;

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.6)]
    [InlineData(0.8)]
    public void One_processor_with_exponential_times_waits_as_M_M_1_does(double load)
    {
        NodeOutcome outcome = Run(load, spread: 1);
        double mean = Service / (1 - load);
        AssertNear(mean, outcome.MeanLatency, 0.04);

        // The time in such a system is exponentially distributed itself.
        AssertNear(mean * Math.Log(2) / 1000, outcome.P50, 0.04);
        AssertNear(mean * Math.Log(100) / 1000, outcome.P99, 0.06);
        AssertNear(load, outcome.ProcessorBusy, 0.02);
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.6)]
    [InlineData(0.8)]
    public void One_processor_with_constant_times_waits_as_M_D_1_does(double load) =>
        AssertNear(Service + (Service * load / (2 * (1 - load))), Run(load, spread: 0).MeanLatency, 0.03);

    [Theory]
    [InlineData(0.25)]
    [InlineData(0.5)]
    [InlineData(1.5)]
    public void Times_of_any_spread_make_clients_wait_as_Pollaczek_and_Khinchine_say(double spread)
    {
        const double load = 0.7;
        double waiting = Service * load * (1 + (spread * spread)) / (2 * (1 - load));
        AssertNear(Service + waiting, Run(load, spread).MeanLatency, 0.05);
    }

    [Theory]
    [InlineData(2, 0.7)]
    [InlineData(4, 0.8)]
    [InlineData(16, 0.9)]
    public void Many_processors_wait_as_M_M_c_does(int cores, double load)
    {
        // Erlang's C: the probability that all are busy.
        double offered = cores * load;
        double term = 1, sum = 1;
        for (int k = 1; k < cores; k++)
        {
            term *= offered / k;
            sum += term;
        }

        double full = term * offered / cores / (1 - load);
        double waits = full / (sum + full);
        AssertNear(Service + (waits * Service / (cores * (1 - load))), Run(load, spread: 1, cores).MeanLatency, 0.04);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.8)]
    public void Device_with_one_engine_and_constant_times_is_M_D_1_itself(double load)
    {
        ServiceTimes times = Times(0) with { Software = 1e9, EngineLanes = 1, Scalar = Service };
        NodeShape shape = Shape(1) with { Engines = 1, HasOwnProcessors = true, Path = SimulatedPath.Device, Queues = int.MaxValue, Deadline = 1e9 };
        NodeOutcome outcome = SimulatedNode.Run(shape, times, new PoissonArrivals(load / Service * 1e6), Clients, seed: 1);
        AssertNear(Service + (Service * load / (2 * (1 - load))), outcome.MeanLatency, 0.03);
        Assert.Equal(1, outcome.DeviceShare);
        AssertNear(load, outcome.EngineBusy, 0.02);
        Assert.Equal(1, outcome.MeanBatch);
    }

    [Theory]
    [InlineData(0.3, 500)]
    [InlineData(0.6, 500)]
    [InlineData(0.6, 2000)]
    public void Cold_processor_makes_clients_wait_as_an_exceptional_first_service_does(double load, double cold)
    {
        // Welch 1964: who finds the processor idle has another service time.
        double rate = load / Service;
        double first = Service + cold;
        double waiting = (rate * Service * Service / (2 * (1 - load)))
            + (rate * ((first * first) - (Service * Service)) / (2 * (1 - (rate * (Service - first)))));
        double idle = (1 - load) / (1 - (rate * (Service - first)));
        NodeOutcome outcome = SimulatedNode.Run(Shape(1), Times(0) with { Cold = cold }, new PoissonArrivals(rate * 1e6), Clients, seed: 1);
        AssertNear(waiting + Service + (idle * cold), outcome.MeanLatency, 0.03);
        AssertNear(Service + (idle * cold), outcome.ProcessorTimePerHandshake, 0.01);
    }

    [Fact]
    public void Crowds_wait_as_M_D_1_with_groups_does()
    {
        // Groups are customers of M/D/1 with a longer service; within a group the last waits for all before.
        const int size = 8;
        const double load = 0.6;
        double group = size * Service;
        double ofGroup = group * load / (2 * (1 - load));
        double within = Service * (size + 1) / 2;
        NodeOutcome outcome = SimulatedNode.Run(Shape(1), Times(0), new BurstArrivals(load / Service * 1e6, size), Clients, seed: 1);
        AssertNear(ofGroup + within, outcome.MeanLatency, 0.04);
    }

    [Fact]
    public void Clients_at_equal_intervals_never_wait_for_constant_times()
    {
        NodeOutcome outcome = SimulatedNode.Run(Shape(1), Times(0), new EvenArrivals(0.999 / Service * 1e6), 10_000, seed: 1);
        Assert.Equal(Service, outcome.MeanLatency, 1e-6);
        Assert.Equal(1.0, outcome.P99);
    }

    private static NodeOutcome Run(double load, double spread, int cores = 1) =>
        SimulatedNode.Run(Shape(cores), Times(spread), new PoissonArrivals(cores * load / Service * 1e6), Clients, seed: 1);

    private static NodeShape Shape(int cores) => new()
    {
        Cores = cores, Lanes = int.MaxValue, MaxWaiting = int.MaxValue, LaneTimeout = double.MaxValue, Path = SimulatedPath.Software,
    };

    private static ServiceTimes Times(double spread) =>
        new() { Key = "theory", Before = 0, After = 0, Rest = 0, Resumed = 0, Software = Service, Spread = spread };

    private static void AssertNear(double expected, double actual, double tolerance) =>
        Assert.InRange(actual, expected * (1 - tolerance), expected * (1 + tolerance));
}
