using System.IO.Pipelines;
using WarpProxy.Tls;

namespace WarpProxy.Tests.Unit.Proxy;

public sealed class HandshakeLanesTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ManualTime _time = new();
    private readonly HandshakeCounters _counters = new();
    private HandshakeLanes? _lanes;

    public void Dispose() => _lanes?.Dispose();

    [Fact]
    public async Task Read_that_has_to_wait_goes_on_upon_a_lane()
    {
        var connection = new Connection(Lanes(2));
        Task<string?> reading = connection.ReadAsync();
        await connection.WriteAsync();
        Assert.StartsWith("lane-", await reading.WaitAsync(Patience));
    }

    [Fact]
    public async Task Read_whose_bytes_are_there_already_goes_on_upon_a_lane_too()
    {
        var connection = new Connection(Lanes(2));
        await connection.WriteAsync();
        Assert.StartsWith("lane-", await connection.ReadAsync().WaitAsync(Patience));
    }

    [Fact]
    public async Task Lane_knows_whose_handshake_it_carries()
    {
        var connection = new Connection(Lanes(1));
        await connection.WriteAsync();
        Assert.Null(HandshakeLane.CurrentHandshake);
        Handshake? seen = null;
        await connection.ReadAsync(() => seen = HandshakeLane.CurrentHandshake).WaitAsync(Patience);
        Assert.Same(connection.Handshake, seen);
    }

    [Fact]
    public async Task Execution_context_of_the_reader_is_there_on_the_lane()
    {
        var local = new AsyncLocal<string>();
        var connection = new Connection(Lanes(1));
        await connection.WriteAsync();
        local.Value = "mine";
        string? seen = null;
        await connection.ReadAsync(() => seen = local.Value).WaitAsync(Patience);
        Assert.Equal("mine", seen);
    }

    [Fact]
    public async Task After_the_private_key_reads_leave_the_lanes()
    {
        var connection = new Connection(Lanes(1));
        connection.Handshake.PrivateKeyUsed();
        Task<string?> reading = connection.ReadAsync();
        await connection.WriteAsync();
        Assert.DoesNotContain("lane-", await reading.WaitAsync(Patience) ?? "");
    }

    [Fact]
    public async Task Second_read_of_a_handshake_runs_on_a_lane_as_the_first()
    {
        var connection = new Connection(Lanes(1));
        for (int flight = 0; flight < 3; flight++)
        {
            Task<string?> reading = connection.ReadAsync();
            await connection.WriteAsync();
            Assert.Equal("lane-0", await reading.WaitAsync(Patience));
        }
    }

    [Fact]
    public async Task Lane_that_worked_last_works_next()
    {
        HandshakeLanes lanes = Lanes(4);
        string? last = null;
        for (int i = 0; i < 20; i++)
        {
            var connection = new Connection(lanes);
            await connection.WriteAsync();
            string? lane = await connection.ReadAsync().WaitAsync(Patience);
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
        Connection[] connections = [new(lanes), new(lanes)];
        List<Task> readings = [];
        for (int i = 0; i < connections.Length; i++)
        {
            int number = i;
            await connections[i].WriteAsync();
            readings.Add(connections[i].ReadAsync(() => order.Add(number)));
        }

        Assert.Equal((1, 2), (lanes.BusyCount, lanes.WaitingCount));
        held.Release();
        await Task.WhenAll(readings).WaitAsync(Patience);
        Assert.Equal([0, 1], order);
    }

    [Fact]
    public async Task One_too_many_is_refused_and_counted()
    {
        HandshakeLanes lanes = Lanes(1, maxWaiting: 1);
        using var held = new HeldLane(lanes);
        Connection waits = new(lanes), refused = new(lanes);
        await waits.WriteAsync();
        await refused.WriteAsync();
        Task<string?> waiting = waits.ReadAsync();
        await Assert.ThrowsAsync<LaneRefusedException>(() => refused.ReadAsync().WaitAsync(Patience));
        Assert.Equal(1, _counters.RefusedCount(LaneRefusal.QueueFull));
        held.Release();
        Assert.Equal("lane-0", await waiting.WaitAsync(Patience));
    }

    [Fact]
    public async Task Who_waits_too_long_for_a_lane_is_refused_and_who_came_later_waits_on()
    {
        HandshakeLanes lanes = Lanes(1, maxWaiting: 2);
        using var held = new HeldLane(lanes);
        Connection early = new(lanes), late = new(lanes);
        await early.WriteAsync();
        await late.WriteAsync();
        Task<string?> earlyRead = early.ReadAsync();
        _time.Advance(TimeSpan.FromSeconds(3));
        Task<string?> lateRead = late.ReadAsync();
        _time.Advance(TimeSpan.FromSeconds(2));
        await Assert.ThrowsAsync<LaneRefusedException>(() => earlyRead.WaitAsync(Patience));
        Assert.Equal((1, 1), (lanes.WaitingCount, _counters.RefusedCount(LaneRefusal.WaitTimeout)));
        _time.Advance(TimeSpan.FromSeconds(4));
        await Assert.ThrowsAsync<LaneRefusedException>(() => lateRead.WaitAsync(Patience));
        held.Release();
    }

    [Fact]
    public async Task Stopping_refuses_who_waits_and_ends_every_thread()
    {
        HandshakeLanes lanes = Lanes(2, maxWaiting: 2);
        var held = new HeldLane(lanes);
        var other = new HeldLane(lanes);
        var connection = new Connection(lanes);
        await connection.WriteAsync();
        Task<string?> reading = connection.ReadAsync();
        Task stopping = Task.Run(lanes.Dispose);
        await Assert.ThrowsAsync<LaneRefusedException>(() => reading.WaitAsync(Patience));
        held.Dispose();
        other.Dispose();
        await stopping.WaitAsync(Patience);
        Assert.False(held.Thread.IsAlive);
        Assert.False(other.Thread.IsAlive);
        await Assert.ThrowsAsync<LaneRefusedException>(() => new Connection(lanes, isOpen: false).ReadAsync().WaitAsync(Patience));
    }

    [Fact]
    public async Task Task_of_a_read_cannot_be_awaited_twice()
    {
        var connection = new Connection(Lanes(1));
        await connection.WriteAsync();
        ValueTask<ReadResult> read = connection.Reader.ReadAsync();
        await read;
        Assert.Throws<InvalidOperationException>(() => read.GetAwaiter().GetResult());
    }

    private HandshakeLanes Lanes(int count, int maxWaiting = 16) => _lanes = new HandshakeLanes(
        new TlsOptions { Lanes = count, MaxWaiting = maxWaiting, LaneTimeout = TimeSpan.FromSeconds(5) }, _time, _counters);

    private sealed class Connection
    {
        private readonly Pipe _pipe = new();

        public Connection(HandshakeLanes lanes, bool isOpen = true)
        {
            Reader = new LanePipeReader(_pipe.Reader, lanes, Handshake);
            if (!isOpen)
            {
                _pipe.Writer.Complete();
            }
        }

        public Handshake Handshake { get; } = new();

        public LanePipeReader Reader { get; }

        public async Task WriteAsync() => await _pipe.Writer.WriteAsync(new byte[] { 1 });

        /// <summary>Reads once; the result is the name of the thread that goes on, where <paramref name="then"/> runs.</summary>
        public async Task<string?> ReadAsync(Action? then = null)
        {
            ReadResult result = await Reader.ReadAsync();
            string? thread = Thread.CurrentThread.Name;
            then?.Invoke();
            Reader.AdvanceTo(result.Buffer.End);

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
        private readonly Task _reading;

        public HeldLane(HandshakeLanes lanes)
        {
            var connection = new Connection(lanes, isOpen: false);
            _reading = connection.ReadAsync(() =>
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
            _reading.Wait();
        }
    }
}
