using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Abi.Hpre;
using WarpDrive.Driver;
using WarpDrive.Driver.Devices;
using WarpDrive.Emulator;
using WarpDrive.Emulator.Faults;
using WarpProxy.Tests.Unit.Proxy;
using WarpProxy.Tests.Unit.Simulation;

namespace WarpProxy.Tests.Unit.Emulator;

/// <summary>A device stepped by hand, with a clock moved by hand, seen by its host through the rings.</summary>
public sealed class FaultInjectionTests : IDisposable
{
    private const int ModulusBytes = 128;
    private const int Depth = 16;

    private readonly ManualTime _time = new();
    private readonly List<Host> _hosts = [];
    private EmulatedAccelerator? _accelerator;

    public void Dispose()
    {
        _hosts.ForEach(static host => host.Dispose());
        _accelerator?.Dispose();
    }

    [Fact]
    public void Delayed_result_comes_when_its_time_is_over_and_is_right()
    {
        Host host = Open("""{ "kind": "delay", "seconds": 0.5 }""");
        host.Post(1);
        Run();
        Assert.Null(host.Reap());
        Advance(0.4);
        Assert.Null(host.Reap());
        Advance(0.1);
        Assert.Equal(host.Right(1), host.Reap());
    }

    [Fact]
    public void Dropped_operation_never_completes_nor_do_those_behind_it()
    {
        Host host = Open("""{ "kind": "drop", "until": 1 }""");
        host.Post(1);
        Run();
        Advance(2);
        host.Post(2);
        Run();
        Advance(3600);
        Assert.Null(host.Reap());
        Assert.Equal(2, host.InFlight);
    }

    [Theory]
    [InlineData("wrong")]
    [InlineData("zero")]
    public void Result_is_spoilt(string kind)
    {
        Host host = Open($$"""{ "kind": "{{kind}}" }""");
        host.Post(1);
        Run();
        byte[] result = host.Reap()!;
        Assert.NotEqual(host.Right(1), result);
        Assert.Equal(kind == "zero", Array.TrueForAll(result, static value => value == 0));
    }

    [Fact]
    public void Result_is_that_of_the_operation_before()
    {
        Host host = Open("""{ "kind": "swap", "from": 1 }""");
        host.Post(1);
        Run();
        Assert.Equal(host.Right(1), host.Reap());
        Advance(1);
        host.Post(2);
        Run();
        Assert.Equal(host.Right(1), host.Reap());
    }

    [Fact]
    public void Operation_ends_with_the_status_of_the_plan()
    {
        Host host = Open("""{ "kind": "error", "status": 3 }""");
        host.Post(1);
        Run();
        Assert.Null(host.Reap(out HpreError error));
        Assert.Equal((HpreError)3, error);
    }

    [Fact]
    public void Only_the_queues_of_the_plan_stall_and_only_for_its_time()
    {
        Host first = Open("""{ "kind": "stall", "queues": [0], "until": 2 }""");
        Host second = Open();
        first.Post(1);
        second.Post(2);
        Run();
        Assert.Null(first.Reap());
        Assert.Equal(second.Right(2), second.Reap());
        Advance(2);
        Run();
        Assert.Equal(first.Right(1), first.Reap());
    }

    [Fact]
    public void Reset_gives_queues_up_once_or_again_and_again()
    {
        Host first = Open("""{ "kind": "reset", "from": 1, "seconds": 10 }""");
        Advance(0.9);
        Assert.False(first.IsGone);
        Advance(0.1);
        Assert.True(first.IsGone);
        Host second = Open();
        Advance(9);
        Assert.False(second.IsGone);
        Advance(1);
        Assert.True(second.IsGone);
    }

    [Fact]
    public void Probability_is_the_share_of_operations_and_the_seed_chooses_them()
    {
        bool[] first = Spoilt(seed: 1);
        Assert.Equal(first, Spoilt(seed: 1));
        Assert.NotEqual(first, Spoilt(seed: 2));
        Assert.InRange(first.Count(static isSpoilt => isSpoilt), 150, 250);     // of 2,000; 200 is the mean, 13 the deviation
    }

    private bool[] Spoilt(int seed)
    {
        _hosts.ForEach(static host => host.Dispose());
        _hosts.Clear();
        _accelerator?.Dispose();
        _accelerator = null;
        Host host = Open("""{ "kind": "wrong", "probability": 0.1 }""", seed);
        return [.. Enumerable.Range(0, 2000).Select(number =>
        {
            host.Post(number);
            Run();
            return !host.Right(number).SequenceEqual(host.Reap()!);
        })];
    }

    private Host Open(string fault, int seed = 0)
    {
        FaultPlan plan = FaultPlan.Parse(Encoding.UTF8.GetBytes($$"""{ "seed": {{seed}}, "faults": [{{fault}}] }"""));
        _accelerator = EmulatedAccelerator.CreateStepped(
            new EmulatorOptions { SelfTest = false, Faults = plan, Time = _time }, static () => new MarkingEngine(lanes: 8), NullLogger.Instance);
        return Open();
    }

    private Host Open()
    {
        var host = new Host(_accelerator!);
        _hosts.Add(host);
        return host;
    }

    private void Advance(double seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        _accelerator!.Faults!.Step(_accelerator.OpenQueues.Cast<VirtualQueue>());
    }

    private void Run()
    {
        while (_accelerator!.Step())
        {
        }
    }

    private sealed class Host : IDisposable
    {
        private readonly QueuePair _pair;
        private readonly DmaArena _arena;
        private readonly byte[] _key = new byte[RsaKeyBlock.SizeInBytes(HpreAlgorithm.RsaCrt, ModulusBytes)];
        private readonly ulong _keyIova;

        public Host(EmulatedAccelerator accelerator)
        {
            EmulatedDevice device = EmulatedDevice.Open(accelerator.OpenQueue(), Depth);
            _arena = new DmaArena(device);
            _pair = new QueuePair(device);
            new Random(5).NextBytes(_key);
            Assert.True(_arena.TryWriteKey(_key, out KeyPlace place));
            _keyIova = place.Iova;
        }

        public int InFlight => _pair.InFlight;

        public bool IsGone => _pair.Device.IsGone;

        public void Post(int number)
        {
            int index = _pair.NextIndex;
            Input(number).CopyTo(_arena.Input(index, ModulusBytes));
            Assert.True(_pair.TryPost(new SubmissionEntry
            {
                Control = SubmissionControl.Post(HpreAlgorithm.RsaCrt),
                TaskLength1 = (ModulusBytes / 8) - 1,
                KeyIova = _keyIova,
                InputIova = _arena.InputIova(index),
                OutputIova = _arena.OutputIova(index),
                Tag = (ulong)number,
            }));
            _pair.Ring();
        }

        public byte[]? Reap() => Reap(out _);

        public byte[]? Reap(out HpreError error)
        {
            ReapResult result = _pair.TryReap(out Completion completion);
            Assert.NotEqual(ReapResult.Broken, result);
            error = completion.Error;
            return result == ReapResult.Completed && error == HpreError.None ? _arena.Output(completion.Index, ModulusBytes).ToArray() : null;
        }

        public byte[] Right(int number)
        {
            byte[] right = new byte[ModulusBytes];
            MarkingEngine.Compute(_key, Input(number), right);
            return right;
        }

        public void Dispose()
        {
            _pair.Dispose();
            _arena.Dispose();
        }

        private static byte[] Input(int number)
        {
            byte[] input = new byte[ModulusBytes];
            new Random(number).NextBytes(input);
            return input;
        }
    }
}
