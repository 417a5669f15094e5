using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Driver;
using WarpDrive.Driver.VfioUser;
using WarpDrive.Emulator;
using WarpDrive.Engines;
using WarpDrive.Linux;
using WarpProxy.Tests.Unit.Proxy;
using WarpProxy.Tests.Unit.Simulation;

namespace WarpProxy.Tests.Unit.Driver;

/// <summary>The pool on the real emulated device, whose engine is the test's.</summary>
public sealed class QueuePoolTests : IDisposable
{
    private const int ModulusBytes = 256;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SwitchedEngine _engine = new();
    private readonly EmulatedAccelerator _accelerator;
    private readonly ManualClock _clock = new();
    private readonly byte[] _block = [.. Enumerable.Range(1, 640).Select(static i => (byte)i)];
    private readonly byte[] _input = new byte[ModulusBytes];
    private readonly byte[] _output = new byte[ModulusBytes];
    private bool _isAbsent;

    public QueuePoolTests() => _accelerator = new EmulatedAccelerator(
        new EmulatorOptions { EngineCount = 1, SelfTest = false }, () => _engine, NullLogger.Instance);

    public void Dispose()
    {
        _engine.Release();
        _accelerator.Dispose();
    }

    [Fact]
    public void Operation_returns_the_devices_result()
    {
        using QueuePool pool = Open();
        using DeviceKey key = CreateKey(pool);
        _input[^1] = 41;
        Assert.Equal(AcceleratorError.None, key.TryPrivate(_input, _output));
        Assert.Equal(42, _output[^1]);
        Assert.Equal(1, pool.GetStatus().Devices[0].OperationCount);
        AssertNothingIsLeft(pool);
    }

    [Fact]
    public void Pool_without_devices_says_so()
    {
        using var pool = new QueuePool(new QueuePoolOptions(), [], NullLogger.Instance, _clock);
        using DeviceKey key = CreateKey(pool);
        Assert.Equal(AcceleratorError.NoDevice, key.TryPrivate(_input, _output));
    }

    [Fact]
    public void Wrong_result_is_never_returned_and_quarantines_the_device()
    {
        using QueuePool pool = Open();
        using DeviceKey key = CreateKey(pool);
        _engine.FlipsABit = true;
        Assert.Equal(AcceleratorError.WrongResult, key.TryPrivate(_input, _output));
        Assert.All(_output, static b => Assert.Equal(0, b));
        Assert.Equal(AcceleratorError.Quarantined, key.TryPrivate(_input, _output));
        Assert.Equal(DeviceState.Quarantined, pool.GetStatus().Devices[0].State);

        _engine.FlipsABit = false;
        WaitFor(() => pool.GetStatus().Devices[0].QueueCount == 0); // nothing of the old queues is used again
        _clock.Advance(TimeSpan.FromSeconds(2));
        WaitFor(() => pool.GetStatus().Devices[0].State == DeviceState.Ready);
        Assert.Equal(AcceleratorError.None, key.TryPrivate(_input, _output));
        AssertNothingIsLeft(pool);
    }

    [Fact]
    public void Device_that_answers_its_probe_wrongly_gets_no_work()
    {
        _engine.FlipsABit = true;
        var log = new RecordedLog<QueuePool>();
        using QueuePool pool = Open(logger: log);
        using DeviceKey key = CreateKey(pool);
        Assert.Equal(AcceleratorError.Quarantined, key.TryPrivate(_input, _output));
        DeviceStatus device = pool.GetStatus().Devices[0];
        Assert.Equal((DeviceState.Quarantined, 0, 1, OpeningReason.Probe), (device.State, device.QueueCount, device.Breaker.ProbesBad, device.Breaker.Reason));
        Assert.Equal(AcceleratorError.WrongResult, Assert.Single(device.Probes).Error);

        // Wrong again, and out for twice as long.
        _clock.Advance(TimeSpan.FromSeconds(2));
        WaitFor(() => pool.GetStatus().Devices[0].Breaker.ProbesBad == 2);
        Assert.InRange(pool.GetStatus().Devices[0].Breaker.BackOff, TimeSpan.FromSeconds(1.8), TimeSpan.FromSeconds(2.2));

        _engine.FlipsABit = false;
        _clock.Advance(TimeSpan.FromSeconds(3));
        WaitFor(() => key.TryPrivate(_input, _output) == AcceleratorError.None);

        // The first queue works while the others are still opened.
        WaitFor(() => pool.GetStatus().Devices[0].QueueCount == 4);
        device = pool.GetStatus().Devices[0];
        Assert.Equal((DeviceState.Ready, 1), (device.State, device.Breaker.ProbesGood));
        Assert.Equal([1024, 2048, 3072, 4096], device.Probes.Select(static probe => probe.Bits));
        AssertNothingIsLeft(pool);

        // Each change once: out, tried, out, tried, in use. Where little memory may be locked, that is said besides.
        string[] words = ["quarantined for", "is probed", "taken into use"];
        Assert.Equal(
            [0, 1, 0, 1, 2],
            log.Take().Select(line => Array.FindIndex(words, word => line.Contains(word, StringComparison.Ordinal))).Where(static word => word >= 0));
    }

