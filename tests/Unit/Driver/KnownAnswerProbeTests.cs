using System.Numerics;
using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Abi.Device;
using WarpDrive.Driver;
using WarpDrive.Driver.Devices;
using WarpDrive.Emulator;
using WarpDrive.Engines;
using WarpProxy.Tests.Unit.Engines;
using WarpProxy.Tests.Unit.Proxy;
using WarpProxy.Tests.Unit.Simulation;
using Xunit.Abstractions;
using KnownAnswer = WarpDrive.Driver.KnownAnswer;

namespace WarpProxy.Tests.Unit.Driver;

/// <summary>What a device is asked before it gets work.</summary>
public sealed class KnownAnswerProbeTests(ITestOutputHelper output)
{
    private static readonly int[] Sizes = [1024, 2048, 3072, 4096];

    [Fact]
    public void Known_answers_are_right()
    {
        Assert.Equal(Sizes, KnownAnswer.All.Select(static answer => answer.Bits));
        foreach (KnownAnswer answer in KnownAnswer.All)
        {
            int half = answer.ModulusBytes / 2;
            BigInteger[] block = [.. Enumerable.Range(0, 5).Select(i => Number(answer.Block.Slice(i * half, half)))];
            (BigInteger dq, BigInteger dp, BigInteger q, BigInteger p, BigInteger qInverse) = (block[0], block[1], block[2], block[3], block[4]);
            BigInteger n = p * q;
            Assert.Equal(answer.Bits, (int)n.GetBitLength());
            Assert.Equal(BigInteger.One, q * qInverse % p);
            Assert.Equal(BigInteger.One, 65537 * dp % (p - 1));
            Assert.Equal(BigInteger.One, 65537 * dq % (q - 1));
            for (int number = 0; number < 2; number++)
            {
                Assert.Equal(Number(answer.Input(number)), BigInteger.ModPow(Number(answer.Answer(number)), 65537, n));
            }

            Assert.False(answer.Input(0).SequenceEqual(answer.Input(1)));
            Assert.True(answer.Input(2).SequenceEqual(answer.Input(0)));
        }
    }

    [Fact]
    public void Scalar_engine_knows_the_answers()
    {
        IReadOnlyList<ProbeResult> results = Run(new EmulatedAccelerator(
            new EmulatorOptions(), EngineChoice.Make(EngineKind.Scalar), NullLogger.Instance));
        AssertAllRight(results, together: 2);
    }

    [SimdTheory]
    [InlineData(EngineKind.Simd)]
    public void Simd_engine_knows_the_answers_in_every_lane(EngineKind kind)
    {
        using var accelerator = new EmulatedAccelerator(new EmulatorOptions(), EngineChoice.Make(kind), NullLogger.Instance);
        AssertAllRight(Run(accelerator), together: Math.Clamp(accelerator.EngineLanes, 2, 16));
    }

    [Fact]
    public void Error_that_happens_only_in_a_batch_is_found()
    {
        // The last of several operations is wrong by one bit; alone each is right.
        IReadOnlyList<ProbeResult> results = RunMarking(8, static batch => batch.Output(batch.Count - 1)[^1] ^= batch.Count > 1 ? (byte)1 : (byte)0);
        Assert.Equal([.. Sizes, 1024], results.Select(static result => result.Bits));
        Assert.All(results.SkipLast(1), static result => Assert.Equal((1, AcceleratorError.None), (result.OperationCount, result.Error)));
        Assert.Equal((8, AcceleratorError.WrongResult), (results[^1].OperationCount, results[^1].Error));
        Assert.Matches("^RSA-1024: 8 operations with a wrong answer after [0-9.]+ ms$", results[^1].ToString());
    }

