using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Pacing;

/// <summary>
/// Operations at random times, as independent clients come: from one to the next is exponentially distributed. As with <see cref="OpenLoop"/> the schedule never moves, and latency
/// counts from when an operation was due.
/// </summary>
internal sealed class PoissonLoop : IPacing
{
    private readonly long _start;
    private readonly double _mean;
    private readonly Random _random;
    private double _due;        // since the start, so that no rounding adds up

    /// <summary>Settles when the first operation is due.</summary>
    /// <param name="start">When the schedule begins.</param>
    /// <param name="perSecond">The rate of all threads together, on average.</param>
    /// <param name="stripe">Which of the threads this is, from 0; each has times of its own, which together are as random.</param>
    /// <param name="stripes">How many threads there are.</param>
    public PoissonLoop(long start, double perSecond, int stripe, int stripes)
    {
        _start = start;
        _mean = stripes / perSecond * LoadClock.Second;
        _random = new Random(stripe);
        Draw();
    }

    public bool IsOpenLoop => true;

    public long NextDue => _start + (long)_due;

    public bool TryTake(long now, out long intended)
    {
        intended = NextDue;
        if (intended > now)
        {
            return false;
        }

        Draw();
        return true;
    }

    private void Draw() => _due -= _mean * Math.Log(1 - _random.NextDouble());
}
