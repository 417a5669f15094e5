using WarpDrive.Driver;
using WarpDrive.Driver.Devices;
using WarpProxy.Tests.Unit.Proxy;
using WarpProxy.Tests.Unit.Simulation;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>A pool on hardware that the kernel gives and takes.</summary>
public sealed class UaccePoolTests : IDisposable
{
    private const int ModulusBytes = 256;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly FakeKernel _kernel = new();
    private readonly List<FakeUacceDevice> _devices = [];
    private readonly RecordedLog<QueuePool> _log = new();
    private readonly byte[] _block = [.. Enumerable.Range(1, 640).Select(static i => (byte)i)];

    public void Dispose()
    {
        _devices.ForEach(static device => device.Dispose());
        Assert.Equal((0, 0), (_kernel.OpenCount, _kernel.MappingCount));
        _kernel.Dispose();
    }

    [Fact]
    public void Operations_run_on_the_named_device()
    {
        FakeUacceDevice device = Add("hisi_hpre-0");
        using QueuePool pool = Open("uacce:hisi_hpre-0");
        using DeviceKey key = CreateKey(pool);
        Assert.Equal(AcceleratorError.None, Compute(key));
        Assert.Equal("hisi_hpre-0, hisi_qm_v2", pool.GetStatus().Devices[0].Engine);
        WaitFor(() => device.QueueCount == 4);
    }

    [Fact]
    public void Device_with_fewer_queues_left_gives_those_and_the_rest_is_software()
    {
        FakeUacceDevice device = Add("hisi_hpre-0", new FakeUacceOptions { Instances = 2 });
        using QueuePool pool = Open("uacce:hisi_hpre-0");
        using DeviceKey key = CreateKey(pool);
        Assert.Equal(AcceleratorError.None, Compute(key));
        WaitFor(() => pool.GetStatus().Devices[0].QueueCount == 2);
        WaitFor(() => _kernel.Calls.Contains("open hisi_hpre-0 errno 16"));
        Assert.Equal(2, device.QueueCount);
    }

    [Fact]
    public void Device_without_a_queue_left_is_absent_until_one_is_given_back()
    {
        Add("hisi_hpre-0", new FakeUacceOptions { Instances = 1 });
        var discovery = new UacceDiscovery(_kernel.Tree);
        UacceDevice others = UacceDevice.Open(discovery, discovery.Find("hisi_hpre-0")!, _kernel);
        using QueuePool pool = Open("uacce:hisi_hpre-0");
        using DeviceKey key = CreateKey(pool);
        Assert.Equal(AcceleratorError.NoDevice, Compute(key));
        Assert.Contains(_log.Take(), static line => line.Contains("is absent", StringComparison.Ordinal) && line.Contains("errno 16", StringComparison.Ordinal));
        others.Dispose();
        WaitFor(() => pool.GetStatus().Devices[0].State == DeviceState.Ready);
        Assert.Equal(AcceleratorError.None, Compute(key));
    }

    [Fact]
    public void Device_that_is_not_there_is_absent_until_it_appears()
    {
        using QueuePool pool = Open("uacce:hisi_hpre-0");
        Assert.Equal(DeviceState.Absent, pool.GetStatus().Devices[0].State);
        Add("hisi_hpre-0");
        WaitFor(() => pool.GetStatus().Devices[0].State == DeviceState.Ready);
    }

    [Fact]
    public void Device_isolated_from_the_start_gets_no_work_until_it_is_not()
    {
        FakeUacceDevice device = Add("hisi_hpre-0");
        device.SetIsolated(true);
        using QueuePool pool = Open("uacce:hisi_hpre-0");
        WaitForIsolation(pool);
        Assert.DoesNotContain(_kernel.Calls, static call => call.StartsWith("open", StringComparison.Ordinal));
        device.SetIsolated(false);
        WaitFor(() => pool.GetStatus().Devices[0].State == DeviceState.Ready);
    }

