using WarpProxy.Live;
using WarpProxy.Telemetry;
using WarpProxy.Tls;

namespace WarpProxy.Tests.Unit.Live;

public sealed class SlowestBoardTests
{
    private readonly SlowestBoard _board = new();

    [Fact]
    public void Board_keeps_the_slowest_in_whatever_order_they_come()
    {
        var random = new Random(7);
        int[] times = [.. Enumerable.Range(1, 500)];
        random.Shuffle(times);
        Array.ForEach(times, Offer);
        Assert.Equal([500, 499, 498, 497, 496, 495, 494, 493, 492, 491], Read());
    }

    [Fact]
    public void Client_that_takes_its_time_makes_no_handshake_slow()
    {
        Handshake handshake = LiveHandshakes.Make(HandshakePath.Device, 2);
        _board.Offer(handshake, LiveHandshakes.Begun + LiveHandshakes.Ticks(60_000));
        Offer(3);
        IReadOnlyList<SlowHandshake> slowest = _board.Read(LiveHandshakes.Begun + LiveHandshakes.Ticks(61_000));
        Assert.Equal([3, 2], slowest.Select(static one => (int)one.ProxyMs));
        Assert.Equal(59_998, slowest[1].ClientMs, 0.001);
        Assert.Equal(1, slowest[1].AgoSeconds);
    }

    [Fact]
    public void What_is_five_minutes_old_is_gone()
    {
        Offer(900);
        for (int i = 0; i < SlowestBoard.SliceCount - 1; i++)
        {
            _board.Turn();
            Offer(i + 1);
            Assert.Equal(900, Read()[0]);
        }

        _board.Turn();
        Assert.Equal([9, 8, 7, 6, 5, 4, 3, 2, 1], Read());
    }

    [Fact]
    public void List_that_was_turned_away_from_is_empty_when_its_turn_comes_again()
    {
        for (int i = 0; i < SlowestBoard.Length; i++)
        {
            Offer(1000);
        }

        for (int i = 0; i < SlowestBoard.SliceCount; i++)
        {
            _board.Turn();
        }

        Assert.Empty(Read());
        Offer(1);
        Assert.Equal([1], Read());
    }

    [Fact]
    public void Handshake_whose_steps_were_not_kept_is_left_out()
    {
        _board.Offer(new Handshake { Path = HandshakePath.Device }, LiveHandshakes.Begun);
        Assert.Empty(Read());
    }

    [Fact]
    public async Task Threads_that_offer_at_once_lose_none_of_the_slowest()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (int i = 0; i < 1000; i++)
            {
                Offer((i * 4) + thread + 1);
            }
        })));
        Assert.Equal(Enumerable.Range(0, 10).Select(static i => 4000 - i), Read());
    }

    [Fact]
    public void Steps_of_a_device_follow_each_other_and_sum_up()
    {
        Handshake handshake = LiveHandshakes.Make(HandshakePath.Device, 10);
        ref HandshakeSteps steps = ref handshake.Steps;
        steps.Posted = At(2.5);
        steps.ComputeBegun = At(3);
        steps.ComputeEnded = At(7);
        steps.Reaped = At(7.5);
        steps.Checked = At(8);
        steps.BatchSize = 8;
        SlowHandshake slow = Only(handshake);
        Assert.Equal(
            [("wait for a lane", 1), ("TLS before the key", 1), ("queue wait", 0.5), ("batch wait", 0.5), ("compute, 8 together", 4), ("answer taken", 0.5), ("fault check", 0.5), ("TLS after the key", 2)],
            slow.Steps.Select(static step => (step.Name, step.LengthMs)));
        AssertSum(slow);
    }

    [Fact]
    public void Device_that_tells_no_times_is_one_step()
    {
        Handshake handshake = LiveHandshakes.Make(HandshakePath.Device, 10);
        (handshake.Steps.Posted, handshake.Steps.Reaped, handshake.Steps.Checked) = (At(3), At(7), At(8));
        SlowHandshake slow = Only(handshake);
        Assert.Equal(
            [("wait for a lane", 1), ("TLS before the key", 1), ("queue wait", 1), ("device", 4), ("fault check", 1), ("TLS after the key", 2)],
            slow.Steps.Select(static step => (step.Name, step.LengthMs)));
        AssertSum(slow);
    }

    [Fact]
    public void Software_after_a_device_that_did_not_answer_says_how_long_it_was_waited_for()
    {
        Handshake handshake = LiveHandshakes.Make(HandshakePath.Software, 10);
        handshake.Fallback = "deadline";
        (handshake.Steps.Posted, handshake.Steps.SoftwareBegun) = (At(2.5), At(8));
        SlowHandshake slow = Only(handshake);
        Assert.Equal("deadline", slow.Fallback);
        Assert.Equal(
            [("wait for a lane", 1), ("TLS before the key", 1), ("queue wait", 0.5), ("given up on the device", 5.5), ("compute in software", 1), ("TLS after the key", 1)],
            slow.Steps.Select(static step => (step.Name, step.LengthMs)));
        AssertSum(slow);
    }

    private static long At(double milliseconds) => LiveHandshakes.Begun + LiveHandshakes.Ticks(milliseconds);

    private static void AssertSum(SlowHandshake slow)
    {
        Assert.Equal(slow.ProxyMs, slow.Steps.Sum(static step => step.LengthMs), 0.01);
        double at = 0;
        foreach (SlowStep step in slow.Steps)
        {
            Assert.Equal(at, step.StartMs, 0.01);
            at = step.StartMs + step.LengthMs;
        }
    }

    private void Offer(int milliseconds)
    {
        Handshake handshake = LiveHandshakes.Make(HandshakePath.Device, milliseconds);
        _board.Offer(handshake, LiveHandshakes.EndOf(handshake));
    }

    private SlowHandshake Only(Handshake handshake)
    {
        _board.Offer(handshake, LiveHandshakes.EndOf(handshake));
        return Assert.Single(_board.Read(LiveHandshakes.EndOf(handshake)));
    }

    private int[] Read() => [.. _board.Read(LiveHandshakes.Begun).Select(static one => (int)Math.Round(one.ProxyMs))];
}