    [Fact]
    public void Device_that_is_being_probed_gets_no_work()
    {
        using QueuePool pool = Open();
        using DeviceKey key = CreateKey(pool);
        _engine.FlipsABit = true;
        Assert.Equal(AcceleratorError.WrongResult, key.TryPrivate(_input, _output));
        _engine.FlipsABit = false;
        _engine.Block();
        _clock.Advance(TimeSpan.FromSeconds(2));
        WaitFor(() => pool.GetStatus().Devices[0].State == DeviceState.Probing && _engine.HasEntered);
        Assert.Equal(AcceleratorError.Quarantined, key.TryPrivate(_input, _output));
        Assert.Equal((1, 2), (pool.GetStatus().QueuesInUse, pool.GetStatus().SlotsInUse));

        _engine.Release();
        WaitFor(() => key.TryPrivate(_input, _output) == AcceleratorError.None);
        AssertNothingIsLeft(pool);
    }

    [Fact]
    public void Device_that_does_not_answer_its_probe_stays_out()
    {
        using QueuePool pool = Open(queues: 1, deadline: TimeSpan.FromMilliseconds(5));
        using DeviceKey key = CreateKey(pool);
        _engine.FlipsABit = true;
        Assert.Equal(AcceleratorError.WrongResult, key.TryPrivate(_input, _output));
        _engine.FlipsABit = false;
        _engine.Block();
        _clock.Advance(TimeSpan.FromSeconds(2));
        WaitFor(() => pool.GetStatus().Devices[0].State == DeviceState.Probing && _engine.HasEntered);
        _clock.Advance(TimeSpan.FromSeconds(1));
        WaitFor(() => pool.GetStatus().Devices[0].Breaker.ProbesBad == 1);
        AssertNothingIsLeft(pool);

        // Answers that come after all reach nobody.
        _engine.Release();
        _clock.Advance(TimeSpan.FromMinutes(1));
        WaitFor(() => key.TryPrivate(_input, _output) == AcceleratorError.None);
    }

    [Fact]
    public void Device_that_answers_nothing_any_more_is_taken_out_of_use()
    {
        using QueuePool pool = Open(queues: 8, deadline: TimeSpan.FromMilliseconds(5));
        using DeviceKey key = CreateKey(pool);
        _engine.Block();
        for (int i = 0; i < 8; i++)
        {
            Assert.Equal(AcceleratorError.Deadline, RunPastDeadline(pool, key));
        }

        Assert.Equal(AcceleratorError.Quarantined, key.TryPrivate(_input, _output));
        BreakerStatus breaker = pool.GetStatus().Devices[0].Breaker;
        Assert.Equal((BreakerState.Open, OpeningReason.Unanswered), (breaker.State, breaker.Reason));

        // What it owes stays its own until the stall is too long; then the connection is the reset.
        Assert.Equal(8, pool.GetStatus().SlotsInUse);
        _clock.Advance(TimeSpan.FromSeconds(2));
        WaitFor(() => pool.GetStatus().SlotsInUse == 0 || pool.GetStatus().Devices[0].State == DeviceState.Probing);
        _engine.Release();
        WaitFor(() => key.TryPrivate(_input, _output) == AcceleratorError.None);
        AssertNothingIsLeft(pool);
    }

    [Fact]
    public void Slot_of_an_abandoned_operation_is_the_devices_until_its_completion()
    {
        using QueuePool pool = Open(queues: 1, deadline: TimeSpan.FromMilliseconds(5));
        using DeviceKey key = CreateKey(pool);
        _engine.Block();
        Assert.Equal(AcceleratorError.Deadline, RunPastDeadline(pool, key));
        Assert.Equal(1, pool.GetStatus().SlotsInUse);
        Assert.Equal(AcceleratorError.Busy, key.TryPrivate(_input, _output));

        _engine.Release();
        WaitFor(() => pool.GetStatus().SlotsInUse == 0);
        WaitFor(() => key.TryPrivate(_input, _output) == AcceleratorError.None);
        AssertNothingIsLeft(pool);
    }

