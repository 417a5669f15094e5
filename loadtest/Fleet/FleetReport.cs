using System.Globalization;
using System.Text;
using WarpProxy.LoadTest.Reporting;

namespace WarpProxy.LoadTest.Fleet;

/// <summary>What <c>fleet</c> prints.</summary>
internal static class FleetReport
{
    /// <summary>A node at several rates.</summary>
    public static string OfRates(NodeShape shape, ServiceTimes times, Load load, IReadOnlyList<(double PerSecond, NodeOutcome Outcome)> points, bool json)
    {
        if (json)
        {
            return JsonFormat.Write(new { shape, times, load, points = points.Select(static point => Numbers(point.PerSecond, point.Outcome)) });
        }

        var text = new StringBuilder();
        Head(text, shape, times, load);
        text.Append("asked/s    done/s   p50 ms   p99 ms   device   refused   overdue   processors   engines   batch   CPU us\n");
        foreach ((double rate, NodeOutcome at) in points)
        {
            text.Append(CultureInfo.InvariantCulture, $"{rate,7:N0}   {at.PerSecond,7:N0}   {at.P50,6:N2}   {at.P99,6:N2}   {at.DeviceShare,6:P0}   {at.RefusedShare,7:P1}   {at.Overdue,7:N0}   ");
            text.Append(CultureInfo.InvariantCulture, $"{at.ProcessorBusy,10:P0}   {at.EngineBusy,7:P0}   {at.MeanBatch,5:N1}   {at.ProcessorTimePerHandshake,6:N0}\n");
        }

        return text.ToString().TrimEnd('\n');
    }

    /// <summary>A site, with nodes of several kinds.</summary>
    public static string OfPlans(NodeShape shape, ServiceTimes times, Load load, FleetGoal goal, IReadOnlyList<FleetPlan> plans, bool json)
    {
        if (json)
        {
            return JsonFormat.Write(new
            {
                shape,
                times,
                load,
                goal,
                plans = plans.Select(static plan => new
                {
                    plan.Engines, plan.NodePerSecond, plan.PlannedPerSecond, plan.Nodes, plan.AllEngines, plan.ProcessorHoursPerMillion, at = Numbers(plan.PlannedPerSecond, plan.Outcome),
                }),
            });
        }

        var text = new StringBuilder();
        Head(text, shape, times, load);
        Line(text, $"Wanted: {goal.PerSecond:N0} handshakes/s, 99 % of them within {goal.LongestMs:0.##} ms, with {goal.Headroom:P0} of each node left for peaks and failures.");
        text.Append("\nengines/node   node can/s   planned/s   nodes   engines   p50 ms   p99 ms   device   processors   engines busy   CPU hours/million\n");
        foreach (FleetPlan plan in plans)
        {
            string nodes = plan.Nodes?.ToString("N0", CultureInfo.InvariantCulture) ?? "none do";
            text.Append(CultureInfo.InvariantCulture, $"{plan.Engines,12}   {plan.NodePerSecond,10:N0}   {plan.PlannedPerSecond,9:N0}   {nodes,5}   {plan.AllEngines ?? 0,7:N0}   ");
            text.Append(CultureInfo.InvariantCulture, $"{plan.Outcome.P50,6:N2}   {plan.Outcome.P99,6:N2}   {plan.Outcome.DeviceShare,6:P0}   {plan.Outcome.ProcessorBusy,10:P0}   ");
            text.Append(CultureInfo.InvariantCulture, $"{plan.Outcome.EngineBusy,12:P0}   {plan.ProcessorHoursPerMillion,17:N3}\n");
        }

        return text.ToString().TrimEnd('\n');
    }

    private static void Head(StringBuilder text, NodeShape shape, ServiceTimes times, Load load)
    {
        string engines = shape.Engines == 0 || !times.HasDevice || shape.Path == SimulatedPath.Software
            ? "software only"
            : $"path {shape.Path.ToString().ToLowerInvariant()}, engines with {(shape.HasOwnProcessors ? "processors of their own" : "the proxy's processors")}";
        Line(text, $"Simulated, not measured: {times.Key}, {ReportText.Plural(shape.Cores, "processor")}, {ReportText.Plural(shape.Lanes, "lane")}, {engines}.");
        string clients = load.Arrivals switch
        {
            ArrivalKind.Even => "at equal intervals",
            ArrivalKind.Bursts => $"in crowds of {load.Burst}",
            _ => "independently",
        };
        Line(text, $"Clients come {clients}, {shape.Resumed:P0} of them resume a session; seed {load.Seed}.");
        Line(text, $"One handshake: {times.Before:0.#} us before the key, {times.Software:0.#} us in software, {times.After + times.Rest:0.#} us after; resumed {times.Resumed:0.#} us; client {times.Client:0.#} us.");
        text.Append('\n');
    }

    private static void Line(StringBuilder text, FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static object Numbers(double perSecond, NodeOutcome at) => new
    {
        askedPerSecond = perSecond,
        perSecond = at.PerSecond,
        p50Milliseconds = at.P50,
        p99Milliseconds = at.P99,
        deviceShare = at.DeviceShare,
        refusedShare = at.RefusedShare,
        overdue = at.Overdue,
        overflow = at.Overflow,
        processorBusyShare = at.ProcessorBusy,
        engineBusyShare = at.EngineBusy,
        operationsPerBatch = at.MeanBatch,
        processorMicrosecondsPerHandshake = at.ProcessorTimePerHandshake,
    };
}
