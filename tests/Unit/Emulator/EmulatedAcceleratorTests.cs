using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Abi.Vfio;
using WarpDrive.Emulator;
using WarpDrive.Engines;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Emulator;

/// <summary>The accelerator with its threads: sleep, wake, open, close. Sleeps are endless here, so that a lost wake-up fails a test.</summary>
public sealed class EmulatedAcceleratorTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 20)]
    [InlineData(3, 0)]
    [InlineData(3, 20)]
    public void Host_that_wakes_a_sleeping_device_never_waits_in_vain(int engines, int spinMicroseconds)
    {
        using var accelerator = Start(engines, TimeSpan.FromMicroseconds(spinMicroseconds));
        using var host = new RingHost(accelerator.OpenQueue(), depth: 16);
        using EventFd doorbell = host.Queue.GetRegionIoEventFd(3);
        var random = new Random(7);
        int waked = 0;
        for (int i = 0; i < 20000; i++)
        {
            int count = random.Next(1, 4);
            for (int j = 0; j < count; j++)
            {
                host.Write(j);
            }

            // The device may be anywhere on its way to sleep.
            Thread.SpinWait(random.Next(20));
            waked += host.RingAndWake(doorbell) ? 1 : 0;
            for (int j = 0; j < count; j++)
            {
                host.WaitAndReap();
            }
        }

        Assert.True(waked > 0);
        WaitFor(() => Assert.Single(accelerator.GetBatchHistograms()).Batches.Select((batches, size) => batches * size).Sum() == accelerator.OperationsCompleted);
    }

    [Fact]
    public void Flag_is_1_while_the_only_engine_sleeps_and_0_while_it_computes()
    {
        using var entered = new ManualResetEventSlim();
        using var leave = new ManualResetEventSlim();
        using var accelerator = Start(1, TimeSpan.Zero, execute: batch =>
        {
            entered.Set();
            Assert.True(leave.Wait(Deadline));
            Finish(batch);
        });
        using var host = new RingHost(accelerator.OpenQueue());
        using var idle = new RingHost(accelerator.OpenQueue());
        using EventFd doorbell = host.Queue.GetRegionIoEventFd(3);

        // An engine whose thread has only just begun takes the first operation without having slept: the flags are then as the queues' start left them.
        leave.Set();
        host.Write(0);
        host.RingAndWake(doorbell);
        Assert.Equal(0, host.WaitAndReap());
        WaitFor(() => Volatile.Read(ref host.DeviceAsleep) == 1);

        // A signal that it had no need of may wake it once more; it then sees by itself what is posted.
        int done = 1;
        WaitFor(() =>
        {
            leave.Reset();
            entered.Reset();
            host.Write(0);
            if (host.RingAndWake(doorbell))
            {
                return true;
            }

            leave.Set();
            Assert.Equal(done++, host.WaitAndReap());
            return false;
        });
        Assert.True(entered.Wait(Deadline));
        Assert.Equal((0u, 0u), (Volatile.Read(ref host.DeviceAsleep), Volatile.Read(ref idle.DeviceAsleep)));

        // Awake: no signal is needed for what is posted meanwhile.
        host.Write(1);
        Assert.False(host.RingAndWake(doorbell));
        leave.Set();
        Assert.Equal(done, host.WaitAndReap());
        Assert.Equal(done + 1, host.WaitAndReap());
        WaitFor(() => Volatile.Read(ref host.DeviceAsleep) == 1 && Volatile.Read(ref idle.DeviceAsleep) == 1);
    }

    [Fact]
    public void Second_engine_is_waked_for_the_same_queue_while_the_first_computes()
    {
        using var entered = new SemaphoreSlim(0);
        using var leave = new SemaphoreSlim(0);
        using var accelerator = Start(2, TimeSpan.Zero, execute: batch =>
        {
            entered.Release();
            Assert.True(leave.Wait(Deadline));
            Finish(batch);
        });
        using var host = new RingHost(accelerator.OpenQueue());
        using EventFd doorbell = host.Queue.GetRegionIoEventFd(3);
        host.Write(0);
        host.RingAndWake(doorbell);
        Assert.True(entered.Wait(Deadline));
        host.Write(1);
        host.RingAndWake(doorbell);
        Assert.True(entered.Wait(Deadline));
        Assert.Equal(-1, host.Reap());
        leave.Release(2);
        Assert.Equal(0, host.WaitAndReap());
        Assert.Equal(1, host.WaitAndReap());
        Assert.Equal(2, Assert.Single(accelerator.GetBatchHistograms()).Batches[1]);
    }

    [Fact]
    public void One_signal_for_many_operations_wakes_every_engine()
    {
        const int Engines = 4;
        using var barrier = new Barrier(Engines);
        using var accelerator = Start(Engines, TimeSpan.Zero, execute: batch =>
        {
            // Ends only when all four are here at once.
            Assert.True(barrier.SignalAndWait(Deadline));
            Finish(batch);
        });
        using var host = new RingHost(accelerator.OpenQueue());
        using EventFd doorbell = host.Queue.GetRegionIoEventFd(3);
        for (int i = 0; i < Engines; i++)
        {
            host.Write(i);
        }

        host.RingAndWake(doorbell);
        for (int i = 0; i < Engines; i++)
        {
            Assert.Equal(i, host.WaitAndReap());
        }
    }

    [Fact]
    public void Trapped_doorbell_wakes_a_sleeping_device()
    {
        using var accelerator = Start(1, TimeSpan.Zero);
        using var host = new RingHost(accelerator.OpenQueue(), depth: 8);
        for (int i = 0; i < 500; i++)
        {
            host.Write(0);
            host.RingByMessage((ulong)host.Tail << 32);
            Assert.Equal(i % 8, host.WaitAndReap());
        }
    }

    [Fact]
    public void Head_that_is_returned_late_and_without_a_signal_lets_the_device_go_on()
    {
        using var accelerator = Start(1, TimeSpan.Zero);
        using var host = new RingHost(accelerator.OpenQueue(), depth: 4);
        using EventFd doorbell = host.Queue.GetRegionIoEventFd(3);
        for (int i = 0; i < 3; i++)
        {
            host.Write(0);
        }

        host.RingAndWake(doorbell);
        WaitFor(() => accelerator.OperationsCompleted == 3);
        Assert.Equal(0, host.Reap(returnHead: false));
        host.Write(0);
        host.RingAndWake(doorbell);
        WaitFor(() => Volatile.Read(ref host.DeviceAsleep) == 1);
        Volatile.Write(ref host.CompletionHead, 1);
        WaitFor(() => accelerator.OperationsCompleted == 4);
    }

    [Fact]
    public void Sleeping_host_is_waked_for_every_completion_it_waits_for()
    {
        using var accelerator = Start(2, TimeSpan.Zero);
        using var interrupt = new EventFd();
        using var host = new RingHost(accelerator.OpenQueue(), depth: 8);
        using EventFd doorbell = host.Queue.GetRegionIoEventFd(3);
        host.Queue.SetIrq(0, interrupt);
        var random = new Random(7);
        for (int i = 0; i < 5000; i++)
        {
            host.Write(0);
            host.RingAndWake(doorbell);
            Thread.SpinWait(random.Next(100));
            Volatile.Write(ref host.HostAsleep, 1);
            Interlocked.MemoryBarrier();
            int index = host.Reap();
            if (index < 0)
            {
                Assert.Equal(1, Poll.WaitReadable(interrupt.File, null, Deadline));
                index = host.WaitAndReap();
            }

            Volatile.Write(ref host.HostAsleep, 0);
            interrupt.TryConsume();
            Assert.Equal(i % 8, index);
        }
    }

    [Fact]
    public void Many_queues_opened_and_closed_under_load_keep_to_themselves()
    {
        using var accelerator = Start(2, TimeSpan.FromMicroseconds(20), lanes: 4);
        using var steady = new RingHost(accelerator.OpenQueue(), depth: 64);
        using EventFd doorbell = steady.Queue.GetRegionIoEventFd(3);
        for (int round = 0; round < 100; round++)
        {
            for (int i = 0; i < 20; i++)
            {
                steady.Write(i);
            }

            steady.RingAndWake(doorbell);

            // Closed with everything in flight.
            var doomed = new RingHost(accelerator.OpenQueue(), depth: 64);
            using EventFd itsDoorbell = doomed.Queue.GetRegionIoEventFd(3);
            for (int i = 0; i < 50; i++)
            {
                doomed.Write(i);
            }

            doomed.RingAndWake(itsDoorbell);
            Assert.Equal(2, accelerator.QueueCount);
            doomed.Dispose();
            for (int i = 0; i < 20; i++)
            {
                Assert.Equal(0u, steady.Error(steady.WaitAndReap()));
            }
        }

        Assert.Equal(1, accelerator.QueueCount);
        Assert.Equal(0, accelerator.OperationErrors);
    }

    [Fact]
    public void Unmapped_memory_is_never_written_again_while_engines_work()
    {
        using var accelerator = Start(2, TimeSpan.FromMicroseconds(20), execute: batch =>
        {
            batch.Output(0).Fill(0xcc);
            Finish(batch);
        });
        using var host = new RingHost(accelerator.OpenQueue(), depth: 256);
        using EventFd doorbell = host.Queue.GetRegionIoEventFd(3);
        for (int round = 0; round < 50; round++)
        {
            for (int i = 0; i < 60; i++)
            {
                host.Write(i);
            }

            host.RingAndWake(doorbell);
            host.Queue.UnmapDma(RingHost.ArenaIova, RingHost.ArenaBytes);
            host.Arena.Memory.GetSpan().Clear();
            for (int i = 0; i < 60; i++)
            {
                Assert.True(host.Error(host.WaitAndReap()) is 0 or 2);
            }

            Assert.True(host.Arena.Memory.GetSpan().IndexOfAnyExcept((byte)0) < 0);
            host.Queue.MapDma(host.Arena.File, 0, RingHost.ArenaIova, RingHost.ArenaBytes, DmaAccess.ReadWrite);
        }
    }

    [Fact]
    public void Queue_over_the_limit_is_refused_with_ENOSPC_and_a_closed_one_frees_its_number()
    {
        using var accelerator = new EmulatedAccelerator(
            new EmulatorOptions { MaxQueues = 3, SelfTest = false }, () => new TestEngine(), NullLogger.Instance);
        using RingHost first = new(accelerator.OpenQueue());
        RingHost second = new(accelerator.OpenQueue());
        using RingHost third = new(accelerator.OpenQueue());
        Assert.Equal(Errno.ENOSPC, Assert.Throws<LinuxException>(() => accelerator.OpenQueue()).Error);
        Assert.Equal((0u, 1u, 2u), (first.ReadRegister(0x24), second.ReadRegister(0x24), third.ReadRegister(0x24)));
        second.Dispose();
        second.Queue.Dispose();
        Assert.Equal(2, accelerator.QueueCount);
        using RingHost again = new(accelerator.OpenQueue());
        Assert.Equal(1u, again.ReadRegister(0x24));
        Assert.Equal(3, accelerator.QueueCount);
    }

    [Fact]
    public void Disposed_accelerator_ends_its_engines_and_closes_its_queues()
    {
        var engines = new List<TestEngine>();
        var accelerator = new EmulatedAccelerator(
            new EmulatorOptions { EngineCount = 8, SelfTest = false, LongestSleep = Timeout.InfiniteTimeSpan, SpinTime = TimeSpan.Zero },
            () =>
            {
                engines.Add(new TestEngine());
                return engines[^1];
            },
            NullLogger.Instance);
        using var host = new RingHost(accelerator.OpenQueue());
        host.Post(0, count: 100);
        accelerator.Dispose();
        accelerator.Dispose();
        Assert.All(engines, engine => Assert.True(engine.IsDisposed));
        Assert.Equal((1u, 1u), (host.StopSending, host.StopReceiving));
        Assert.True(host.Queue.IsGone);
        Assert.Equal(Errno.ENODEV, Assert.Throws<LinuxException>(() => accelerator.OpenQueue()).Error);
    }

    [Theory]
    [InlineData(0, 1024, 256, 4096, "EngineCount is 0; allowed are 1 to 64.")]
    [InlineData(65, 1024, 256, 4096, "EngineCount is 65; allowed are 1 to 64.")]
    [InlineData(1, 1025, 256, 4096, "MaxQueues is 1025; allowed are 1 to 1024.")]
    [InlineData(1, 1024, 0, 4096, "MaxDmaMaps is 0; allowed are 1 to 65536.")]
    [InlineData(1, 1024, 256, 4095, "MaxMappedBytes is 4095; allowed are 4096 to 2147479552.")]
    public void Option_out_of_range_is_refused_with_both_values(int engines, int queues, int maps, long bytes, string sentence)
    {
        var options = new EmulatorOptions { EngineCount = engines, MaxQueues = queues, MaxDmaMaps = maps, MaxMappedBytes = bytes };
        ArgumentException refusal = Assert.Throws<ArgumentException>(
            () => new EmulatedAccelerator(options, () => new TestEngine(), NullLogger.Instance));
        Assert.StartsWith(sentence, refusal.Message, StringComparison.Ordinal);
    }

    private static EmulatedAccelerator Start(int engines, TimeSpan spinTime, int lanes = 1, Action<OperationBatch>? execute = null) => new(
        new EmulatorOptions { EngineCount = engines, SpinTime = spinTime, SelfTest = false, LongestSleep = Timeout.InfiniteTimeSpan },
        () => new TestEngine(lanes, execute),
        NullLogger.Instance);

    private static void Finish(OperationBatch batch)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            batch[i].Status = RsaStatus.Done;
        }
    }

    private static void WaitFor(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, Deadline));
}
