using WarpDrive.Abi.Vfio;
using WarpDrive.Engines;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Emulator;

/// <summary>Submission, completion, order, fairness, and what a client may do wrong; stepped, so that every interleaving is the test's.</summary>
public sealed class RingTests
{
    [Fact]
    public void Device_writes_control_word_and_completion_and_leaves_the_rest_of_the_entry()
    {
        using var device = new SteppedDevice();
        RingHost other = device.Open();
        RingHost host = device.Open();
        host.Slot(3)[RingHost.InputAt] = 0x42;
        host.Write(slot: 3, tag: 0x1122334455667788);
        string posted = Convert.ToHexString(host.Dus[..64]);
        Assert.StartsWith("00000040" + "0F000000" + "0030007000000000", posted, StringComparison.Ordinal);
        host.Ring();

        Assert.True(device.Step());

        Assert.Equal("000000C0" + posted[8..], Convert.ToHexString(host.Dus[..64]));
        Assert.Equal("0000000000000000" + "0000" + "0100" + "0000" + "0100", Convert.ToHexString(host.Dus.Slice(65536, 16)));
        Assert.Equal(0x42, host.Output(3)[0]);
        Assert.Equal(-1, other.Reap());
    }

    [Fact]
    public void Phase_flips_at_each_trip_round_the_ring()
    {
        using var device = new SteppedDevice(lanes: 2);
        RingHost host = device.Open(depth: 4);
        for (int i = 0; i < 30; i++)
        {
            host.Post(slot: i % 64, count: 1 + (i % 3));
            device.StepAll();
            for (int reaped = 0; reaped < 1 + (i % 3); reaped++)
            {
                // Reap itself compares index and phase.
                Assert.True(host.Reap() >= 0);
            }

            Assert.Equal(-1, host.Reap());
        }

        Assert.Equal(60, device.Accelerator.OperationsCompleted);
    }

    [Fact]
    public void Full_completion_queue_stops_fetching_until_a_head_is_returned()
    {
        using var device = new SteppedDevice();
        RingHost host = device.Open(depth: 4);
        host.Post(0, count: 3);
        device.StepAll();

        // A host that reuses entries without having returned a head.
        Assert.Equal(0, host.Reap(returnHead: false));
        host.Post(1);
        Assert.False(device.Step());
        Assert.Equal(0x4000_0000u, host.Control(3));

        host.CompletionHead = 1;
        Assert.True(device.Step());
        Assert.Equal(0u, host.Error(3));
        host.Post(2);
        Assert.False(device.Step());
    }

    [Fact]
    public void Completions_come_in_order_when_a_later_engine_finishes_first()
    {
        using var device = new SteppedDevice(engines: 3);
        RingHost host = device.Open();
        host.Post(0, count: 3);
        for (int engine = 0; engine < 3; engine++)
        {
            Assert.True(device.Engine(engine).Fetch());
            device.Engine(engine).Execute();
        }

        device.Engine(2).Complete();
        Assert.Equal(-1, host.Reap());
        device.Engine(0).Complete();
        Assert.Equal(0, host.Reap());
        Assert.Equal(-1, host.Reap());
        device.Engine(1).Complete();
        Assert.Equal(1, host.Reap());
        Assert.Equal(2, host.Reap());
    }

    [Fact]
    public void Refused_operation_waits_for_the_earlier_one_that_is_computed()
    {
        using var device = new SteppedDevice(lanes: 2);
        RingHost host = device.Open();
        host.Write(0);
        host.WriteEntry(0x4000_0002, 15, 0, 0, 0);
        host.Ring();
        Assert.True(device.Engine(0).Fetch());
        Assert.Equal(-1, host.Reap());
        device.Engine(0).Execute();
        device.Engine(0).Complete();
        Assert.Equal(0, host.Reap());
        Assert.Equal(1, host.Reap());
        Assert.Equal(0u, host.Error(0));
        Assert.Equal(1u, host.Error(1));
    }

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
        Assert.Equal(1, device.Accelerator.GetBatchesBySize()[expected]);
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
        Assert.Equal(1, device.Accelerator.GetBatchesBySize()[7]);
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
    [InlineData(0x4000_0002u, 15)] // key generation
    [InlineData(0x4000_001fu, 15)]
    [InlineData(0x4000_0000u, 0)]
    [InlineData(0x4000_0000u, 14)]
    [InlineData(0x4000_0001u, 23)] // 1536 bits
    [InlineData(0x4000_0001u, 255)]
    [InlineData(0x0000_0000u, 15)] // done 0
    [InlineData(0x8000_0000u, 15)]
    [InlineData(0xc000_0000u, 15)]
    public void Unknown_algorithm_size_or_done_value_ends_with_error_1(uint control, byte taskLength)
    {
        using var device = new SteppedDevice();
        RingHost host = device.Open();
        host.WriteEntry(control, taskLength, RingHost.ArenaIova, RingHost.ArenaIova, RingHost.SlotIova(1));
        host.Ring();
        Assert.True(device.Step());
        Assert.Equal(0, host.Reap());
        Assert.Equal(1u, host.Error(0));
        Assert.Equal(control & 0x1f, host.Control(0) & 0x1f);
        Assert.Equal(0, device.Accelerator.OperationsCompleted);
    }

