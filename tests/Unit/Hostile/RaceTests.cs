using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Abi.Hpre;
using WarpDrive.Driver;
using WarpDrive.Emulator;
using WarpDrive.Engines;
using WarpDrive.OpenSsl;
using WarpProxy.Tests.Unit.OpenSsl;

namespace WarpProxy.Tests.Unit.Hostile;

/// <summary>Operations while the pool, the key or the device ends: each has its answer, from wherever.</summary>
[Collection(HostileDeviceTests.Name)]
public sealed class RaceTests
{
    private const int Rounds = 10;

    [Fact]
    public void Operations_have_answers_while_the_pool_is_disposed() => Race(static (pool, _, _) => pool.Dispose());

    [Fact]
    public void Operations_have_answers_while_the_device_ends() => Race(static (_, accelerator, _) => accelerator.Dispose());

    [Fact]
    public void Operations_have_answers_while_another_key_is_disposed() => Race(static (_, _, other) => other.Dispose());

    [Fact]
    public void Operations_have_answers_while_pool_and_device_and_another_key_end() => Race(static (pool, accelerator, other) =>
    {
        var device = new Thread(accelerator.Dispose);
        device.Start();
        other.Dispose();
        pool.Dispose();
        device.Join();
    });

    [Fact]
    public void Pool_that_is_disposed_has_no_device()
    {
        QueuePool pool = TestKeys.EmptyPool();
        var counters = new OperationCounters();
        using var key = new OffloadedRsaKey(TestKeys.Software(1024), pool, counters);
        pool.Dispose();
        byte[] output = new byte[128];
        key.Private(new byte[128], output);
        Assert.Equal(1, counters.Snapshot().Fallback[AcceleratorError.NoDevice]);
    }

    [Fact]
    public void Fault_check_that_fails_costs_the_operation_nothing_but_its_device()
    {
        using var accelerator = new EmulatedAccelerator(new EmulatorOptions { EngineCount = 1, SelfTest = false }, static () => new ScalarEngine(), NullLogger.Instance);
        using var pool = Open(accelerator);
        HostilePool.WaitFor(() => pool.GetStatus().Devices[0].State == DeviceState.Ready, "the device is not ready");
        byte[] block = new byte[RsaKeyBlock.SizeInBytes(HpreAlgorithm.RsaCrt, 128)];
        using SoftwareRsaKey software = TestKeys.Software(1024);
        Assert.True(software.TryWriteCrtBlock(block));
        bool fails = true;
        using DeviceKey key = pool.CreateKey(block, 128, (input, result) => fails ? throw new InvalidOperationException("no memory") : software.CheckResult(input, result));
        byte[] one = new byte[128];
        one[^1] = 1;
        byte[] output = new byte[128];
        Assert.Equal(AcceleratorError.Failed, key.TryPrivate(one, output));
        Assert.Equal(new byte[128], output);
        Assert.Equal(0, pool.GetStatus().OperationsInFlight);
        fails = false;
        HostilePool.WaitFor(() => key.TryPrivate(one, output) == AcceleratorError.None, "the device is not used again");
        Assert.Equal(one, output);
    }

    private static void Race(Action<QueuePool, EmulatedAccelerator, OffloadedRsaKey> end)
    {
        byte[] input = new byte[128];
        input[^1] = 2;
        byte[] right = new byte[128];
        using SoftwareRsaKey software = TestKeys.Software(1024);
        software.Private(input, right);
        for (int round = 0; round < Rounds; round++)
        {
            using var accelerator = new EmulatedAccelerator(new EmulatorOptions { EngineCount = 1, SelfTest = false }, static () => new ScalarEngine(), NullLogger.Instance);
            using QueuePool pool = Open(accelerator);
            var counters = new OperationCounters();
            using var key = new OffloadedRsaKey(TestKeys.Software(1024), pool, counters);
            using var other = new OffloadedRsaKey(TestKeys.Software(1024), pool, counters);
            byte[] scratch = new byte[128];
            other.Private(input, scratch);
            var failures = new ConcurrentQueue<string>();
            bool isOver = false;
            int doneCount = 0;
            Thread[] threads = [.. Enumerable.Range(0, 3).Select(_ => new Thread(() =>
            {
                byte[] output = new byte[128];
                try
                {
                    do
                    {
                        key.Private(input, output);
                        Interlocked.Increment(ref doneCount);
                        if (!output.AsSpan().SequenceEqual(right))
                        {
                            failures.Enqueue(Convert.ToHexString(output));
                        }
                    }
                    while (!Volatile.Read(ref isOver));
                }
                catch (Exception e)
                {
                    failures.Enqueue(e.ToString());
                }
            }) { IsBackground = true })];
            Array.ForEach(threads, static thread => thread.Start());
            HostilePool.WaitFor(() => Volatile.Read(ref doneCount) > 10, "no operation ends");
            end(pool, accelerator, other);
            int soFar = Volatile.Read(ref doneCount);
            HostilePool.WaitFor(() => Volatile.Read(ref doneCount) > soFar + 10, "no operation ends any more");
            Volatile.Write(ref isOver, true);
            Array.ForEach(threads, static thread => Assert.True(thread.Join(HostilePool.Patience), "an operation does not end"));
            Assert.Empty(failures);
            Assert.Equal(0, pool.GetStatus().OperationsInFlight);
            pool.Dispose();
            Assert.Equal(0, pool.GetStatus().SlotsInUse);
        }
    }

    private static QueuePool Open(EmulatedAccelerator accelerator) => new(
        new QueuePoolOptions { QueuesPerDevice = 2, Depth = 4, Deadline = TimeSpan.FromSeconds(10), RetryInterval = TimeSpan.FromMilliseconds(1) },
        [new DeviceEndpoint("race:", accelerator.OpenQueue)], NullLogger.Instance, TimeProvider.System);
}
