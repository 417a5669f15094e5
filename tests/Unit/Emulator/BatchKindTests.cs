using WarpDrive.Engines;
using Xunit.Abstractions;

namespace WarpProxy.Tests.Unit.Emulator;

/// <summary>A batch holds operations of one algorithm and size; stepped.</summary>
public sealed class BatchKindTests(ITestOutputHelper output)
{
    private const uint Plain = 0x4000_0000;
    private const uint Crt = 0x4000_0001;

    // What each batch was, as it was computed.
    private readonly List<(RsaAlgorithm Algorithm, int Bits, int Count)> _batches = [];

    [Fact]
    public void Operations_of_one_kind_are_taken_together_over_all_queues_and_others_stay()
    {
        using SteppedDevice device = Start();
        RingHost[] hosts = [device.Open(), device.Open(), device.Open(), device.Open()];
        Post(hosts[0], 2048, 2);
        Post(hosts[1], 4096);
        Post(hosts[2], 2048);
        Post(hosts[3], 4096);
        device.StepAll();
        Assert.Equal([(RsaAlgorithm.Crt, 2048, 3), (RsaAlgorithm.Crt, 4096, 2)], _batches);
        Assert.Equal([2, 1, 1, 1], hosts.Select(Reap));
    }

    [Fact]
    public void Algorithms_are_kept_apart_too()
    {
        using SteppedDevice device = Start();
        RingHost host = device.Open();
        RingHost other = device.Open();
        Post(host, 2048, 2);
        Post(other, 2048, 1, Plain);
        device.StepAll();
        Assert.Equal([(RsaAlgorithm.Crt, 2048, 2), (RsaAlgorithm.Plain, 2048, 1)], _batches);
    }

    [Fact]
    public void Queue_keeps_its_order_when_kinds_alternate_in_it()
    {
        using SteppedDevice device = Start();
        RingHost host = device.Open();
        for (int i = 0; i < 3; i++)
        {
            Post(host, 2048);
            Post(host, 3072);
        }

        device.StepAll();
        Assert.Equal([2048, 3072, 2048, 3072, 2048, 3072], _batches.Select(batch => batch.Bits));
        Assert.Equal(6, Reap(host));
    }

    [Fact]
    public void Lone_operation_of_a_size_is_computed_in_the_second_batch_beside_a_flood_of_another()
    {
        using SteppedDevice device = Start();
        RingHost flood = device.Open();
        RingHost quiet = device.Open();
        Post(flood, 2048, 500);
        device.Step();
        Post(quiet, 4096);
        device.Step();
        device.Step();
        Assert.Equal(1, Reap(quiet));
        Assert.Equal([(RsaAlgorithm.Crt, 2048, 8), (RsaAlgorithm.Crt, 2048, 8), (RsaAlgorithm.Crt, 4096, 1)], _batches.OrderBy(batch => batch.Bits));
    }