    [Fact]
    public void Queue_that_never_answers_is_closed_and_opened_again()
    {
        using QueuePool pool = Open(queues: 1, deadline: TimeSpan.FromMilliseconds(5));
        using DeviceKey key = CreateKey(pool);
        _engine.Block();
        Assert.Equal(AcceleratorError.Deadline, RunPastDeadline(pool, key));
        _clock.Advance(TimeSpan.FromSeconds(2));

        // Its only queue: what is opened instead has to answer a probe first.
        WaitFor(() => pool.GetStatus().Devices[0].State == DeviceState.Probing);

        _engine.Release();
        WaitFor(() => key.TryPrivate(_input, _output) == AcceleratorError.None);
    }

    [Fact]
    public void Absent_device_is_taken_into_use_when_it_appears()
    {
        _isAbsent = true;
        using QueuePool pool = Open();
        using DeviceKey key = CreateKey(pool);
        Assert.Equal(AcceleratorError.NoDevice, key.TryPrivate(_input, _output));
        Assert.Equal(DeviceState.Absent, pool.GetStatus().Devices[0].State);

        _isAbsent = false;
        WaitFor(() => key.TryPrivate(_input, _output) == AcceleratorError.None);
        Assert.Equal("switched", pool.GetStatus().Devices[0].Engine);
    }

    [Fact]
    public void Device_that_dies_ends_the_operation_at_once()
    {
        using QueuePool pool = Open(queues: 1, deadline: 2 * Patience);
        using DeviceKey key = CreateKey(pool);
        _engine.Block();
        AcceleratorError outcome = AcceleratorError.None;
        var operation = new Thread(() => outcome = key.TryPrivate(_input, _output));
        operation.Start();
        WaitFor(() => _engine.HasEntered);
        var death = new Thread(_accelerator.Dispose);
        death.Start();
        _engine.Release();
        death.Join();
        Assert.True(operation.Join(Patience), "it waited for its deadline");

        // It was computed before the device ended, or it was not; it is never left waiting.
        Assert.Contains(outcome, new[] { AcceleratorError.None, AcceleratorError.DeviceGone });
        WaitFor(() => pool.GetStatus().Devices[0].QueueCount == 0);
        Assert.Equal(AcceleratorError.NoDevice, key.TryPrivate(_input, _output));
        AssertNothingIsLeft(pool);
    }

    [Fact]
    public void Sleeping_operation_is_woken_when_its_device_ends_before_it_was_fetched()
    {
        // One engine, held by the first operation: the second is never fetched.
        using QueuePool pool = Open(queues: 2, deadline: 2 * Patience);
        using DeviceKey key = CreateKey(pool);
        _engine.Block();
        AcceleratorError[] outcomes = [AcceleratorError.None, AcceleratorError.None];
        Thread[] operations = [.. outcomes.Select((_, i) => new Thread(() => outcomes[i] = key.TryPrivate(_input, new byte[ModulusBytes])))];
        operations[0].Start();
        WaitFor(() => _engine.HasEntered);
        operations[1].Start();
        WaitFor(() => pool.GetStatus().SlotsInUse == 2);
        var death = new Thread(_accelerator.Dispose);
        death.Start();
        WaitFor(() => _accelerator.IsStopping);
        _engine.Release();
        death.Join();
        Array.ForEach(operations, static operation => Assert.True(operation.Join(Patience), "it waited for its deadline"));
        Assert.Contains(AcceleratorError.DeviceGone, outcomes);
    }