    [Theory]
    [InlineData(RingHost.ArenaBytes - 256, 0, 0, 0u)]
    [InlineData(RingHost.ArenaBytes - 255, 0, 0, 2u)]
    [InlineData(0, RingHost.ArenaBytes - 128, 0, 0u)]
    [InlineData(0, RingHost.ArenaBytes - 127, 0, 2u)]
    [InlineData(0, 0, RingHost.ArenaBytes - 128, 0u)]
    [InlineData(0, 0, RingHost.ArenaBytes - 127, 2u)]
    [InlineData(-1, 0, 0, 2u)]
    [InlineData(0, -1, 0, 2u)]
    [InlineData(0, 0, -1, 2u)]
    [InlineData(-(long)RingHost.ArenaIova - 1, 0, 0, 2u)] // the last address: wraps round
    [InlineData(0, -(long)RingHost.ArenaIova - 64, 0, 2u)]
    [InlineData(0, 0, -(long)RingHost.ArenaIova - 127, 2u)]
    public void Range_with_one_byte_outside_ends_with_error_2(long key, long input, long output, uint error)
    {
        using var device = new SteppedDevice();
        RingHost host = device.Open();
        host.WriteEntry(0x4000_0000, 15, At(key), At(input), At(output));
        host.Ring();
        Assert.True(device.Step());
        Assert.Equal(error, host.Error(host.Reap()));

        static ulong At(long offset) => unchecked(RingHost.ArenaIova + (ulong)offset);
    }

    [Theory]
    [InlineData(DmaAccess.Read, DmaAccess.Write, 0u)]
    [InlineData(DmaAccess.Read, DmaAccess.Read, 2u)]
    [InlineData(DmaAccess.Write, DmaAccess.Write, 2u)]
    public void Mapping_without_the_access_ends_with_error_2(DmaAccess source, DmaAccess target, uint error)
    {
        using var device = new SteppedDevice();
        RingHost host = device.Open(mapArena: false);
        host.Queue.MapDma(host.Arena.File, 0, RingHost.SlotIova(0), 4096, source);
        host.Queue.MapDma(host.Arena.File, 4096, RingHost.SlotIova(1), 4096, target);
        host.WriteEntry(0x4000_0000, 15, RingHost.SlotIova(0), RingHost.SlotIova(0), RingHost.SlotIova(1));
        host.WriteEntry(0x4000_0000, 15, RingHost.SlotIova(0), RingHost.SlotIova(0), RingHost.SlotIova(1) - 1);
        host.Ring();
        device.StepAll();
        Assert.Equal(error, host.Error(host.Reap()));
        Assert.Equal(2u, host.Error(host.Reap()));
    }

    [Theory]
    [InlineData(RsaStatus.Unsupported, 1u)]
    [InlineData(RsaStatus.BadKey, 3u)]
    [InlineData(RsaStatus.BadInput, 4u)]
    [InlineData(RsaStatus.Failed, 5u)]
    [InlineData(RsaStatus.None, 5u)]
    public void Failure_of_the_engine_becomes_its_error_and_writes_no_output(RsaStatus status, uint error)
    {
        using var device = new SteppedDevice(execute: batch =>
        {
            batch.Output(0).Fill(0xee);
            batch[0].Status = status;
        });
        RingHost host = device.Open();
        host.Post(0);
        device.Step();
        Assert.Equal(error, host.Error(host.Reap()));
        Assert.Equal(0, host.Output(0)[0]);
        Assert.Equal(1, device.Accelerator.OperationErrors);
    }

