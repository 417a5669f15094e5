namespace WarpProxy.LoadTest.Fleet;

/// <summary>When clients come.</summary>
internal interface IArrivals
{
    /// <summary>Microseconds from one client to the next.</summary>
    double Next(Random random);
}

/// <summary>Independent clients: the time from one to the next is exponentially distributed.</summary>
/// <param name="perSecond">On average.</param>
internal sealed class PoissonArrivals(double perSecond) : IArrivals
{
    public double Next(Random random) => Draw.Exponential(random, 1e6 / perSecond);
}

/// <summary>Clients at equal intervals, as <c>warp-loadtest handshakes --rate</c> sends them unless told otherwise.</summary>
/// <param name="perSecond">So many.</param>
internal sealed class EvenArrivals(double perSecond) : IArrivals
{
    public double Next(Random random) => 1e6 / perSecond;
}

/// <summary>Clients in crowds: so many at once, the crowds independent of each other.</summary>
/// <param name="perSecond">Clients, on average.</param>
/// <param name="size">Of a crowd, 1 or more.</param>
internal sealed class BurstArrivals(double perSecond, int size) : IArrivals
{
    private int _left;

    public double Next(Random random)
    {
        if (_left > 0)
        {
            _left--;
            return 0;
        }

        _left = size - 1;
        return Draw.Exponential(random, 1e6 / perSecond * size);
    }
}