    [Fact]
    public void Answers_that_are_exchanged_are_wrong()
    {
        IReadOnlyList<ProbeResult> results = RunMarking(2, static batch =>
        {
            for (int i = 0; i + 1 < batch.Count; i += 2)
            {
                byte[] first = batch.Output(i).ToArray();
                batch.Output(i + 1).CopyTo(batch.Output(i));
                first.CopyTo(batch.Output(i + 1));
            }
        });
        Assert.Equal((2, AcceleratorError.WrongResult), (results[^1].OperationCount, results[^1].Error));
    }

    [Fact]
    public void Error_instead_of_an_answer_is_a_failure()
    {
        ProbeResult result = Assert.Single(RunMarking(1, static batch => batch[0].Status = RsaStatus.BadKey));
        Assert.Equal((1024, AcceleratorError.DeviceError), (result.Bits, result.Error));
    }

    [Fact]
    public void Sizes_that_the_device_does_not_announce_are_not_asked()
    {
        using var queue = new ProbedHand(keySizes: 0b0100, operations: 3);
        Assert.False(queue.Probe.TryPoll());
        Assert.Equal(3u, queue.Hand.Tail);
        Assert.Equal((3072 / 64) - 1, queue.Hand.Submission(0)[4]);
        queue.AnswerAll(KnownAnswer.All[2]);
        Assert.True(queue.Probe.TryPoll());
        Assert.Null(queue.Probe.Failure);
        Assert.Equal(3072, Assert.Single(queue.Probe.Results).Bits);
    }

    [Fact]
    public void Device_without_any_size_passes()
    {
        using var queue = new ProbedHand(keySizes: 0, operations: 3);
        Assert.True(queue.Probe.TryPoll());
        Assert.Empty(queue.Probe.Results);
    }

    [Fact]
    public void Operations_fit_the_ring()
    {
        using var queue = new ProbedHand(keySizes: 1, operations: 16, depth: 4);
        Assert.False(queue.Probe.TryPoll());
        Assert.Equal(3u, queue.Hand.Tail);
    }

    [Fact]
    public void Missing_answer_is_waited_for_a_second_and_no_longer()
    {
        using var queue = new ProbedHand(keySizes: 1, operations: 2);
        Assert.False(queue.Probe.TryPoll());
        queue.Answer(KnownAnswer.All[0], 0);
        queue.Time.Advance(TimeSpan.FromSeconds(1) - TimeSpan.FromTicks(1));
        Assert.False(queue.Probe.TryPoll());
        queue.Time.Advance(TimeSpan.FromTicks(1));
        Assert.True(queue.Probe.TryPoll());
        Assert.Equal((AcceleratorError.Deadline, TimeSpan.FromSeconds(1)), (queue.Probe.Failure!.Error, queue.Probe.Failure.Latency));
        Assert.Equal("RSA-1024: 2 operations not answered within 1000 ms", queue.Probe.Failure.ToString());
    }

    [Fact]
    public void Answer_that_nobody_wrote_is_wrong()
    {
        using var queue = new ProbedHand(keySizes: 1, operations: 1);
        Assert.False(queue.Probe.TryPoll());
        queue.Hand.MarkDone(0);
        queue.Hand.Complete(0, 0, 1);
        Assert.True(queue.Probe.TryPoll());
        Assert.Equal(AcceleratorError.WrongResult, queue.Probe.Failure!.Error);
    }

    [Fact]
    public void Broken_protocol_is_a_failure()
    {
        using var queue = new ProbedHand(keySizes: 1, operations: 1);
        Assert.False(queue.Probe.TryPoll());
        queue.Hand.MarkDone(0);
        queue.Hand.Complete(0, 5, 1);
        Assert.True(queue.Probe.TryPoll());
        Assert.Equal(AcceleratorError.Protocol, queue.Probe.Failure!.Error);
    }

    [Fact]
    public void Device_that_goes_away_is_a_failure()
    {
        using var queue = new ProbedHand(keySizes: 1, operations: 1);
        Assert.False(queue.Probe.TryPoll());
        queue.Hand.IsGone = true;
        Assert.True(queue.Probe.TryPoll());
        Assert.Equal(AcceleratorError.DeviceGone, queue.Probe.Failure!.Error);
    }

