using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Driver;
using WarpDrive.Driver.VfioUser;
using WarpProxy.Tests.Unit.Proxy;
using WarpProxy.Tests.Unit.Simulation;
using Xunit.Abstractions;

namespace WarpProxy.Tests.Unit.Driver;

/// <summary>Devices and limits that change while operations run.</summary>
public sealed class QueuePoolChangeTests(ITestOutputHelper output) : IDisposable
{
    private const int ModulusBytes = 256;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly HeldAccelerator _first = new("first:");
    private readonly HeldAccelerator _second = new("second:");
    private readonly byte[] _block = [.. Enumerable.Range(1, 640).Select(static i => (byte)i)];
    private readonly byte[] _input = new byte[ModulusBytes];
    private readonly byte[] _output = new byte[ModulusBytes];

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
    }

    [Fact]
    public void Device_that_is_added_gets_work()
    {
        using QueuePool pool = Open(Limits());
        using DeviceKey key = CreateKey(pool);
        Assert.Equal(AcceleratorError.NoDevice, key.TryPrivate(_input, _output));
        pool.Configure(Limits(), [_first.Endpoint]);
        WaitFor(() => key.TryPrivate(_input, _output) == AcceleratorError.None);
        Assert.Equal(["first:"], pool.GetStatus().Devices.Select(static device => device.Uri));
    }

    [Fact]
    public void Device_that_is_removed_gets_no_more_work_and_is_closed()
    {
        using QueuePool pool = Open(Limits(), _first, _second);
        using DeviceKey key = CreateKey(pool);
        Assert.Equal(AcceleratorError.None, key.TryPrivate(_input, _output));
        Assert.Equal(1, pool.GetStatus().Devices[0].OperationCount);

        pool.Configure(Limits(), [_second.Endpoint]);
        Assert.Equal(AcceleratorError.None, key.TryPrivate(_input, _output));
        DeviceStatus left = Assert.Single(pool.GetStatus().Devices);
        Assert.Equal(("second:", 1), (left.Uri, left.OperationCount));
        WaitFor(() => _first.OpenCount == 0);
    }

    [Fact]
    public void Device_that_stays_keeps_its_queues()
    {
        using QueuePool pool = Open(Limits(), _first);
        using DeviceKey key = CreateKey(pool);
        int connections = _first.ConnectCount;
        pool.Configure(Limits(), [_second.Endpoint, _first.Endpoint]);
        WaitFor(() => pool.GetStatus().Devices[0].State == DeviceState.Ready);
        Assert.Equal(AcceleratorError.None, key.TryPrivate(_input, _output));
        Assert.Equal(["second:", "first:"], pool.GetStatus().Devices.Select(static device => device.Uri));
        Assert.Equal(connections, _first.ConnectCount);
    }

    [Fact]
    public void Other_deadline_holds_from_the_next_operation_on_and_no_queue_is_opened_anew()
    {
        using QueuePool pool = Open(Limits(), _first);
        using DeviceKey key = CreateKey(pool);
        int connections = _first.ConnectCount;
        pool.Configure(Limits(deadline: TimeSpan.FromMilliseconds(5)), [_first.Endpoint]);
        _first.Hold();
        Assert.Equal(AcceleratorError.Deadline, key.TryPrivate(_input, _output));
        Assert.Equal(connections, _first.ConnectCount);
        _first.Release();
        WaitFor(() => pool.GetStatus().SlotsInUse == 0);
    }

    [Theory]
    [InlineData(8, 16)]
    [InlineData(2, 32)]
    public void Device_works_on_until_it_is_opened_anew_with_other_queues(int queues, int depth)
    {
        using QueuePool pool = Open(Limits(), _first);
        using DeviceKey key = CreateKey(pool);
        _first.HoldConnect();
        pool.Configure(Limits(queues, depth), [_first.Endpoint]);
        Assert.Equal(0, pool.GetStatus().Devices[0].QueueCount);
        Assert.Equal(AcceleratorError.None, key.TryPrivate(_input, _output));

        _first.ReleaseConnect();
        WaitFor(() => pool.GetStatus().Devices[0].QueueCount == queues && _first.OpenCount == queues);
        Assert.Equal(AcceleratorError.None, key.TryPrivate(_input, _output));
    }

    [Fact]
    public void Operation_of_a_removed_device_ends_with_its_result()
    {
        using QueuePool pool = Open(Limits(), _first);
        using DeviceKey key = CreateKey(pool);
        _first.Hold();
        AcceleratorError outcome = AcceleratorError.Busy;
        var operation = new Thread(() => outcome = key.TryPrivate(_input, _output));
        operation.Start();
        WaitFor(() => _first.HasEntered);
        pool.Configure(Limits(), []);
        Assert.Equal(AcceleratorError.NoDevice, key.TryPrivate(_input, new byte[ModulusBytes]));
        Assert.Equal(1, pool.GetStatus().SlotsInUse);
        Assert.Empty(pool.GetStatus().Devices);

        _first.Release();
        Assert.True(operation.Join(Patience), "it waits for ever");
        Assert.Equal(AcceleratorError.None, outcome);
        WaitFor(() => _first.OpenCount == 0);
        AssertNothingIsLeft(pool);
    }

    [Fact]
    public void Slot_that_a_removed_device_still_owes_is_given_up_with_its_queue()
    {
        using QueuePool pool = Open(Limits(deadline: TimeSpan.FromMilliseconds(5)), _first);
        using DeviceKey key = CreateKey(pool);
        _first.Hold();
        Assert.Equal(AcceleratorError.Deadline, key.TryPrivate(_input, _output));
        Assert.Equal(1, pool.GetStatus().SlotsInUse);
        pool.Configure(Limits(), []);
        WaitFor(() => _first.OpenCount == 0);
        AssertNothingIsLeft(pool);
    }

    [Fact]
    public void Key_is_erased_by_devices_of_before_and_after_a_change()
    {
        using QueuePool pool = Open(Limits(), _first);
        DeviceKey key = CreateKey(pool);
        Assert.Equal(AcceleratorError.None, key.TryPrivate(_input, _output));
        _first.Hold();
        var operation = new Thread(() =>
        {
            using DeviceKey other = CreateKey(pool);
            other.TryPrivate(_input, new byte[ModulusBytes]);
        });
        operation.Start();
        WaitFor(() => _first.HasEntered);

        // The device leaves, and cannot be closed yet, while the key is given up.
        pool.Configure(Limits(), [_second.Endpoint]);
        WaitFor(() => pool.GetStatus().Devices[0].State == DeviceState.Ready);
        WaitFor(() => key.TryPrivate(_input, _output) == AcceleratorError.None && pool.GetStatus().Devices[0].OperationCount > 0);
        key.Dispose();
        Assert.Equal(2, pool.KeyCount);
        _first.Release();
        Assert.True(operation.Join(Patience));
        WaitFor(() => pool.KeyCount == 0);
        Assert.False(pool.Holds(key));
        WaitFor(() => _first.OpenCount == 0);
    }

    [Fact]
    public void Something_else_at_a_new_devices_place_is_logged_and_the_others_serve()
    {
        var log = new RecordedLog<QueuePool>();
        using var pool = new QueuePool(Limits(), [_first.Endpoint], log, TimeProvider.System);
        using DeviceKey key = CreateKey(pool);
        var mad = new DeviceEndpoint("mad:", static () => throw new VfioUserProtocolException("It answers with poetry."));
        pool.Configure(Limits(), [mad, _first.Endpoint]);
        WaitFor(() => log.Take().Contains("Error: Device 'mad:' cannot be used: It answers with poetry."));
        Assert.Equal(AcceleratorError.None, key.TryPrivate(_input, _output));
    }

    [Fact]
    public void Disposed_pool_is_not_changed()
    {
        QueuePool pool = Open(Limits(), _first);
        pool.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pool.Configure(Limits(), []));
        Assert.Equal(0, _first.OpenCount);
    }

    [Fact]
    public void Changes_under_load_lose_no_operation_and_leak_nothing()
    {
        const int Threads = 4;
        const int Changes = 60;
        const int Seed = 20261121;
        output.WriteLine($"seed {Seed}");
        var random = new Random(Seed);
        using QueuePool pool = Open(Limits(), _first);
        int wrong = 0;
        int done = 0;
        int refused = 0;
        bool isOver = false;
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(number => new Thread(() =>
        {
            byte[] input = new byte[ModulusBytes];
            byte[] output = new byte[ModulusBytes];
            byte[] right = new byte[ModulusBytes];
            for (int i = 0; !Volatile.Read(ref isOver); i++)
            {
                // A key now and then: its number goes round while devices come and go.
                using DeviceKey key = CreateKey(pool);
                for (int j = 0; j < 20; j++)
                {
                    BitConverter.TryWriteBytes(input.AsSpan(100), (number * 1_000_000) + (20 * i) + j);
                    AcceleratorError outcome = key.TryPrivate(input, output);
                    if (outcome == AcceleratorError.None)
                    {
                        MarkingEngine.Compute(_block, input, right);
                        Interlocked.Add(ref wrong, output.AsSpan().SequenceEqual(right) ? 0 : 1);
                        Interlocked.Increment(ref done);
                    }
                    else
                    {
                        // Between two lists there may be no device, none that was probed, or none with a free queue. Anything else is a defect.
                        Interlocked.Add(ref wrong, outcome is AcceleratorError.NoDevice or AcceleratorError.Quarantined or AcceleratorError.Busy ? 0 : 1);
                        Interlocked.Increment(ref refused);
                    }
                }
            }
        }))];
        Array.ForEach(threads, static thread => thread.Start());
        for (int change = 0; change < Changes; change++)
        {
            DeviceEndpoint[] list = random.Next(5) switch
            {
                0 => [_first.Endpoint],
                1 => [_second.Endpoint],
                2 => [_second.Endpoint, _first.Endpoint],
                3 => [_first.Endpoint, _second.Endpoint],
                _ => [],
            };
            pool.Configure(Limits(queues: random.Next(1, 5)), list);
            if (random.Next(2) == 0)
            {
                int seen = Volatile.Read(ref done);
                WaitFor(() => list.Length == 0 || Volatile.Read(ref done) > seen);
            }
        }

        Volatile.Write(ref isOver, true);
        Array.ForEach(threads, static thread => thread.Join());
        output.WriteLine($"{done} done, {refused} refused");
        Assert.Equal(0, wrong);
        Assert.True(done > 0);
        WaitFor(() => pool.KeyCount == 0);
        AssertNothingIsLeft(pool);
        pool.Configure(Limits(), []);
        WaitFor(() => _first.OpenCount + _second.OpenCount == 0);
    }

    private static void AssertNothingIsLeft(QueuePool pool)
    {
        Assert.Equal(0, pool.GetStatus().OperationsInFlight);

        // A device that knows a queue to be closed knows it a moment before the pool has noted it.
        WaitFor(() => pool.GetStatus() is { SlotsInUse: 0, QueuesInUse: 0 });
    }

    private static void WaitFor(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, Patience));

    private static QueuePoolOptions Limits(int queues = 2, int depth = 16, TimeSpan? deadline = null) => new()
    {
        QueuesPerDevice = queues,
        Depth = depth,
        Deadline = deadline ?? Patience,
        RetryInterval = TimeSpan.FromMilliseconds(5),

        // What the device owes stays its own for as long as a test may be kept from looking.
        StallLimit = 2 * Patience,
        KnownAnswers = MarkingEngine.KnownAnswers,
    };

    private static QueuePool Open(QueuePoolOptions options, params HeldAccelerator[] devices) =>
        new(options, [.. devices.Select(static device => device.Endpoint)], NullLogger.Instance, TimeProvider.System);

    private DeviceKey CreateKey(QueuePool pool) => pool.CreateKey(_block, ModulusBytes, (input, result) =>
    {
        Span<byte> right = stackalloc byte[ModulusBytes];
        MarkingEngine.Compute(_block, input, right);
        return result.SequenceEqual(right);
    });
}
