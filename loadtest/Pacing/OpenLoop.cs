using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Pacing;

/// <summary>
/// Operations at a constant rate. The schedule never moves: what is begun late, because the limit of connections is reached or the
/// client was busy, counts from when it was due. Otherwise the operations that a stalled server kept from beginning would be missing from
/// the percentiles (coordinated omission).
/// </summary>
/// <param name="start">When the schedule begins.</param>
/// <param name="perSecond">The rate of all threads together.</param>
/// <param name="stripe">Which of the threads this is, from 0; each takes its turn, so that together they are evenly spaced.</param>
/// <param name="stripes">How many threads there are.</param>
internal sealed class OpenLoop(long start, double perSecond, int stripe, int stripes) : IPacing
{
    private long _taken;

    public bool IsOpenLoop => true;

    // From the index and not from the last one: no error adds up.
    public long NextDue => start + (long)(((_taken * stripes) + stripe) / perSecond * LoadClock.Second);

    public bool TryTake(long now, out long intended)
    {
        intended = NextDue;
        if (intended > now)
        {
            return false;
        }

        _taken++;
        return true;
    }
}