    [Fact]
    public void Device_that_becomes_isolated_is_quarantined_its_queues_closed_and_operations_move_to_the_next()
    {
        FakeUacceDevice first = Add("hisi_hpre-0");
        FakeUacceDevice second = Add("hisi_hpre-1");
        using QueuePool pool = Open("uacce:hisi_hpre-0", "uacce:hisi_hpre-1");
        using DeviceKey key = CreateKey(pool);
        Assert.Equal(AcceleratorError.None, Compute(key));
        first.SetIsolated(true);
        WaitFor(() => first.QueueCount == 0);
        WaitForIsolation(pool);
        WaitFor(() => _log.Take().Any(static line => line.Contains("the kernel isolated hisi_hpre-0 after too many hardware errors", StringComparison.Ordinal)));
        long before = second.OperationsCompleted;
        Assert.Equal(AcceleratorError.None, Compute(key));
        WaitFor(() => second.OperationsCompleted > before);      // which counts when the host may have the answer already
    }

    [Fact]
    public void Reset_closes_the_queues_and_opens_new_ones()
    {
        FakeUacceDevice device = Add("hisi_hpre-0");
        using QueuePool pool = Open("uacce:hisi_hpre-0");
        using DeviceKey key = CreateKey(pool);
        Assert.Equal(AcceleratorError.None, Compute(key));
        device.Reset();
        WaitFor(() => Compute(key) == AcceleratorError.None);
        Assert.DoesNotContain(OpeningReason.Protocol, pool.GetStatus().Devices[0].Breaker.Openings.Keys);
    }

    [Fact]
    public async Task Operation_under_way_at_a_reset_ends_at_once_and_not_at_its_deadline()
    {
        var engine = new HeldEngine();
        FakeUacceDevice device = Add("hisi_hpre-0", null, engine);
        using QueuePool pool = Open("uacce:hisi_hpre-0");
        using DeviceKey key = CreateKey(pool);
        WaitFor(() => device.QueueCount == 4);
        engine.Hold();
        Task<AcceleratorError> operation = Task.Run(() => Compute(key));
        WaitFor(() => engine.IsHolding);
        device.Reset();

        // The deadline is endless here.
        Assert.Equal(AcceleratorError.DeviceGone, await operation.WaitAsync(Patience));
        engine.Release();
    }

    [Fact]
    public void Removed_device_is_absent()
    {
        FakeUacceDevice device = Add("hisi_hpre-0");
        using QueuePool pool = Open("uacce:hisi_hpre-0");
        device.Remove();
        WaitFor(() => pool.GetStatus().Devices[0].State == DeviceState.Absent && device.QueueCount == 0);
    }

    [Fact]
    public void Device_of_another_kind_is_refused_at_once()
    {
        Add("hisi_zip-0", new FakeUacceOptions { Algorithms = "zlib\ngzip" });
        AcceleratorException refusal = Assert.Throws<AcceleratorException>(() => UacceEndpoint.Create("uacce:hisi_zip-0", _kernel.Tree, _kernel));
        Assert.Equal("Device hisi_zip-0 computes zlib gzip; rsa is needed.", refusal.Message);
    }

    [Theory]
    [InlineData("uacce:")]
    [InlineData("uacce:../dev/sda")]
    [InlineData("uacce:.")]
    [InlineData("embedded:")]
    public void Uri_that_can_be_no_device_is_refused(string uri) =>
        Assert.Contains($"'{uri}'", Assert.Throws<AcceleratorException>(() => UacceEndpoint.Create(uri, _kernel.Tree, _kernel)).Message, StringComparison.Ordinal);

    [Fact]
    public void Auto_takes_each_queue_where_most_are_free_and_goes_on_where_one_device_is_full()
    {
        FakeUacceDevice few = Add("hisi_hpre-0", new FakeUacceOptions { Instances = 2 });
        FakeUacceDevice some = Add("hisi_hpre-1", new FakeUacceOptions { Instances = 3 });
        using QueuePool pool = Open("uacce:auto");
        WaitFor(() => few.QueueCount + some.QueueCount == 4);
        Assert.Equal((2, 2), (few.QueueCount, some.QueueCount));
        Assert.StartsWith("hisi_hpre-1", pool.GetStatus().Devices[0].Engine, StringComparison.Ordinal);
    }

