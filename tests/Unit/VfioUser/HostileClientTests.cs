using System.Collections.Concurrent;
using WarpDrive.Emulator;
using WarpDrive.Emulator.VfioUser;
using WarpDrive.Linux;
using WarpProxy.Tests.Unit.Emulator;

namespace WarpProxy.Tests.Unit.VfioUser;

/// <summary>Clients that take all they can, write where they should not, go in the middle of everything: one that does all right beside them never notices.</summary>
public sealed class HostileClientTests
{
    private const ushort DmaMap = 2;
    private const ushort DmaUnmap = 3;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(8, 1)]
    [InlineData(4, 2)]
    public void Entries_doorbells_and_inputs_that_change_while_they_are_read_show_nothing_of_others(int lanes, int engines)
    {
        int seed = Environment.TickCount;
        using var device = new ServedDevice(new EmulatorOptions { EngineCount = engines, SelfTest = false }, () => Witness.Engine(lanes));
        using var witness = new Witness(device.OpenClient(), seed);
        using var stop = new CancellationTokenSource();
        HostileRings[] hostile = [new(device.OpenClient(), seed + 1), new(device.OpenClient(), seed + 2)];
        var failures = new ConcurrentBag<Exception>();
        Thread[] threads = [.. hostile.Select(rings => new Thread(() =>
        {
            try
            {
                while (!stop.IsCancellationRequested)
                {
                    rings.Scribble(100);
                }
            }
            catch (Exception failure)
            {
                failures.Add(failure);
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        try
        {
            for (int i = 0; i < 600; i++)
            {
                witness.Check(1 + (i % 20));
            }
        }
        finally
        {
            stop.Cancel();
            Array.ForEach(threads, thread => thread.Join());
        }

        Assert.True(failures.IsEmpty, $"seed {seed}: {failures.FirstOrDefault()}");
        foreach (byte[] memory in hostile.SelectMany(static rings => rings.Memory))
        {
            witness.AssertUnknownTo(memory);
        }

        Array.ForEach(hostile, rings => rings.Dispose());
        device.AwaitQueues(1);
        witness.Check(20);
    }

    [Fact]
    public void Client_that_goes_in_the_middle_of_a_message_leaves_nothing_behind()
    {
        using var device = new ServedDevice(new EmulatorOptions { SelfTest = false }, () => Witness.Engine(4));
        using var witness = new Witness(device.OpenClient(), 1);
        long mapped = device.Accelerator.MappedBytes;
        using SharedMemory memory = SharedMemory.Create("test", 8192, secret: false);
        using var eventFd = new EventFd();
        (byte[] Bytes, FileDescriptor[] Files)[] session =
        [
            (RawClient.Message(1, 1, RawClient.Version()), []),
            (RawClient.Message(2, 5, RawClient.RegionInfo(64, 1)), []),
            (RawClient.Message(3, DmaMap, RawClient.DmaMap()), [memory.File]),
            (RawClient.Message(4, 8, RawClient.SetIrqs(0x24, 1)), [eventFd.File]),
            (RawClient.Message(5, 10, [.. RawClient.Access(2, 0x28, 4), .. RawClient.Bytes(1u)]), []),
            (RawClient.Message(6, 10, [.. RawClient.Access(0, 0x1000, 8), .. RawClient.Bytes(5ul << 32)]), []),
        ];
        int total = session.Sum(static message => message.Bytes.Length);
        for (int cut = 1; cut <= total; cut += 3)
        {
            using RawClient client = device.Connect();
            int left = cut;
            foreach ((byte[] bytes, FileDescriptor[] files) in session.TakeWhile(_ => left > 0))
            {
                client.Send(bytes[..Math.Min(left, bytes.Length)], files);
                left -= bytes.Length;
            }

            client.Dispose();
            witness.Check();
        }

        device.AwaitOthersGone(1);
        Assert.Equal(mapped, device.Accelerator.MappedBytes);
        Assert.True(SpinWait.SpinUntil(() => device.Server.OutstandingDescriptors == 0, ServedDevice.Timeout));
    }

    [Fact]
    public void Client_that_goes_while_its_operations_are_computed_leaves_nothing_behind()
    {
        using var device = new ServedDevice(new EmulatorOptions { EngineCount = 2, SelfTest = false }, () => Witness.Engine(8));
        using var witness = new Witness(device.OpenClient(), 1);
        long mapped = device.Accelerator.MappedBytes;
        for (int i = 0; i < 100; i++)
        {
            using (var host = new RingHost(device.OpenClient()))
            using (EventFd doorbell = host.Queue.GetRegionIoEventFd(3))
            {
                for (int j = 0; j < 300; j++)
                {
                    host.Write(j % 64);
                }

                host.RingAndWake(doorbell);
            }

            witness.Check(4);
        }

        device.AwaitOthersGone(1);
        Assert.Equal(mapped, device.Accelerator.MappedBytes);
    }

    [Fact]
    public void Queues_of_one_user_are_limited_and_a_closed_one_makes_room()
    {
        using var device = new ServedDevice(new EmulatorOptions { SelfTest = false, MaxQueuesPerUser = 2 });
        using RawClient first = device.Open();
        using RawClient second = device.Open();
        using RawClient third = device.Connect();
        Assert.Equal(Errno.ENOSPC, third.Error(1, RawClient.Version()));
        third.AwaitEnd();
        first.Dispose();
        device.AwaitQueues(1);
        using RawClient fourth = device.Open();
        Assert.Equal(1u, fourth.ReadRegister(0x2c));
    }

    [Fact]
    public void Bytes_that_all_clients_together_map_are_limited_and_come_back()
    {
        using var device = new ServedDevice(new EmulatorOptions { SelfTest = false, MaxTotalMappedBytes = 3 * 4096 });
        using SharedMemory memory = SharedMemory.Create("test", 8192, secret: false);
        using RawClient first = device.Open();
        using RawClient second = device.Open();
        Assert.Equal(0, first.Error(DmaMap, RawClient.DmaMap(size: 8192), memory.File));
        Assert.Equal(Errno.ENOSPC, second.Error(DmaMap, RawClient.DmaMap(size: 8192), memory.File));
        Assert.Equal(0, second.Error(DmaMap, RawClient.DmaMap(iova: 0x40000), memory.File));
        Assert.Equal(0, first.Error(DmaUnmap, RawClient.DmaUnmap(size: 8192)));
        Assert.Equal(0, second.Error(DmaMap, RawClient.DmaMap(size: 8192), memory.File));
        second.Dispose();
        device.AwaitQueues(1);
        Assert.Equal(0, first.Error(DmaMap, RawClient.DmaMap(size: 8192), memory.File));
        Assert.Equal(8192, device.Accelerator.MappedBytes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1025)]
    public void Limit_of_queues_of_a_user_that_is_not_allowed_is_refused(int limit) =>
        Assert.Contains($"MaxQueuesPerUser is {limit}", Assert.Single(new EmulatorOptions { MaxQueuesPerUser = limit }.Validate()), StringComparison.Ordinal);

    [Theory]
    [InlineData(4095L)]
    [InlineData((1L << 46) + 1)]
    public void Limit_of_all_mapped_bytes_that_is_not_allowed_is_refused(long limit) =>
        Assert.Contains($"MaxTotalMappedBytes is {limit}", Assert.Single(new EmulatorOptions { MaxTotalMappedBytes = limit }.Validate()), StringComparison.Ordinal);

    [Fact]
    public void Clients_that_come_and_go_all_the_time_fill_no_log()
    {
        var log = new CountingLogger();
        using (var device = new ServedDevice(logger: log, time: new HandTime()))
        {
            for (int i = 0; i < 500; i++)
            {
                device.Connect().Dispose();
            }

            using RawClient last = device.Open();
            device.AwaitConnections(1);
        }

        // Listening, the lines that are allowed at once, how many were left out, closed.
        Assert.Equal(1 + LogBudget.Burst + 2, log.Lines);
    }

    [Fact]
    public void Budget_of_lines_fills_again_and_says_what_was_left_out()
    {
        var time = new HandTime();
        var budget = new LogBudget(time);
        for (int i = 0; i < LogBudget.Burst; i++)
        {
            Assert.True(budget.TryTake(out _));
        }

        Assert.False(budget.TryTake(out _));
        Assert.False(budget.TryTake(out _));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(budget.TryTake(out int leftOut));
        Assert.Equal(2, leftOut);
        Assert.False(budget.TryTake(out _));
        time.Advance(TimeSpan.FromHours(1));
        Assert.True(budget.TryTake(out leftOut));
        Assert.Equal(1, leftOut);
        for (int i = 1; i < LogBudget.Burst; i++)
        {
            Assert.True(budget.TryTake(out leftOut));
            Assert.Equal(0, leftOut);
        }

        Assert.False(budget.TryTake(out _));
    }

    /// <summary>Time that does not pass by itself.</summary>
    private sealed class HandTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref _now);

        public void Advance(TimeSpan time) => Interlocked.Add(ref _now, time.Ticks);
    }

    private sealed class CountingLogger : ILogger
    {
        private int _lines;

        public int Lines => Volatile.Read(ref _lines);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id > 100)
            {
                Interlocked.Increment(ref _lines);
            }
        }
    }
}