    [Fact]
    public void Quarantine_is_kept_however_busy_the_supervisor_is()
    {
        using var pool = new QueuePool(
            new QueuePoolOptions
            {
                QueuesPerDevice = 2,
                RetryInterval = TimeSpan.FromTicks(1),
                KnownAnswers = MarkingEngine.KnownAnswers,
                Breaker = new() { FirstBackOff = TimeSpan.FromHours(1), MaxBackOff = TimeSpan.FromHours(1) },
            },
            [Endpoint("test:", _accelerator)], NullLogger.Instance, _clock);
        using DeviceKey key = CreateKey(pool);
        for (int i = 0; i < 300; i++)
        {
            WaitFor(() => key.TryPrivate(_input, _output) == AcceleratorError.None);
            _engine.FlipsABit = true;
            WaitFor(() => key.TryPrivate(_input, _output) == AcceleratorError.WrongResult);
            _engine.FlipsABit = false;
            WaitFor(() => pool.GetStatus().Devices[0].QueueCount == 0);
            Assert.Equal(DeviceState.Quarantined, pool.GetStatus().Devices[0].State);
            Assert.Equal(AcceleratorError.Quarantined, key.TryPrivate(_input, _output));
            _clock.Advance(TimeSpan.FromHours(1));
        }
    }

    [Fact]
    public void Absent_device_does_not_keep_the_others_from_sharing()
    {
        using var second = new EmulatedAccelerator(new EmulatorOptions { SelfTest = false }, () => new MarkingEngine(1), NullLogger.Instance);
        var absent = new DeviceEndpoint("absent:", static () => throw new LinuxException("connect", "absent", Errno.ENOENT));
        using var pool = new QueuePool(
            new QueuePoolOptions { QueuesPerDevice = 2, RetryInterval = TimeSpan.FromMilliseconds(5), KnownAnswers = MarkingEngine.KnownAnswers },
            [absent, Endpoint("first:", _accelerator), Endpoint("second:", second)], NullLogger.Instance, _clock);
        using DeviceKey key = CreateKey(pool);
        _engine.Block();
        var operation = new Thread(() => key.TryPrivate(_input, new byte[ModulusBytes]));
        operation.Start();
        WaitFor(() => _engine.HasEntered);
        Assert.Equal(AcceleratorError.None, key.TryPrivate(_input, _output));
        Assert.Equal(1, pool.GetStatus().Devices[2].OperationCount);
        _engine.Release();
        operation.Join();
    }

    [Fact]
    public void Device_that_talks_nonsense_later_costs_no_operation_and_no_thread()
    {
        int connections = 0;
        var endpoint = new DeviceEndpoint("mad:", () => Interlocked.Increment(ref connections) == 1
            ? _accelerator.OpenQueue()
            : throw new VfioUserProtocolException("It answers with poetry."));
        using var pool = new QueuePool(
            new QueuePoolOptions { QueuesPerDevice = 1, RetryInterval = TimeSpan.FromMilliseconds(5), KnownAnswers = MarkingEngine.KnownAnswers }, [endpoint], NullLogger.Instance, _clock);
        using DeviceKey key = CreateKey(pool);
        Assert.Equal(AcceleratorError.None, key.TryPrivate(_input, _output));
        _accelerator.Dispose();
        WaitFor(() =>
        {
            _clock.Advance(TimeSpan.FromMinutes(1));
            return key.TryPrivate(_input, _output) == AcceleratorError.Quarantined && Volatile.Read(ref connections) > 2;
        });
    }

    [Fact]
    public void Something_else_at_the_devices_place_is_refused_at_the_start()
    {
        var endpoint = new DeviceEndpoint("mad:", static () => throw new VfioUserProtocolException("It answers with poetry."));
        AcceleratorException e = Assert.Throws<AcceleratorException>(() => new QueuePool(new QueuePoolOptions(), [endpoint], NullLogger.Instance, _clock));
        Assert.Equal("Device 'mad:' cannot be used: It answers with poetry.", e.Message);
    }

    [Fact]
    public void Key_is_zeroed_in_the_arena_and_its_number_is_given_again()
    {
        var hand = new HandDevice();
        using var pool = new QueuePool(
            new QueuePoolOptions { QueuesPerDevice = 1, Deadline = TimeSpan.FromMilliseconds(1), RetryInterval = TimeSpan.FromMilliseconds(1), KnownAnswers = [] },
            [new DeviceEndpoint("hand:", () => hand)], NullLogger.Instance, _clock);
        DeviceKey key = CreateKey(pool);
        Assert.Equal(AcceleratorError.Deadline, RunPastDeadline(pool, key));
        ulong keyIova = BitConverter.ToUInt64(hand.Submission(0)[8..]);
        Assert.True(hand.Memory(keyIova, 640).SequenceEqual(_block));
        Assert.Equal(WarpDrive.Abi.Vfio.DmaAccess.Read, hand.AccessOf(keyIova));
        hand.MarkDone(0);
        hand.Complete(0, 0, 1);
        WaitFor(() => pool.GetStatus().SlotsInUse == 0);

        key.Dispose();
        WaitFor(() => !pool.Holds(key));
        Assert.Equal(new byte[640], hand.Memory(keyIova, 640).ToArray());
        WaitFor(() =>
        {
            using DeviceKey next = CreateKey(pool);
            return next.Number == key.Number;
        });
    }