    [Fact]
    public void Nothing_is_left_in_the_queue_by_a_probe_that_succeeds()
    {
        using var queue = new ProbedHand(keySizes: 1, operations: 2);
        Assert.False(queue.Probe.TryPoll());
        ulong keyIova = BitConverter.ToUInt64(queue.Hand.Submission(0)[8..]);
        queue.AnswerAll(KnownAnswer.All[0]);
        Assert.True(queue.Probe.TryPoll());
        Assert.Equal(0, queue.Pair.InFlight);
        Assert.Equal(new byte[320], queue.Hand.Memory(keyIova, 320).ToArray());
    }

    private static BigInteger Number(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    private static void AssertAllRight(IReadOnlyList<ProbeResult> results, int together)
    {
        Assert.Equal([.. Sizes, .. Sizes], results.Select(static result => result.Bits));
        Assert.All(results, static result => Assert.Equal(AcceleratorError.None, result.Error));
        Assert.All(results.Take(4), static result => Assert.Equal(1, result.OperationCount));
        Assert.All(results.Skip(4), result => Assert.Equal(together, result.OperationCount));
    }

    /// <summary>Disposes the accelerator.</summary>
    private IReadOnlyList<ProbeResult> Run(EmulatedAccelerator accelerator, IReadOnlyList<KnownAnswer>? answers = null)
    {
        using (accelerator)
        {
            var options = new QueuePoolOptions { Deadline = TimeSpan.FromSeconds(60), KnownAnswers = answers ?? KnownAnswer.All };
            IReadOnlyList<ProbeResult> results = KnownAnswerProbe.Run(new DeviceEndpoint("test:", accelerator.OpenQueue), options, TimeProvider.System);
            output.WriteLine(string.Join('\n', results));
            return results;
        }
    }

    private IReadOnlyList<ProbeResult> RunMarking(int lanes, Action<OperationBatch> spoil) => Run(
        new EmulatedAccelerator(new EmulatorOptions { SelfTest = false }, () => new SpoiltEngine(lanes, spoil), NullLogger.Instance), MarkingEngine.KnownAnswers);

    private sealed class SpoiltEngine(int lanes, Action<OperationBatch> spoil) : IRsaEngine
    {
        private readonly MarkingEngine _engine = new(lanes);

        public string Name => "spoilt";

        public int Lanes => lanes;

        public void Execute(OperationBatch batch)
        {
            _engine.Execute(batch);
            spoil(batch);
        }

        public void Dispose() => _engine.Dispose();
    }

    /// <summary>A probe of a device whose answers the test writes.</summary>
    private sealed class ProbedHand : IDisposable
    {
        private readonly DmaArena _arena;

        public ProbedHand(uint keySizes, int operations, int depth = 16)
        {
            Hand.SetRegister(ControlRegister.KeySizes, keySizes);
            EmulatedDevice device = EmulatedDevice.Open(Hand, depth);
            _arena = new DmaArena(device);
            Pair = new QueuePair(device);
            Probe = new KnownAnswerProbe(Pair, _arena, KnownAnswer.All, operations, TimeSpan.FromMilliseconds(50), Time);
        }

        public HandDevice Hand { get; } = new();

        public ManualTime Time { get; } = new();

        public QueuePair Pair { get; }

        public KnownAnswerProbe Probe { get; }

        public void AnswerAll(KnownAnswer answer)
        {
            for (int i = 0; i < Hand.Tail; i++)
            {
                Answer(answer, i);
            }
        }

        public void Answer(KnownAnswer answer, int index)
        {
            ulong output = BitConverter.ToUInt64(Hand.Submission(index)[24..]);
            answer.Answer(index).CopyTo(Hand.Memory(output, answer.ModulusBytes));
            Hand.MarkDone(index);
            Hand.Complete(index, index, 1);
        }

        public void Dispose()
        {
            Pair.Dispose();
            _arena.Dispose();
        }
    }
}