    [Fact]
    public void Engine_that_throws_ends_its_operations_with_error_5_and_is_asked_again()
    {
        using var device = new SteppedDevice(lanes: 2, execute: batch =>
        {
            batch[0].Status = RsaStatus.Done;
            throw new InvalidOperationException("broken");
        });
        RingHost host = device.Open();
        host.Post(0, count: 3);
        device.StepAll();
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(5u, host.Error(host.Reap()));
        }
    }

    [Fact]
    public void Output_that_is_unmapped_in_flight_ends_with_error_2_and_stays_untouched()
    {
        using var device = new SteppedDevice(execute: FillOutput);
        RingHost host = device.Open();
        host.Post(0);
        device.Engine(0).Fetch();
        host.Queue.UnmapDma(RingHost.ArenaIova, RingHost.ArenaBytes);
        device.Engine(0).Execute();
        device.Engine(0).Complete();
        Assert.Equal(2u, host.Error(host.Reap()));
        Assert.Equal(0, host.Output(0)[0]);
    }

    [Fact]
    public void Key_and_input_are_read_once_and_may_go_in_flight()
    {
        using var device = new SteppedDevice();
        RingHost host = device.Open(mapArena: false);
        host.Queue.MapDma(host.Arena.File, 0, RingHost.SlotIova(0), 4096, DmaAccess.Read);
        host.Queue.MapDma(host.Arena.File, 4096, RingHost.SlotIova(1), 4096, DmaAccess.Write);
        host.Slot(0)[RingHost.InputAt] = 9;
        host.WriteEntry(0x4000_0000, 15, RingHost.SlotIova(0), RingHost.SlotIova(0) + RingHost.InputAt, RingHost.SlotIova(1) + RingHost.OutputAt);
        host.Ring();
        device.Engine(0).Fetch();

        // The entry, the input and the mapping change while the engine computes.
        host.Slot(0).Fill(0xff);
        host.Dus[..64].Fill(0xff);
        host.Queue.UnmapDma(RingHost.SlotIova(0), 4096);
        device.Engine(0).Execute();
        device.Engine(0).Complete();
        Assert.Equal(0, host.Reap());
        Assert.Equal(0u, host.Error(0));
        Assert.Equal(9, host.Output(1)[0]);
        Assert.Equal(0, host.Output(1)[1]);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Operation_in_flight_of_a_stopped_or_reset_queue_writes_nothing_any_more(bool reset, bool restart)
    {
        using var device = new SteppedDevice(execute: FillOutput);
        RingHost host = device.Open();
        host.Post(0);
        device.Engine(0).Fetch();
        if (reset)
        {
            host.Queue.Reset();
        }
        else
        {
            host.WriteRegister(0x28, 2);
        }

        Assert.Equal((1u, 1u, 1u), (host.ReadRegister(0x2c), host.StopSending, host.StopReceiving));
        if (restart)
        {
            host.Start();
            Assert.Equal((2u, 0u, 0u), (host.ReadRegister(0x2c), host.StopSending, host.StopReceiving));
        }

        device.Engine(0).Execute();
        device.Engine(0).Complete();
        Assert.Equal(0x4000_0000u, host.Control(0));
        Assert.Equal(0, host.Output(0)[0]);
        Assert.Equal(-1, host.Reap());
        if (restart)
        {
            host.Post(1);
            device.StepAll();
            Assert.Equal(0, host.Reap());
            Assert.Equal(0xcc, host.Output(1)[0]);
        }
    }

    [Fact]
    public void Restart_begins_at_index_0_with_phase_1_and_another_depth()
    {
        using var device = new SteppedDevice();
        RingHost host = device.Open(depth: 4);
        host.Post(0, count: 3);
        device.StepAll();
        Assert.Equal(0, host.Reap());
        host.Post(0);
        host.WriteRegister(0x28, 2);
        Assert.False(device.Step());

        host.WriteRegister(0x1c, 8);
        host.HostAsleep = 1;
        host.Dus.Fill(0xff);
        host.WriteRegister(0x28, 1);
        Assert.Equal((0u, 0u), (host.StopSending, host.StopReceiving));
        Assert.Equal((0u, 0u, 1u, 0u), (host.SubmissionTail, host.CompletionHead, host.DeviceAsleep, host.HostAsleep));
        Assert.All(host.Dus.Slice(64 * 8, 16 * 8).ToArray(), value => Assert.Equal(0, value));
        Assert.False(device.Step());
    }

    [Fact]
    public void Queue_that_is_not_started_fetches_nothing()
    {
        using var device = new SteppedDevice();
        RingHost host = device.Open(start: false);
        host.Post(0);
        Assert.False(device.Step());
        Assert.Equal(1u, host.ReadRegister(0x2c));
    }

    [Fact]
    public void Wild_tail_is_ignored_and_each_new_value_counted_once()
    {
        using var device = new SteppedDevice();
        RingHost host = device.Open(depth: 8);
        host.Post(0, count: 2);
        device.Step();
        foreach ((uint tail, uint ignored) in new[] { (8u, 1u), (8u, 1u), (uint.MaxValue, 2u), (8u, 3u), (0x8000_0000u, 4u) })
        {
            host.SubmissionTail = tail;
            device.StepAll();
            device.StepAll();
            Assert.Equal(ignored, host.ReadRegister(0x30));
        }

        // What was posted before is served, and a good tail is taken again; the same bad one after it is a new one.
        Assert.Equal(0, host.Reap());
        Assert.Equal(1, host.Reap());
        Assert.Equal(-1, host.Reap());
        host.Post(0);
        device.StepAll();
        Assert.Equal(2, host.Reap());
        host.SubmissionTail = 0x8000_0000;
        device.StepAll();
        Assert.Equal(5u, host.ReadRegister(0x30));
    }

    [Fact]
    public void Wild_head_is_ignored_and_counted()
    {
        using var device = new SteppedDevice();
        RingHost host = device.Open(depth: 4);
        host.CompletionHead = 4;
        host.Post(0, count: 3);
        device.StepAll();
        Assert.Equal(1u, host.ReadRegister(0x30));
        Assert.Equal([0, 1, 2, -1], new[] { host.Reap(false), host.Reap(false), host.Reap(false), host.Reap(false) });

        // The last good head, 0, still holds: the ring is full.
        host.Post(0);
        Assert.False(device.Step());
    }

    [Fact]
    public void Tail_that_jumps_back_cannot_bring_an_operation_in_flight_a_second_time()
    {
        using var device = new SteppedDevice(engines: 4);
        RingHost host = device.Open(depth: 4);
        host.Post(0, count: 3);
        for (int engine = 0; engine < 3; engine++)
        {
            Assert.True(device.Engine(engine).Fetch());
        }

        // The host claims to have taken what nobody wrote, and to have posted round the ring again.
        host.CompletionHead = 3;
        host.SubmissionTail = 2;
        Assert.False(device.Engine(3).Step());
        for (int engine = 0; engine < 3; engine++)
        {
            device.Engine(engine).Execute();
            device.Engine(engine).Complete();
            Assert.Equal(engine, host.Reap(returnHead: false));
        }
    }

    [Fact]
    public void Host_asleep_is_cleared_and_its_interrupt_signalled_once_for_the_next_completion()
    {
        using var device = new SteppedDevice();
        using var interrupt = new EventFd();
        RingHost host = device.Open();
        host.Queue.SetIrq(0, interrupt);
        host.Post(0);
        device.Step();
        Assert.False(interrupt.TryConsume());

        host.HostAsleep = 1;
        host.Post(0, count: 2);
        device.StepAll();
        Assert.True(interrupt.TryConsume());
        Assert.Equal(0u, host.HostAsleep);

        host.Queue.SetIrq(0, null);
        host.HostAsleep = 1;
        host.Post(0);
        device.StepAll();
        Assert.False(interrupt.TryConsume());
        Assert.Equal(4, device.Accelerator.OperationsCompleted);
    }

    [Fact]
    public void Interrupt_stays_when_the_client_closes_its_own_descriptor()
    {
        using var device = new SteppedDevice();
        using var interrupt = new EventFd();
        RingHost host = device.Open();
        using (EventFd passed = interrupt.Duplicate())
        {
            host.Queue.SetIrq(0, passed);
        }

        host.HostAsleep = 1;
        host.Post(0);
        device.Step();
        Assert.True(interrupt.TryConsume());
    }

    [Fact]
    public void Batch_is_zeroed_when_it_is_completed()
    {
        OperationBatch? seen = null;
        using var device = new SteppedDevice(execute: batch =>
        {
            seen = batch;
            FillOutput(batch);
        });
        RingHost host = device.Open();
        host.Slot(0).Fill(0x77);
        host.Post(0);
        device.Step();
        Assert.Equal(0, seen!.Count);
        seen.Add(RsaAlgorithm.Plain, 128);
        Assert.True(seen.Key(0).IndexOfAnyExcept((byte)0) < 0);
        Assert.True(seen.Input(0).IndexOfAnyExcept((byte)0) < 0);
        Assert.True(seen.Output(0).IndexOfAnyExcept((byte)0) < 0);
    }

    [Fact]
    public void Operation_allocates_nothing()
    {
        using var device = new SteppedDevice(engines: 2, lanes: 8);
        RingHost host = device.Open(depth: 64);
        RingHost other = device.Open(depth: 64);
        Round(); // warms up
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 200; i++)
        {
            Round();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(201 * 32, device.Accelerator.OperationsCompleted);

        void Round()
        {
            for (int i = 0; i < 16; i++)
            {
                host.Write(i);
                other.Write(i);
            }

            host.Ring();
            other.Ring();
            while (device.Engine(0).Step() | device.Engine(1).Step())
            {
            }

            host.CompletionHead = (uint)host.Tail;
            other.CompletionHead = (uint)other.Tail;
        }
    }

    private static void FillOutput(OperationBatch batch)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            batch.Output(i).Fill(0xcc);
            batch[i].Status = RsaStatus.Done;
        }
    }
}