    [Fact]
    public void Second_device_takes_what_the_first_has_no_queue_for()
    {
        using var second = new EmulatedAccelerator(new EmulatorOptions { SelfTest = false }, () => new MarkingEngine(1), NullLogger.Instance);
        using var pool = new QueuePool(
            new QueuePoolOptions { QueuesPerDevice = 1, RetryInterval = TimeSpan.FromMilliseconds(5), KnownAnswers = MarkingEngine.KnownAnswers },
            [Endpoint("first:", _accelerator), Endpoint("second:", second)], NullLogger.Instance, _clock);
        using DeviceKey key = CreateKey(pool);
        _engine.Block();
        var operation = new Thread(() => key.TryPrivate(_input, new byte[ModulusBytes]));
        operation.Start();
        WaitFor(() => pool.GetStatus().SlotsInUse == 1);
        Assert.Equal(AcceleratorError.None, key.TryPrivate(_input, _output));
        Assert.Equal(1, pool.GetStatus().Devices[1].OperationCount);
        _engine.Release();
        operation.Join();
    }

    [Fact]
    public void Device_with_fewer_queues_than_asked_for_is_used_with_those()
    {
        using var small = new EmulatedAccelerator(
            new EmulatorOptions { SelfTest = false, MaxQueues = 2 }, () => new MarkingEngine(1), NullLogger.Instance);
        using var pool = new QueuePool(new QueuePoolOptions { KnownAnswers = MarkingEngine.KnownAnswers }, [Endpoint("small:", small)], NullLogger.Instance, _clock);
        using DeviceKey key = CreateKey(pool);
        Assert.Equal(2, pool.GetStatus().Devices[0].QueueCount);
        Assert.Equal(AcceleratorError.None, key.TryPrivate(_input, _output));
    }

    [Fact]
    public void More_keys_than_an_arena_has_room_for_take_turns()
    {
        using QueuePool pool = Open(queues: 1);
        DeviceKey[] keys = [.. Enumerable.Range(0, 500).Select(_ => CreateKey(pool))];
        Assert.Equal(500, pool.KeyCount);
        for (int round = 0; round < 2; round++)
        {
            foreach ((int index, DeviceKey key) in keys.Index())
            {
                _input[^1] = (byte)(index & 0x7F);
                Assert.Equal(AcceleratorError.None, key.TryPrivate(_input, _output));
                Assert.Equal((index & 0x7F) + 1, _output[^1]);
                Assert.True(pool.Holds(key));
            }
        }

        Assert.InRange(keys.Count(pool.Holds), 1, 400);
        Array.ForEach(keys, static key => key.Dispose());
        WaitFor(() => pool.KeyCount == 0);
        Assert.DoesNotContain(keys, pool.Holds);
        AssertNothingIsLeft(pool);
    }

    [Fact]
    public void Disposed_key_leaves_every_arena()
    {
        using QueuePool pool = Open(queues: 2);
        DeviceKey key = CreateKey(pool);
        Assert.Equal(AcceleratorError.None, key.TryPrivate(_input, _output));
        Assert.True(pool.Holds(key));
        key.Dispose();
        WaitFor(() => !pool.Holds(key));
        Assert.Throws<ObjectDisposedException>(() => key.TryPrivate(_input, _output));
    }

