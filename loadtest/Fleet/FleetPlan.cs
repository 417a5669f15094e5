namespace WarpProxy.LoadTest.Fleet;

/// <summary>What a site needs with nodes of one shape.</summary>
/// <param name="Engines">Engines of the devices of each node; 0: none.</param>
/// <param name="NodePerSecond">Handshakes that a node does while its clients wait no longer than they may.</param>
/// <param name="PlannedPerSecond">Those that it is given: the rest is for peaks, and for nodes that fail.</param>
/// <param name="Nodes">How many; null: no number of them is enough.</param>
/// <param name="Outcome">Of a node at the planned rate.</param>
/// <param name="ProcessorTime">Processor time of the proxy per handshake, in microseconds, which is also seconds per million.</param>
internal sealed record FleetPlan(int Engines, double NodePerSecond, double PlannedPerSecond, int? Nodes, NodeOutcome Outcome, double ProcessorTime)
{
    /// <summary>Engines of all nodes.</summary>
    public long? AllEngines => (long?)Nodes * Engines;

    /// <summary>Hours of one processor for a million handshakes.</summary>
    public double ProcessorHoursPerMillion => ProcessorTime / 3600;

    /// <summary>Plans.</summary>
    /// <param name="shape">Of a node.</param>
    /// <param name="times">What handshakes cost.</param>
    /// <param name="load">How clients come.</param>
    /// <param name="goal">What is wanted.</param>
    public static FleetPlan Make(NodeShape shape, ServiceTimes times, Load load, FleetGoal goal)
    {
        NodeCapacity capacity = NodeCapacity.Find(shape, times, load, goal.LongestMs);
        double planned = capacity.PerSecond * (1 - goal.Headroom);
        if (planned <= 0)
        {
            return new FleetPlan(shape.Engines, 0, 0, null, capacity.Outcome, capacity.Outcome.ProcessorTimePerHandshake);
        }

        NodeOutcome outcome = load.Run(shape, times, planned);
        return new FleetPlan(
            shape.Engines, capacity.PerSecond, planned, (int)Math.Ceiling(goal.PerSecond / planned), outcome, outcome.ProcessorTimePerHandshake);
    }
}

/// <summary>What a site is to do.</summary>
/// <param name="PerSecond">Handshakes, of all nodes together.</param>
/// <param name="LongestMs">What 99 % of the clients may wait, in milliseconds.</param>
/// <param name="Headroom">Share of a node's capacity that is left for peaks and failures.</param>
internal sealed record FleetGoal(double PerSecond, double LongestMs, double Headroom);
