using WarpDrive.Abi.Vfio;
using WarpDrive.Engines;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Emulator;

/// <summary>Submission, completion, order, and what happens in flight; stepped, so that every interleaving is the test's.</summary>
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
        host.WriteEntry(0x4000_0004, 15, 0, 0, 0);
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
