namespace WarpProxy.LoadTest.Fleet;

/// <summary>The most that a node does while its clients wait no longer than they may.</summary>
/// <param name="PerSecond">Handshakes; 0: not even a single client is served in that time.</param>
/// <param name="Outcome">At that rate.</param>
internal sealed record NodeCapacity(double PerSecond, NodeOutcome Outcome)
{
    private const double Precision = 0.005;
    private const double LowestShare = 0.001;
    private const double MostRefused = 1e-4;

    /// <summary>Searches by halving: with more clients they wait longer.</summary>
    /// <param name="shape">The node.</param>
    /// <param name="times">What handshakes cost.</param>
    /// <param name="load">How clients come.</param>
    /// <param name="longestMs">What 99 % of them may wait.</param>
    public static NodeCapacity Find(NodeShape shape, ServiceTimes times, Load load, double longestMs)
    {
        double high = Bound(shape, times);
        double low = high * LowestShare;
        NodeOutcome best = load.Run(shape, times, low);
        if (!IsGood(best))
        {
            return new NodeCapacity(0, best);
        }

        while (high - low > Precision * high)
        {
            double middle = (low + high) / 2;
            NodeOutcome outcome = load.Run(shape, times, middle);
            if (IsGood(outcome))
            {
                (low, best) = (middle, outcome);
            }
            else
            {
                high = middle;
            }
        }

        return new NodeCapacity(low, best);

        bool IsGood(NodeOutcome outcome) => outcome.P99 <= longestMs && outcome.RefusedShare <= MostRefused;
    }

    /// <summary>What no node of this shape does: its processors would do nothing but what no device can take from them.</summary>
    public static double Bound(NodeShape shape, ServiceTimes times)
    {
        double full = times.Before + times.After + times.Rest + (shape.Engines > 0 && times.HasDevice ? 0 : times.Software);
        return shape.Cores * 1e6 / Math.Max(1e-3, (full * (1 - shape.Resumed)) + (times.Resumed * shape.Resumed));
    }
}