    [Fact]
    public void Auto_passes_over_isolated_devices_and_leaves_one_that_becomes_isolated()
    {
        FakeUacceDevice first = Add("hisi_hpre-0");
        FakeUacceDevice second = Add("hisi_hpre-1", new FakeUacceOptions { Instances = 8 });
        second.SetIsolated(true);
        using QueuePool pool = Open("uacce:auto");
        using DeviceKey key = CreateKey(pool);
        WaitFor(() => first.QueueCount == 4);
        Assert.Equal(0, second.QueueCount);
        second.SetIsolated(false);
        first.SetIsolated(true);
        WaitFor(() => first.QueueCount == 0 && second.QueueCount == 4);
        WaitFor(() => Compute(key) == AcceleratorError.None);
    }

    [Fact]
    public void Auto_without_any_device_is_absent_and_says_so()
    {
        using QueuePool pool = Open("uacce:auto");
        Assert.Equal(DeviceState.Absent, pool.GetStatus().Devices[0].State);
        Assert.Contains(_log.Take(), static line => line.Contains("there is none", StringComparison.Ordinal));
    }

    [Fact]
    public void Auto_whose_devices_are_all_isolated_is_quarantined()
    {
        Add("hisi_hpre-0").SetIsolated(true);
        Add("hisi_zip-0", new FakeUacceOptions { Algorithms = "zlib" });
        using QueuePool pool = Open("uacce:auto");
        WaitForIsolation(pool);
    }

    private static void WaitFor(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, Patience));

    /// <summary>Between two quarantines the device is looked at, and is probing or absent for that moment.</summary>
    private static void WaitForIsolation(QueuePool pool) => WaitFor(() =>
        pool.GetStatus().Devices[0] is { State: DeviceState.Quarantined, Breaker.Reason: OpeningReason.Isolated });

    private FakeUacceDevice Add(string name, FakeUacceOptions? options = null, WarpDrive.Engines.IRsaEngine? engine = null)
    {
        var device = new FakeUacceDevice(_kernel, name, options, () => engine ?? new MarkingEngine(1));
        _devices.Add(device);
        return device;
    }

    private QueuePool Open(params string[] uris) => new(
        new QueuePoolOptions
        {
            QueuesPerDevice = 4,
            KnownAnswers = MarkingEngine.KnownAnswers,
            Deadline = Patience * 10,
            RetryInterval = TimeSpan.FromMilliseconds(5),
            Breaker = new CircuitBreakerOptions { FirstBackOff = TimeSpan.FromMilliseconds(20), MaxBackOff = TimeSpan.FromMilliseconds(20) },
        },
        [.. uris.Select(uri => UacceEndpoint.Create(uri, _kernel.Tree, _kernel))],
        _log,
        TimeProvider.System);

    private static AcceleratorError Compute(DeviceKey key)
    {
        byte[] input = new byte[ModulusBytes];
        return key.TryPrivate(input, new byte[ModulusBytes]);
    }

    private DeviceKey CreateKey(QueuePool pool) => pool.CreateKey(_block, ModulusBytes, (input, result) =>
    {
        Span<byte> right = stackalloc byte[ModulusBytes];
        MarkingEngine.Compute(_block, input, right);
        return result.SequenceEqual(right);
    });

    /// <summary>An engine that stops in the middle of an operation when it is told to.</summary>
    private sealed class HeldEngine : WarpDrive.Engines.IRsaEngine
    {
        private readonly MarkingEngine _engine = new(1);
        private readonly ManualResetEventSlim _mayRun = new(true);

        public string Name => "held";

        public int Lanes => 1;

        public bool IsHolding { get; private set; }

        public void Hold() => _mayRun.Reset();

        public void Release() => _mayRun.Set();

        public void Execute(WarpDrive.Engines.OperationBatch batch)
        {
            IsHolding = !_mayRun.IsSet;
            _mayRun.Wait();
            _engine.Execute(batch);
        }

        public void Dispose() => _mayRun.Dispose();
    }
}
