using System.Buffers.Binary;
using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Abi.Hpre;
using WarpDrive.Driver;
using WarpDrive.Driver.Devices;
using WarpDrive.Emulator;
using Xunit.Abstractions;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>
/// Both sides of one queue pair on one thread, each step chosen by a seed: the host posts, rings, reaps; two engines of the
/// device fetch, compute and complete, each at its own pace. What has to hold is checked at every completion.
/// </summary>
public sealed class QueuePairSimulation(ITestOutputHelper output)
{
    private const int ModulusBytes = 128;
    private const int KeyCount = 5;

    [Theory]
    [InlineData(1, 2, 100_000)]
    [InlineData(2, 4, 200_000)]
    [InlineData(3, 16, 300_000)]
    [InlineData(4, 128, 400_000)]
    public void Every_operation_completes_once_in_order_with_its_own_result(int seed, int depth, int operationCount)
    {
        output.WriteLine($"seed {seed}, depth {depth}");
        using var world = new World(seed, depth);
        while (world.Reaped < operationCount)
        {
            world.Step(operationCount);
        }

        Assert.Equal(operationCount, world.Reaped);
        Assert.Equal(0, world.InFlight);
        output.WriteLine($"{world.FullRings} full rings, {world.Reaped / depth} trips round the rings, {world.DoorbellsSaved} posts without a doorbell of their own");
        Assert.True(world.FullRings > 100);
        Assert.True(world.Reaped / depth > 1000);
    }

    private sealed class World : IDisposable
    {
        private readonly Random _random;
        private readonly EmulatedAccelerator _accelerator;
        private readonly QueuePair _pair;
        private readonly DmaArena _arena;
        private readonly ulong[] _keys = new ulong[KeyCount];
        private readonly byte[][] _keyBlocks = new byte[KeyCount][];
        private readonly Queue<(int Index, ulong Tag, int Key, byte[] Input)> _expected = new();
        private readonly int[] _phaseOfEngine;
        private int _unrung;

        public World(int seed, int depth)
        {
            _random = new Random(seed);
            _accelerator = EmulatedAccelerator.CreateStepped(
                new EmulatorOptions { EngineCount = 2, SelfTest = false }, () => new MarkingEngine(lanes: 8), NullLogger.Instance);
            EmulatedDevice device = EmulatedDevice.Open(_accelerator.OpenQueue(), depth);
            _arena = new DmaArena(device);
            _pair = new QueuePair(device);
            _phaseOfEngine = new int[_accelerator.Engines.Count];
            for (int i = 0; i < KeyCount; i++)
            {
                _keyBlocks[i] = new byte[RsaKeyBlock.SizeInBytes(HpreAlgorithm.RsaCrt, ModulusBytes)];
                _random.NextBytes(_keyBlocks[i]);
                Assert.True(_arena.TryWriteKey(_keyBlocks[i], out KeyPlace place));
                _keys[i] = place.Iova;
            }
        }

        public int Posted { get; private set; }

        public int Reaped { get; private set; }

        public int FullRings { get; private set; }

        public int DoorbellsSaved { get; private set; }

        public int InFlight => _pair.InFlight;

        public void Step(int operationCount)
        {
            switch (_random.Next(6))
            {
                case 0 or 1:
                    for (int i = _random.Next(1, 5); i > 0 && Posted < operationCount; i--)
                    {
                        Post();
                    }

                    break;
                case 2:
                    Ring();
                    break;
                case 3:
                    for (int i = _random.Next(1, 8); i > 0 && Reap(); i--)
                    {
                    }

                    break;
                default:
                    StepEngine(_random.Next(_phaseOfEngine.Length));
                    break;
            }
        }

        public void Dispose()
        {
            _pair.Dispose();
            _arena.Dispose();
            _accelerator.Dispose();
        }

        private void Post()
        {
            int index = _pair.NextIndex;
            int key = _random.Next(KeyCount);
            byte[] input = new byte[ModulusBytes];
            BinaryPrimitives.WriteInt64LittleEndian(input.AsSpan(8), Posted);
            BinaryPrimitives.WriteInt64LittleEndian(input.AsSpan(ModulusBytes - 8), _random.NextInt64());
            ulong tag = (ulong)_random.NextInt64();
            var entry = new SubmissionEntry
            {
                Control = SubmissionControl.Post(HpreAlgorithm.RsaCrt),
                TaskLength1 = (ModulusBytes / 8) - 1,
                KeyIova = _keys[key],
                InputIova = _arena.InputIova(index),
                OutputIova = _arena.OutputIova(index),
                Tag = tag,
            };
            if (_pair.InFlight == _pair.Depth - 1)
            {
                FullRings++;
                Assert.False(_pair.TryPost(entry));
                return;
            }

            // The slot is free now: writing it may not reach an operation that is still in flight.
            input.CopyTo(_arena.Input(index, ModulusBytes));
            Assert.True(_pair.TryPost(entry));
            _expected.Enqueue((index, tag, key, input));
            Posted++;
            _unrung++;
        }

        private void Ring()
        {
            DoorbellsSaved += Math.Max(0, _unrung - 1);
            _unrung = 0;
            _pair.Ring();
        }

        private bool Reap()
        {
            ReapResult result = _pair.TryReap(out Completion completion);
            Assert.NotEqual(ReapResult.Broken, result);
            if (result == ReapResult.Empty)
            {
                return false;
            }

            (int index, ulong tag, int key, byte[] input) = _expected.Dequeue();
            Assert.Equal((index, tag, HpreError.None), (completion.Index, completion.Tag, completion.Error));
            Assert.InRange(completion.BatchSize, 1, 8);
            byte[] right = new byte[ModulusBytes];
            MarkingEngine.Compute(_keyBlocks[key], input, right);
            Assert.True(_arena.Output(index, ModulusBytes).SequenceEqual(right), $"operation {Reaped} has another result");
            Reaped++;
            return true;
        }

        /// <summary>Fetch, compute, complete, each as a step of its own.</summary>
        private void StepEngine(int number)
        {
            DeviceEngine engine = _accelerator.Engines[number];
            switch (_phaseOfEngine[number])
            {
                case 0:
                    _phaseOfEngine[number] = engine.Fetch() ? 1 : 0;
                    break;
                case 1:
                    engine.Execute();
                    _phaseOfEngine[number] = 2;
                    break;
                default:
                    engine.Complete();
                    _phaseOfEngine[number] = 0;
                    break;
            }
        }
    }
}
