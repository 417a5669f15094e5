using WarpProxy.Tls;

namespace WarpProxy.Tests.Unit.Proxy;

public sealed class HandshakeLanesTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ManualTime _time = new();
    private readonly HandshakeCounters _counters = new();
    private HandshakeLanes? _lanes;

    public void Dispose() => _lanes?.Dispose();

    [Fact]
    public async Task What_awaits_a_lane_goes_on_upon_it()
    {
        Assert.StartsWith("lane-", await new Flight(Lanes(2)).RunAsync().WaitAsync(Patience));
    }

    [Fact]
    public async Task Who_is_on_a_lane_already_goes_on_at_once()
    {
        HandshakeLanes lanes = Lanes(1);
        var flight = new Flight(lanes);
        bool isThere = false;
        await flight.RunAsync(() => isThere = flight.Entry.IsCompleted).WaitAsync(Patience);
        Assert.True(isThere);
        Assert.False(flight.Entry.IsCompleted);
    }

    [Fact]
    public async Task Lane_knows_whose_handshake_it_carries()
    {
        var flight = new Flight(Lanes(1));
        Assert.Null(HandshakeLane.CurrentHandshake);
        Handshake? seen = null;
        await flight.RunAsync(() => seen = HandshakeLane.CurrentHandshake).WaitAsync(Patience);
        Assert.Same(flight.Handshake, seen);
    }

    [Fact]
    public async Task Execution_context_of_who_awaits_is_there_on_the_lane()
    {
        var local = new AsyncLocal<string>();
        var flight = new Flight(Lanes(1));
        local.Value = "mine";
        string? seen = null;
        await flight.RunAsync(() => seen = local.Value).WaitAsync(Patience);
        Assert.Equal("mine", seen);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Handshake_needs_no_lane_after_its_private_key_or_its_end(bool isKeyUsed)
    {
        var handshake = new Handshake();
        Assert.True(handshake.NeedsLane);
        if (isKeyUsed)
        {
            handshake.PrivateKeyUsed();
        }
        else
        {
            handshake.Complete();
        }

        Assert.False(handshake.NeedsLane);
    }

    [Fact]
    public async Task Second_flight_of_a_handshake_runs_on_a_lane_as_the_first()
    {
        var flight = new Flight(Lanes(1));
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal("lane-0", await flight.RunAsync().WaitAsync(Patience));
        }
    }

    [Fact]
    public async Task Lane_that_worked_last_works_next()
    {
        HandshakeLanes lanes = Lanes(4);
        string? last = null;
        for (int i = 0; i < 20; i++)
        {
            var flight = new Flight(lanes);
            string? lane = await flight.RunAsync().WaitAsync(Patience);
            Assert.True(last is null || last == lane, $"{lane} worked after {last}");
            last = lane;
            Assert.True(SpinWait.SpinUntil(() => lanes.BusyCount == 0, Patience));
        }
    }

    [Fact]
    public async Task No_more_handshakes_run_than_there_are_lanes_and_the_others_follow_in_order()
    {
        HandshakeLanes lanes = Lanes(1, maxWaiting: 2);
        using var held = new HeldLane(lanes);
        List<int> order = [];
        Flight[] flights = [new(lanes), new(lanes)];
        List<Task> runs = [];
        for (int i = 0; i < flights.Length; i++)
        {
            int number = i;
            runs.Add(flights[i].RunAsync(() => order.Add(number)));
        }

        Assert.Equal((1, 2), (lanes.BusyCount, lanes.WaitingCount));
        held.Release();
        await Task.WhenAll(runs).WaitAsync(Patience);
        Assert.Equal([0, 1], order);
    }

    [Fact]
    public async Task One_too_many_is_refused_and_counted()
    {
        HandshakeLanes lanes = Lanes(1, maxWaiting: 1);
        using var held = new HeldLane(lanes);
        Flight waits = new(lanes), refused = new(lanes);
        Task<string?> waiting = waits.RunAsync();
        Assert.StartsWith("refused", await refused.RunAsync().WaitAsync(Patience));
        Assert.Equal(1, _counters.RefusedCount(LaneRefusal.QueueFull));
        held.Release();
        Assert.Equal("lane-0", await waiting.WaitAsync(Patience));
    }

    [Fact]
    public async Task Who_waits_too_long_for_a_lane_is_refused_and_who_came_later_waits_on()
    {
        HandshakeLanes lanes = Lanes(1, maxWaiting: 2);
        using var held = new HeldLane(lanes);
        Flight early = new(lanes), late = new(lanes);
        Task<string?> earlyRead = early.RunAsync();
        _time.Advance(TimeSpan.FromSeconds(3));
        Task<string?> lateRead = late.RunAsync();
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.StartsWith("refused", await earlyRead.WaitAsync(Patience));
        Assert.Equal((1, 1), (lanes.WaitingCount, _counters.RefusedCount(LaneRefusal.WaitTimeout)));
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.StartsWith("refused", await lateRead.WaitAsync(Patience));
        held.Release();
    }

    [Fact]
    public async Task Stopping_refuses_who_waits_and_ends_every_thread()
    {
        HandshakeLanes lanes = Lanes(2, maxWaiting: 2);
        var held = new HeldLane(lanes);
        var other = new HeldLane(lanes);
        var flight = new Flight(lanes);
        Task<string?> running = flight.RunAsync();
        Task stopping = Task.Run(lanes.Dispose);
        Assert.StartsWith("refused", await running.WaitAsync(Patience));
        held.Dispose();
        other.Dispose();
        await stopping.WaitAsync(Patience);
        Assert.True(held.Thread.Join(Patience));
        Assert.True(other.Thread.Join(Patience));
        Assert.StartsWith("refused", await new Flight(lanes).RunAsync().WaitAsync(Patience));
    }

    private HandshakeLanes Lanes(int count, int maxWaiting = 16) => _lanes = new HandshakeLanes(
        new TlsOptions { Lanes = count, MaxWaiting = maxWaiting, LaneTimeout = TimeSpan.FromSeconds(5) }, _time, _counters);

    private sealed class Flight
    {
        public Flight(HandshakeLanes lanes)
        {
            Entry = new LaneEntry(lanes, Handshake);
        }

        public Handshake Handshake { get; } = new();

        public LaneEntry Entry { get; }

        /// <summary>Takes a lane; the result is the name of the thread that goes on, where <paramref name="then"/> runs.</summary>
        public async Task<string?> RunAsync(Action? then = null)
        {
            LaneRefusal? refusal = await Entry;
            string? thread = refusal is { } reason ? $"refused: {reason}" : Thread.CurrentThread.Name;
            if (refusal is null)
            {
                then?.Invoke();
            }

            // Whoever awaits this shall not go on upon the lane.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            return thread;
        }
    }

    /// <summary>Keeps one lane busy until it is released.</summary>
    private sealed class HeldLane : IDisposable
    {
        private readonly ManualResetEventSlim _release = new();
        private readonly TaskCompletionSource<Thread> _thread = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Task _running;

        public HeldLane(HandshakeLanes lanes)
        {
            var flight = new Flight(lanes);
            _running = flight.RunAsync(() =>
            {
                _thread.SetResult(Thread.CurrentThread);
                _release.Wait();
            });
            Assert.True(_thread.Task.Wait(Patience));
        }

        public Thread Thread => _thread.Task.Result;

        public void Release() => _release.Set();

        public void Dispose()
        {
            _release.Set();
            _running.Wait();
        }
    }
}
