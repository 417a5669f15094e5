using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Pacing;

namespace WarpProxy.Tests.Unit.LoadTest;

/// <summary>
/// A server that needs a constant time per operation and stops for a while, and a client with some connections; both in simulated time.
/// </summary>
internal sealed class SimulatedServer
{
    public const long Millisecond = 1_000_000;

    public long ServiceTime { get; init; } = Millisecond;

    public long StallFrom { get; init; } = long.MaxValue;

    public long StallUntil { get; init; } = long.MaxValue;

    /// <summary>Runs a load to the end of the window; returns the latencies from the intended start.</summary>
    public LatencyHistogram Run(IPacing pacing, int connections, long until)
    {
        var latency = new LatencyHistogram();
        long[] busyUntil = new long[connections];
        for (long now = 0; now < until;)
        {
            int free = Array.FindIndex(busyUntil, end => end <= now);
            if (free >= 0 && pacing.TryTake(now, out long intended))
            {
                long end = EndOf(now);
                busyUntil[free] = end;
                latency.Record(end - intended);
                continue;
            }

            // To the next moment at which something can happen.
            now = free >= 0 ? Math.Max(pacing.NextDue, now + 1) : busyUntil.Min();
        }

        return latency;
    }

    /// <summary>What runs into the stall goes on after it.</summary>
    private long EndOf(long begun)
    {
        if (begun >= StallFrom && begun < StallUntil)
        {
            return StallUntil + ServiceTime;
        }

        long end = begun + ServiceTime;
        return begun < StallFrom && end > StallFrom ? end + (StallUntil - StallFrom) : end;
    }
}
