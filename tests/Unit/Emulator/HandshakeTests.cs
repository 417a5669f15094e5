using WarpDrive.Emulator;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Emulator;

/// <summary>The two store-then-load handshakes of accel/README.md "Memory order", both sides at the same moment, many times.</summary>
public sealed class HandshakeTests
{
    private const int Rounds = 30_000;

    [Fact]
    public void Either_the_device_sees_the_tail_or_the_host_sees_that_it_sleeps()
    {
        using var device = new SteppedDevice();
        RingHost host = device.Open();
        VirtualQueue queue = device.Accelerator.OpenQueues[0];
        FetchOutcome found = FetchOutcome.Nothing;
        uint asleep = 0;
        Race(
            prepare: () =>
            {
                host.SubmissionTail = 0;
                queue.Disarm();
            },
            first: () => found = queue.Arm(),
            second: () =>
            {
                Volatile.Write(ref host.SubmissionTail, 1);
                Interlocked.MemoryBarrier();
                asleep = Volatile.Read(ref host.DeviceAsleep);
            },
            check: () => Assert.True(found == FetchOutcome.Ready || asleep == 1));
    }

    [Fact]
    public void Either_the_host_sees_the_completion_or_the_device_sees_that_it_sleeps()
    {
        using var device = new SteppedDevice();
        using var interrupt = new EventFd();
        RingHost host = device.Open();
        host.Queue.SetIrq(0, interrupt);
        int index = -1;
        Race(
            prepare: () =>
            {
                host.HostAsleep = 0;
                host.Post(0);
                Assert.True(device.Engine(0).Fetch());
                device.Engine(0).Execute();
            },
            first: device.Engine(0).Complete,
            second: () =>
            {
                Volatile.Write(ref host.HostAsleep, 1);
                Interlocked.MemoryBarrier();
                index = host.Reap();
            },
            check: () =>
            {
                bool signalled = interrupt.TryConsume();
                Assert.True(index >= 0 || signalled);
                if (index < 0)
                {
                    Assert.True(host.Reap() >= 0);
                }
            });
    }

    /// <summary>Runs two actions on two threads as close together as it gets, each a little earlier or later from round to round.</summary>
    private static void Race(Action prepare, Action first, Action second, Action check)
    {
        int started = 0;
        int finished = 0;
        var other = new Thread(() =>
        {
            for (int round = 1; round <= Rounds; round++)
            {
                SpinUntil(ref started, round);
                Delay(round % 23);
                second();
                Volatile.Write(ref finished, round);
            }
        });
        other.IsBackground = true;
        other.Start();
        for (int round = 1; round <= Rounds; round++)
        {
            prepare();
            Volatile.Write(ref started, round);
            Delay(round % 29);
            first();
            SpinUntil(ref finished, round);
            check();
        }

        other.Join();
    }

    private static void SpinUntil(ref int counter, int value)
    {
        for (int i = 0; Volatile.Read(ref counter) < value; i++)
        {
            if (i > 10_000)
            {
                Thread.Yield();
            }
        }
    }

    private static void Delay(int steps)
    {
        for (int i = 0; i < steps * 8; i++)
        {
            Interlocked.MemoryBarrier();
        }
    }
}
