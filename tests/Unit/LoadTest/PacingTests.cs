using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Pacing;

namespace WarpProxy.Tests.Unit.LoadTest;

/// <summary>When operations begin, and what a server that stops for a second does to the percentiles.</summary>
public sealed class PacingTests
{
    private const long Ms = SimulatedServer.Millisecond;
    private const long Until = 10 * LoadClock.Second;

    // One of ten seconds without an answer.
    private static readonly SimulatedServer Stalling = new() { StallFrom = 5 * LoadClock.Second, StallUntil = 6 * LoadClock.Second };

    [Fact]
    public void Open_loop_shows_a_stall_that_a_closed_loop_hides()
    {
        LatencyHistogram closed = Stalling.Run(new ClosedLoop(), connections: 1, Until);
        LatencyHistogram open = Stalling.Run(new OpenLoop(0, 500, 0, 1), connections: 1, Until);

        // Closed: one operation in nine thousand met the stall.
        AssertClose(Ms, closed.ValueAt(99.9));
        AssertClose(1001 * Ms, closed.Max);

        // Open: 500 operations were due in the stall and 500 behind them while the queue was worked off; all of them waited.
        // After t ms of stall 1000 - t ms are left and t / 2 operations, of 1 ms each, stand before: 1000 - t / 2. Half of them wait longer
        // than 500 ms, that is 10 % of all.
        Assert.Equal(5000, open.Count);
        Assert.InRange(open.ValueAt(50), 0, 2 * Ms);
        Assert.InRange(open.ValueAt(89), 400 * Ms, 500 * Ms);
        Assert.InRange(open.ValueAt(95), 700 * Ms, 800 * Ms);
        Assert.InRange(open.ValueAt(99), 930 * Ms, 970 * Ms);
    }

    [Fact]
    public void Latency_in_an_open_loop_without_a_stall_is_the_service_time()
    {
        LatencyHistogram latency = new SimulatedServer().Run(new OpenLoop(0, 500, 0, 1), connections: 1, Until);
        Assert.Equal((5000L, Ms, Ms), (latency.Count, latency.Min, latency.Max));
    }

    [Fact]
    public void Waiting_in_an_overloaded_open_loop_grows_to_the_end()
    {
        // 2000 per second for a server that does 1000: after 10 s the last one has waited 5 s.
        LatencyHistogram latency = new SimulatedServer().Run(new OpenLoop(0, 2000, 0, 1), connections: 1, Until);
        Assert.Equal(10_000, latency.Count);
        AssertClose(5000 * Ms, latency.Max);
        AssertClose(2500 * Ms, latency.ValueAt(50));
    }

    [Fact]
    public void Operations_are_due_at_equal_distances_without_drift()
    {
        var loop = new OpenLoop(start: 1000, perSecond: 3, stripe: 0, stripes: 1);
        for (int i = 0; i <= 3_000_000; i++)
        {
            if (i % 3 == 0)
            {
                Assert.InRange(loop.NextDue, 1000 + (i / 3 * LoadClock.Second) - 1, 1000 + (i / 3 * LoadClock.Second));
            }

            Assert.True(loop.TryTake(long.MaxValue, out _));
        }
    }

    [Fact]
    public void Nothing_is_taken_before_it_is_due()
    {
        var loop = new OpenLoop(start: 0, perSecond: 1000, stripe: 0, stripes: 1);
        Assert.True(loop.TryTake(0, out long first));
        Assert.False(loop.TryTake(Ms - 1, out _));
        Assert.Equal(Ms, loop.NextDue);
        Assert.True(loop.TryTake(Ms, out long second));
        Assert.Equal((0L, Ms), (first, second));
    }

    [Fact]
    public void Late_operations_keep_the_time_at_which_they_were_due()
    {
        var loop = new OpenLoop(start: 0, perSecond: 1000, stripe: 0, stripes: 1);
        for (int i = 0; i < 10; i++)
        {
            Assert.True(loop.TryTake(Ms * 9, out long intended));
            Assert.Equal(i * Ms, intended);
        }

        Assert.False(loop.TryTake(Ms * 9, out _));
    }

    [Fact]
    public void Threads_take_turns_in_one_schedule()
    {
        OpenLoop[] threads = [.. Enumerable.Range(0, 3).Select(stripe => new OpenLoop(0, 1000, stripe, 3))];
        var taken = new List<long>();
        foreach (OpenLoop thread in threads)
        {
            while (thread.TryTake(29 * Ms, out long intended))
            {
                taken.Add(intended);
            }
        }

        Assert.Equal(Enumerable.Range(0, 30).Select(i => i * Ms), taken.Order());
    }

    [Fact]
    public void Closed_loop_is_always_due()
    {
        var loop = new ClosedLoop();
        Assert.True(loop.TryTake(123, out long intended));
        Assert.Equal(123, intended);
        Assert.InRange(loop.NextDue, 0, 123); // a difference to the clock does not overflow
    }

    [Fact]
    public void Random_loop_has_the_rate_and_the_spread_of_independent_clients()
    {
        PoissonLoop[] threads = [.. Enumerable.Range(0, 2).Select(stripe => new PoissonLoop(start: 500, perSecond: 1000, stripe, stripes: 2))];
        foreach (PoissonLoop loop in threads)
        {
            // Half of the clients each; the deviation of independent ones is as large as the mean.
            double last = 500, sum = 0, squares = 0;
            const int Count = 50_000;
            for (int i = 0; i < Count; i++)
            {
                Assert.False(loop.TryTake(loop.NextDue - 1, out _));
                Assert.True(loop.TryTake(loop.NextDue, out long intended));
                double gap = intended - last;
                last = intended;
                sum += gap;
                squares += gap * gap;
            }

            double mean = sum / Count;
            Assert.InRange(mean, 1.96 * Ms, 2.04 * Ms);
            Assert.InRange(Math.Sqrt((squares / Count) - (mean * mean)) / mean, 0.98, 1.02);
        }

        Assert.NotEqual(threads[0].NextDue, threads[1].NextDue);
    }

    private static void AssertClose(long expected, long actual) => Assert.InRange(actual, (long)(expected * 0.99), (long)(expected * 1.01));
}
