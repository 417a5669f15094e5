using WarpProxy.LoadTest.Fleet;

namespace WarpProxy.Tests.Unit.Fleet;

/// <summary>How many nodes a site needs.</summary>
public sealed class FleetPlanTests
{
    private static readonly Load Load = new() { Handshakes = 20_000 };

    [Fact]
    public void Capacity_of_M_M_1_is_where_its_formula_meets_the_limit()
    {
        // 99 % of the clients of M/M/1 wait no longer than ln(100) / (mu - lambda).
        ServiceTimes times = new() { Key = "theory", Before = 0, After = 0, Rest = 0, Resumed = 0, Software = 1000, Spread = 1 };
        NodeShape shape = new() { Path = SimulatedPath.Software };
        NodeCapacity capacity = NodeCapacity.Find(shape, times, Load with { Handshakes = 100_000 }, longestMs: 20);
        double expected = 1000 - (Math.Log(100) / 0.020);
        Assert.InRange(capacity.PerSecond, expected * 0.96, expected * 1.04);
        Assert.InRange(capacity.Outcome.P99, 15, 20);
    }

    [Fact]
    public void Nodes_do_what_is_wanted_with_what_is_left_free()
    {
        var goal = new FleetGoal(100_000, LongestMs: 50, Headroom: 0.25);
        FleetPlan plan = FleetPlan.Make(new() { Cores = 4, Lanes = 32, Engines = 0 }, Of("RSA-2048"), Load, goal);
        Assert.Equal(plan.NodePerSecond * 0.75, plan.PlannedPerSecond, 1e-6);
        Assert.InRange(plan.Nodes!.Value * plan.PlannedPerSecond, 100_000, 100_000 + plan.PlannedPerSecond);
        Assert.True(plan.Outcome.P99 <= 50);
        Assert.Equal(plan.ProcessorTime / 3600, plan.ProcessorHoursPerMillion);
    }

    [Fact]
    public void More_engines_never_need_more_nodes()
    {
        var goal = new FleetGoal(100_000, LongestMs: 50, Headroom: 0.25);
        NodeShape shape = new() { Cores = 4, Lanes = 64, Queues = 64, HasOwnProcessors = true, Deadline = 400_000 };
        FleetPlan[] plans = [.. new[] { 0, 1, 4, 16 }.Select(engines => FleetPlan.Make(shape with { Engines = engines }, Of("RSA-4096"), Load, goal))];
        Assert.Equal(plans.OrderByDescending(plan => plan.Nodes).Select(plan => plan.Engines), plans.Select(plan => plan.Engines));
        Assert.True(plans[^1].Nodes * 3 < plans[0].Nodes, $"{plans[0].Nodes} nodes in software, {plans[^1].Nodes} with 16 engines each");
    }

    [Fact]
    public void Goal_that_no_client_can_have_needs_no_number_of_nodes()
    {
        FleetPlan plan = FleetPlan.Make(new() { Path = SimulatedPath.Software }, Of("RSA-4096"), Load, new FleetGoal(1000, LongestMs: 1, Headroom: 0));
        Assert.Null(plan.Nodes);
        Assert.Null(plan.AllEngines);
    }

    [Fact]
    public void Resumption_is_worth_nodes()
    {
        var goal = new FleetGoal(100_000, LongestMs: 50, Headroom: 0.25);
        NodeShape shape = new() { Cores = 4, Lanes = 32, Path = SimulatedPath.Software };
        int none = FleetPlan.Make(shape, Of("RSA-4096"), Load, goal).Nodes!.Value;
        int most = FleetPlan.Make(shape with { Resumed = 0.8 }, Of("RSA-4096"), Load, goal).Nodes!.Value;
        Assert.True(most * 3 < none, $"{none} nodes without, {most} with");
    }

    [Fact]
    public void Times_that_come_with_it_can_be_used() => Assert.All(MeasuredTimes.Defaults, times => Assert.Null(times.FindProblem()));

    private static ServiceTimes Of(string key) => MeasuredTimes.Defaults.Single(times => times.Key == key);
}
