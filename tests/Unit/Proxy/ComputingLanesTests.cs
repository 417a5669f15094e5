using System.Collections.Concurrent;
using WarpProxy.Tls;

namespace WarpProxy.Tests.Unit.Proxy;

/// <summary>How many lanes compute at the same time, and how a crowd is kept waiting.</summary>
public sealed class ComputingLanesTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly HandshakeCounters _counters = new();
    private readonly ConcurrentQueue<Flight> _begun = new();
    private readonly List<Flight> _started = [];
    private HandshakeLanes? _lanes;

    public void Dispose()
    {
        _started.ForEach(static flight => flight.End());
        _lanes?.Dispose();
    }

    [Fact]
    public void No_more_lanes_compute_than_there_are_processors()
    {
        HandshakeLanes lanes = Lanes(8, processors: 2);
        Flight[] flights = Start(lanes, 5);
        Await(() => _begun.Count == 2);
        Assert.Equal((2, 3), (lanes.BusyCount, lanes.WaitingCount));

        flights[0].End();
        Await(() => _begun.Count == 3 && lanes.BusyCount == 2);
        Assert.Equal(2, lanes.WaitingCount);
    }

    [Fact]
    public void Lane_that_waits_for_a_device_lets_another_compute()
    {
        HandshakeLanes lanes = Lanes(8, processors: 1);
        Flight[] flights = Start(lanes, 4);
        Await(() => _begun.Count == 1);
        flights[0].WaitForDevice();
        Await(() => _begun.Count == 2);
        flights[1].WaitForDevice();
        Await(() => _begun.Count == 3);
        Assert.Equal((3, 1), (lanes.BusyCount, lanes.WaitingCount));
    }

    [Fact]
    public void All_lanes_may_wait_for_devices_and_no_more()
    {
        HandshakeLanes lanes = Lanes(3, processors: 1);
        Flight[] flights = Start(lanes, 4);
        for (int i = 0; i < 3; i++)
        {
            int begun = i + 1;
            Await(() => _begun.Count == begun);
            flights[i].WaitForDevice();
        }

        Assert.Equal((3, 1, 3), (lanes.BusyCount, lanes.WaitingCount, _begun.Count));
        flights[1].End();
        Await(() => _begun.Count == 4);
    }

    [Fact]
    public void Lane_back_from_a_device_rests_while_others_compute()
    {
        HandshakeLanes lanes = Lanes(8, processors: 1);
        Flight[] flights = Start(lanes, 3);
        Await(() => _begun.Count == 1);
        flights[0].WaitForDevice();
        Await(() => _begun.Count == 2);
        flights[0].End();
        Await(() => lanes.BusyCount == 1);
        Assert.Equal((1, 2), (lanes.WaitingCount, _begun.Count));

        flights[1].End();
        Await(() => _begun.Count == 3 && lanes.BusyCount == 1);
        Assert.Equal(0, lanes.WaitingCount);
    }

    [Fact]
    public void Waiting_for_a_device_twice_lets_one_other_compute()
    {
        HandshakeLanes lanes = Lanes(8, processors: 1);
        Flight[] flights = Start(lanes, 4);
        Await(() => _begun.Count == 1);
        flights[0].WaitForDevice();
        flights[0].WaitForDevice();
        Await(() => _begun.Count == 2);
        Assert.Equal((2, 2), (lanes.BusyCount, lanes.WaitingCount));
    }

    [Fact]
    public void Load_counts_who_waits_as_far_as_there_are_lanes()
    {
        HandshakeLanes lanes = Lanes(4, processors: 1);
        Assert.Equal(0, lanes.LoadAbout);
        Start(lanes, 3);
        Await(() => _begun.Count == 1);
        Assert.Equal(3, lanes.LoadAbout);
        Start(lanes, 3);
        Assert.Equal((4, 1), (lanes.LoadAbout, lanes.BusyCount));
    }

    [Fact]
    public void Who_waits_for_a_processor_is_not_one_too_many()
    {
        HandshakeLanes lanes = Lanes(3, processors: 1, maxWaiting: 1);
        Flight[] flights = Start(lanes, 4);
        Await(() => _begun.Count == 1);
        Assert.Equal((1, 3, 0), (lanes.BusyCount, lanes.WaitingCount, _counters.RefusedCount(LaneRefusal.QueueFull)));

        // As many as there are lanes, and one that waits, are there.
        Flight tooMany = Start(lanes, 1)[0];
        Await(() => tooMany.IsRefused);
        Assert.Equal(1, _counters.RefusedCount(LaneRefusal.QueueFull));
        foreach (Flight flight in flights)
        {
            flight.End();
        }

        Await(() => _begun.Count == 4 && lanes.BusyCount == 0);
    }

    [Fact]
    public void Thread_that_is_no_lane_may_say_that_it_waits_for_a_device()
    {
        Lanes(1, processors: 1);
        HandshakeLane.BeginDevice();
        Assert.Equal(1, HandshakeLane.CountLoad());
    }

    [Fact]
    public async Task Crowd_waits_until_half_of_it_is_through()
    {
        HandshakeLanes lanes = Lanes(1, processors: 1, maxWaiting: 1000);
        Flight[] flights = Start(lanes, HandshakeLanes.CrowdBegins);
        Await(() => _begun.Count == 1);
        Assert.True(lanes.WhenRoomAsync().IsCompleted);

        Start(lanes, 1);
        Task room = lanes.WhenRoomAsync();
        Assert.Equal((false, HandshakeLanes.CrowdBegins), (room.IsCompleted, lanes.WaitingCount));
        Assert.Same(room, lanes.WhenRoomAsync());
        for (int i = 0; i < HandshakeLanes.CrowdBegins - HandshakeLanes.CrowdEnds; i++)
        {
            Assert.False(room.IsCompleted);
            int begun = i + 2;
            flights[i].End();
            Await(() => _begun.Count == begun);
        }

        await room.WaitAsync(Patience);
        Assert.True(lanes.WhenRoomAsync().IsCompleted);
    }

    [Fact]
    public async Task Stopping_keeps_no_crowd_waiting()
    {
        HandshakeLanes lanes = Lanes(1, processors: 1, maxWaiting: 1000);
        Flight held = Start(lanes, HandshakeLanes.CrowdBegins + 1)[0];
        Task room = lanes.WhenRoomAsync();
        Assert.False(room.IsCompleted);
        Task stopping = Task.Run(lanes.Dispose);
        await room.WaitAsync(Patience);
        held.End();
        await stopping.WaitAsync(Patience);
        Assert.True(lanes.WhenRoomAsync().IsCompleted);
    }

    private static void Await(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, Patience));

    private HandshakeLanes Lanes(int count, int processors, int maxWaiting = 16) => _lanes = new HandshakeLanes(
        new TlsOptions { Lanes = count, MaxWaiting = maxWaiting, LaneTimeout = TimeSpan.FromMinutes(5) }, TimeProvider.System, _counters, processors);

    private Flight[] Start(HandshakeLanes lanes, int count)
    {
        var flights = new Flight[count];
        for (int i = 0; i < count; i++)
        {
            flights[i] = new Flight();
            _started.Add(flights[i]);
            _ = flights[i].RunAsync(lanes, _begun);
        }

        return flights;
    }

    /// <summary>A handshake that stays on its lane until it is told to wait for a device, or to end.</summary>
    private sealed class Flight
    {
        private readonly BlockingCollection<bool> _orders = [];     // whoever takes from it sleeps
        private volatile int _waits;

        public bool IsRefused { get; private set; }

        public async Task RunAsync(HandshakeLanes lanes, ConcurrentQueue<Flight> begun)
        {
            IsRefused = await new LaneEntry(lanes, new Handshake()) is not null;
            if (IsRefused)
            {
                return;
            }

            begun.Enqueue(this);
            while (_orders.Take())
            {
                HandshakeLane.BeginDevice();
                _waits++;
            }
        }

        public void WaitForDevice()
        {
            int waits = _waits + 1;
            _orders.Add(true);
            Await(() => _waits == waits);
        }

        public void End() => _orders.Add(false);
    }
}