    [Fact]
    public void Key_block_of_another_size_is_refused()
    {
        using QueuePool pool = Open();
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.CreateKey(new byte[639], 256, static (_, _) => true));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.CreateKey(new byte[320], 200, static (_, _) => true));
    }

    [Fact]
    public void Operation_allocates_nothing()
    {
        using QueuePool pool = Open();
        using DeviceKey key = CreateKey(pool);
        for (int i = 0; i < 200; i++)
        {
            key.TryPrivate(_input, _output);
        }

        int done = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            done += key.TryPrivate(_input, _output) == AcceleratorError.None ? 1 : 0;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(1000, done);
    }

    [Fact]
    public void Operations_of_many_threads_get_their_own_results()
    {
        using QueuePool pool = Open(queues: 4);
        using DeviceKey key = CreateKey(pool);
        int wrong = 0;
        int done = 0;
        int busy = 0;
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(number => new Thread(() =>
        {
            byte[] input = new byte[ModulusBytes];
            byte[] output = new byte[ModulusBytes];
            for (int i = 0; i < 2000; i++)
            {
                BitConverter.TryWriteBytes(input.AsSpan(100), (number * 10_000) + i);
                AcceleratorError outcome = key.TryPrivate(input, output);
                if (outcome == AcceleratorError.None)
                {
                    byte[] right = new byte[ModulusBytes];
                    MarkingEngine.Compute(_block, input, right);
                    Interlocked.Add(ref wrong, output.AsSpan().SequenceEqual(right) ? 0 : 1);
                    Interlocked.Increment(ref done);
                }
                else if (outcome == AcceleratorError.Busy)
                {
                    // Eight threads, four queues.
                    Interlocked.Increment(ref busy);
                }
            }
        }))];
        Array.ForEach(threads, static t => t.Start());
        Array.ForEach(threads, static t => t.Join());
        Assert.Equal(0, wrong);
        Assert.True(done > 0);
        Assert.Equal(16_000, done + busy);
        AssertNothingIsLeft(pool);
    }

    /// <summary>An operation that is not answered: the clock passes its deadline when it is posted.</summary>
    private AcceleratorError RunPastDeadline(QueuePool pool, DeviceKey key)
    {
        AcceleratorError outcome = AcceleratorError.None;
        int before = pool.GetStatus().SlotsInUse;
        var operation = new Thread(() => outcome = key.TryPrivate(_input, _output));
        operation.Start();
        WaitFor(() => pool.GetStatus().SlotsInUse == before + 1);
        _clock.Advance(TimeSpan.FromMilliseconds(5));
        Assert.True(operation.Join(Patience));
        return outcome;
    }

    private static void AssertNothingIsLeft(QueuePool pool)
    {
        Assert.Equal(0, pool.GetStatus().SlotsInUse);
        Assert.Equal(0, pool.GetStatus().OperationsInFlight);

        // A queue that is to be closed is the supervisor's until it has been.
        WaitFor(() => pool.GetStatus().QueuesInUse == 0);
    }

    private static void WaitFor(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, Patience));

    private QueuePool Open(int queues = 4, TimeSpan? deadline = null, ILogger? logger = null) => new(
        new QueuePoolOptions
        {
            QueuesPerDevice = queues,
            KnownAnswers = MarkingEngine.KnownAnswers,
            Deadline = deadline ?? Patience,
            RetryInterval = TimeSpan.FromMilliseconds(5),
        },
        [Endpoint("test:", _accelerator)],
        logger ?? NullLogger.Instance,
        _clock);

    private DeviceEndpoint Endpoint(string uri, EmulatedAccelerator accelerator) => new(
        uri, () => _isAbsent ? throw new LinuxException("connect", uri, Errno.ECONNREFUSED) : accelerator.OpenQueue());

    private DeviceKey CreateKey(QueuePool pool) => pool.CreateKey(_block, ModulusBytes, (input, result) =>
    {
        Span<byte> right = stackalloc byte[ModulusBytes];
        MarkingEngine.Compute(_block, input, right);
        return result.SequenceEqual(right);
    });

    /// <summary>A <see cref="MarkingEngine"/> that can be held and that can be made to err.</summary>
    private sealed class SwitchedEngine : IRsaEngine
    {
        private readonly ManualResetEventSlim _mayRun = new(true);

        public string Name => "switched";

        public int Lanes => 1;

        public bool FlipsABit { get; set; }

        public void Block()
        {
            HasEntered = false;
            _mayRun.Reset();
        }

        public void Release() => _mayRun.Set();

        public bool HasEntered { get; private set; }

        public void Execute(OperationBatch batch)
        {
            HasEntered = true;
            _mayRun.Wait();
            for (int i = 0; i < batch.Count; i++)
            {
                MarkingEngine.Compute(batch.Key(i), batch.Input(i), batch.Output(i));
                batch.Output(i)[^1] ^= FlipsABit ? (byte)1 : (byte)0;
                batch[i].Status = RsaStatus.Done;
            }
        }

        public void Dispose()
        {
        }
    }

    private sealed class ManualClock : TimeProvider
    {
        private long _ticks = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref _ticks);

        public void Advance(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);
    }
}
