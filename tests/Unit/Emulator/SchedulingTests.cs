namespace WarpProxy.Tests.Unit.Emulator;

/// <summary>Which engine takes which operation of which queue, and that nobody starves; stepped.</summary>
public sealed class SchedulingTests
{
    [Theory]
    [InlineData(8, 8, 4)]
    [InlineData(8, 3, 2)]
    [InlineData(8, 1, 1)]
    [InlineData(8, 100, 8)]
    [InlineData(1, 100, 1)]
    public void Engine_takes_its_share_of_what_waits_while_another_is_free(int lanes, int waiting, int expected)
    {
        using var device = new SteppedDevice(engines: 2, lanes: lanes);
        RingHost host = device.Open();
        host.Post(0, count: waiting);
        device.Engine(0).Step();
        Assert.Equal(1, Assert.Single(device.Accelerator.GetBatchHistograms()).Batches[expected]);
    }

    [Fact]
    public void Engine_fills_its_lanes_when_all_others_are_busy()
    {
        using var device = new SteppedDevice(engines: 2, lanes: 8);
        RingHost host = device.Open();
        host.Post(0, count: 2);
        device.Engine(0).Fetch();
        host.Post(0, count: 6);
        device.Engine(1).Step();
        Assert.Equal(1, Assert.Single(device.Accelerator.GetBatchHistograms()).Batches[7]);
        device.Engine(0).Execute();
        device.Engine(0).Complete();
        Assert.Equal(8, device.Accelerator.OperationsCompleted);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Queue_with_one_operation_is_served_in_the_first_round_beside_one_that_floods(int lanes)
    {
        using var device = new SteppedDevice(lanes: lanes);
        RingHost flood = device.Open();
        RingHost quiet = device.Open();
        flood.Post(0, count: 500);
        device.Step();
        quiet.Post(0);
        device.Step();
        Assert.Equal(0, quiet.Reap());
    }

    [Fact]
    public void Flood_of_refused_operations_keeps_no_one_waiting()
    {
        using var device = new SteppedDevice(lanes: 4);
        RingHost flood = device.Open();
        RingHost quiet = device.Open();
        for (int i = 0; i < 500; i++)
        {
            flood.WriteEntry(0, 0, 0, 0, 0);
        }

        flood.Ring();
        quiet.Post(0);
        device.Step();
        Assert.Equal(0, quiet.Reap());
        Assert.Equal(3, device.Accelerator.OperationErrors);
    }

    [Fact]
    public void Queues_that_all_flood_get_equal_shares()
    {
        using var device = new SteppedDevice(lanes: 8);
        RingHost[] hosts = [device.Open(), device.Open(), device.Open()];
        Array.ForEach(hosts, host => host.Post(0, count: 1000));
        for (int step = 0; step < 30; step++)
        {
            device.Step();
        }

        foreach (RingHost host in hosts)
        {
            int reaped = 0;
            while (host.Reap() >= 0)
            {
                reaped++;
            }

            Assert.Equal(80, reaped);
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(8, 1)]
    [InlineData(8, 3)]
    public void Two_hundred_queues_that_all_flood_get_equal_shares_and_none_waits_longer_than_a_round(int lanes, int engines)
    {
        const int Queues = 200;
        const int Rounds = 4;
        using var device = new SteppedDevice(engines: engines, lanes: lanes);
        RingHost[] hosts = [.. Enumerable.Range(0, Queues).Select(_ => device.Open(depth: 16))];
        Array.ForEach(hosts, host => host.Post(0, count: 15));
        int[] reaped = new int[Queues];
        for (int step = 0; step < Rounds * Queues / lanes; step++)
        {
            device.Engine(step % engines).Step();
        }

        for (int i = 0; i < Queues; i++)
        {
            while (hosts[i].Reap() >= 0)
            {
                reaped[i]++;
            }
        }

        // With several engines, each has its own place in the round.
        Assert.InRange(reaped.Min(), Rounds - engines, Rounds);
        Assert.InRange(reaped.Max(), Rounds, Rounds + engines);
    }
}
