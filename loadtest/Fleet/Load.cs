namespace WarpProxy.LoadTest.Fleet;

/// <summary>How clients come, at any rate.</summary>
internal enum ArrivalKind
{
    /// <summary>Independently.</summary>
    Poisson,

    /// <summary>At equal intervals.</summary>
    Even,

    /// <summary>In crowds.</summary>
    Bursts,
}

/// <summary>The clients of a simulation, but for their rate.</summary>
internal sealed record Load
{
    // So long at least, that a node which is a little too slow has time to show it.
    private const double Seconds = 2;
    private const int MostHandshakes = 400_000;

    /// <summary>How they come.</summary>
    public ArrivalKind Arrivals { get; init; } = ArrivalKind.Poisson;

    /// <summary>Clients of a crowd.</summary>
    public int Burst { get; init; } = 32;

    /// <summary>How many at least.</summary>
    public int Handshakes { get; init; } = 40_000;

    /// <summary>Which of all random sequences.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Sends them to a node.</summary>
    public NodeOutcome Run(NodeShape shape, ServiceTimes times, double perSecond)
    {
        int handshakes = (int)Math.Clamp(perSecond * Seconds, Handshakes, Math.Max(Handshakes, MostHandshakes));
        IArrivals arrivals = Arrivals switch
        {
            ArrivalKind.Even => new EvenArrivals(perSecond),
            ArrivalKind.Bursts => new BurstArrivals(perSecond, Burst),
            _ => new PoissonArrivals(perSecond),
        };
        return SimulatedNode.Run(shape, times, arrivals, handshakes, Seed);
    }
}