    [Fact]
    public void Two_sizes_that_flood_take_turns()
    {
        using SteppedDevice device = Start();
        RingHost[] hosts = [device.Open(), device.Open(), device.Open()];
        Post(hosts[0], 2048, 500);
        Post(hosts[1], 2048, 500);
        Post(hosts[2], 4096, 500);
        for (int step = 0; step < 6; step++)
        {
            device.Step();
        }

        Assert.Equal([2048, 4096, 2048, 4096, 2048, 4096], _batches.Select(batch => batch.Bits));
        Assert.All(_batches, batch => Assert.Equal(8, batch.Count));
        Assert.Equal([12, 12, 24], hosts.Select(Reap));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void No_queue_waits_longer_than_one_batch_for_each_queue(int seed)
    {
        output.WriteLine($"seed {seed}");
        const int Queues = 7;
        var random = new Random(seed);
        using SteppedDevice device = Start();
        RingHost[] hosts = [.. Enumerable.Range(0, Queues).Select(_ => device.Open())];
        int[] waiting = new int[Queues];
        int[] batchesWithout = new int[Queues];
        for (int step = 0; step < 300; step++)
        {
            // In runs of one size, of any length, so that a queue's head may be of any kind.
            for (int i = 0; i < Queues; i++)
            {
                int count = waiting[i] < 500 ? random.Next(6) * random.Next(6) : 0;
                Post(hosts[i], random.Next(1, 5) * 1024, count);
                waiting[i] += count;
            }

            device.Step();
            for (int i = 0; i < Queues; i++)
            {
                int served = Reap(hosts[i]);
                batchesWithout[i] = served > 0 || waiting[i] == 0 ? 0 : batchesWithout[i] + 1;
                waiting[i] -= served;
                Assert.InRange(batchesWithout[i], 0, Queues - 1);
            }
        }

        Assert.True(_batches.Count > 250);
        Assert.All(_batches, batch => Assert.InRange(batch.Count, 1, 8));
    }

    [Fact]
    public void Refused_operation_counts_into_any_batch()
    {
        using SteppedDevice device = Start();
        RingHost good = device.Open();
        RingHost bad = device.Open();
        Post(good, 2048);
        bad.WriteEntry(0, 0, 0, 0, 0);
        bad.Ring();
        Post(bad, 4096);
        device.Step();
        Assert.Equal((1, 1), (Reap(good), Reap(bad)));
        Assert.Equal([(RsaAlgorithm.Crt, 2048, 1)], _batches);
        Assert.Equal(1, device.Accelerator.OperationErrors);
    }

    // Of one CPU: 1 operation 213, up to 4 together 401, up to 8 together 795; so 5 are 4 and 1.
    [Theory]
    [InlineData(1, "1")]
    [InlineData(2, "2")]
    [InlineData(3, "3")]
    [InlineData(5, "4 1")]
    [InlineData(6, "6")]
    [InlineData(9, "8 1")]
    [InlineData(21, "8 8 4 1")]
    public void Only_what_gains_by_it_is_taken_together(int waiting, string expected)
    {
        using SteppedDevice device = Start(plan: BatchPlan.FromTimes(new EngineTimes(213, 401, 795), lanes: 8));
        RingHost host = device.Open();
        Post(host, 2048, waiting);
        device.StepAll();
        Assert.Equal(expected, string.Join(' ', _batches.Select(batch => batch.Count)));
    }

    [Fact]
    public void Scalar_operations_are_taken_one_by_one_so_that_each_ends_as_soon_as_it_is_done()
    {
        using SteppedDevice device = Start(plan: BatchPlan.FromTimes(new EngineTimes(658, 1320, 2540), lanes: 8));
        RingHost host = device.Open();
        RingHost other = device.Open();
        Post(host, 2048);
        Post(other, 2048);
        device.Step();
        Assert.Equal((1, 0), (Reap(host), Reap(other)));

        // Three find each other meanwhile.
        Post(host, 2048, 2);
        device.Step();
        Assert.Equal((2, 1), (Reap(host), Reap(other)));
        Assert.Equal([1, 3], _batches.Select(batch => batch.Count));
    }

    // The same CPU; what the first engine leaves is what the second one finds.
    [Theory]
    [InlineData(1, "1")]
    [InlineData(2, "1 1")]
    [InlineData(3, "3")]
    [InlineData(4, "4")]
    [InlineData(5, "4 1")]
    [InlineData(6, "3 3")]
    [InlineData(7, "4 3")]
    [InlineData(8, "4 4")]
    [InlineData(9, "4 4")]
    [InlineData(12, "8 4")]
    [InlineData(14, "7 7")]
    [InlineData(16, "8 8")]
    [InlineData(40, "8 8")]
    public void Free_engines_share_what_waits_unless_it_would_cost_more(int waiting, string expected)
    {
        using SteppedDevice device = Start(engines: 2, BatchPlan.FromTimes(new EngineTimes(213, 401, 795), lanes: 8));
        RingHost host = device.Open();
        Post(host, 2048, waiting);
        device.Engine(0).Fetch();
        device.Engine(1).Fetch();
        device.Engine(0).Execute();
        device.Engine(1).Execute();
        device.Engine(0).Complete();
        device.Engine(1).Complete();
        Assert.Equal(expected, string.Join(' ', _batches.Select(batch => batch.Count)));
    }

    [Fact]
    public void Free_engine_takes_the_other_size_and_not_a_share_of_it()
    {
        using SteppedDevice device = Start(engines: 2, BatchPlan.Simd(lanes: 8));
        RingHost host = device.Open();
        RingHost other = device.Open();
        Post(host, 2048, 4);
        Post(other, 4096, 4);
        device.Engine(0).Fetch();
        device.Engine(1).Fetch();
        device.Engine(0).Execute();
        device.Engine(1).Execute();
        Assert.Equal([(RsaAlgorithm.Crt, 2048, 4), (RsaAlgorithm.Crt, 4096, 4)], _batches);
        device.Engine(0).Complete();
        device.Engine(1).Complete();
        Assert.Equal((4, 4), (Reap(host), Reap(other)));
    }

    [Fact]
    public void Batches_are_counted_by_kind_and_number()
    {
        using SteppedDevice device = Start();
        RingHost host = device.Open();
        Post(host, 2048, 19);
        device.StepAll();
        Post(host, 4096, 1, Plain);
        device.StepAll();
        Assert.Equal(["Plain 4096 bits: 1 of 1", "Crt 2048 bits: 1 of 3, 2 of 8"], device.Accelerator.GetBatchHistograms().Select(histogram => histogram.ToString()));
    }

    private static void Post(RingHost host, int bits, int count = 1, uint control = Crt)
    {
        for (int i = 0; i < count; i++)
        {
            host.WriteEntry(control, (byte)((bits / 64) - 1), RingHost.SlotIova(0), RingHost.SlotIova(1), RingHost.SlotIova(2));
        }

        host.Ring();
    }

    private static int Reap(RingHost host)
    {
        int count = 0;
        while (host.Reap() >= 0)
        {
            count++;
        }

        return count;
    }

    private SteppedDevice Start(int engines = 1, BatchPlan? plan = null) => new(engines, lanes: 8, Record, plan: plan);

    private void Record(OperationBatch batch)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            Assert.Equal((batch[0].Algorithm, batch[0].ModulusBytes), (batch[i].Algorithm, batch[i].ModulusBytes));
            batch[i].Status = RsaStatus.Done;
        }

        _batches.Add((batch[0].Algorithm, batch[0].ModulusBytes * 8, batch.Count));
    }
}
