using WarpDrive.Abi.Hpre;
using WarpDrive.Driver;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>A key of the pool, and what is known of it: its block, and so every right answer of a <see cref="MarkingEngine"/>.</summary>
internal sealed class SimulatedKey : IDisposable
{
    private readonly byte[] _right;

    public SimulatedKey(QueuePool pool, int number, int modulusBytes, Random random)
    {
        Number = number;
        ModulusBytes = modulusBytes;
        Block = new byte[RsaKeyBlock.SizeInBytes(HpreAlgorithm.RsaCrt, modulusBytes)];
        random.NextBytes(Block);
        _right = new byte[modulusBytes];
        Key = pool.CreateKey(Block, modulusBytes, IsRight);
    }

    public int Number { get; }

    public int ModulusBytes { get; }

    public byte[] Block { get; }

    public DeviceKey Key { get; }

    /// <summary>Lanes that have an operation with it under way.</summary>
    public int Users { get; set; }

    public void Dispose() => Key.Dispose();

    public bool IsRight(ReadOnlySpan<byte> input, ReadOnlySpan<byte> result)
    {
        MarkingEngine.Compute(Block, input, _right);
        return result.SequenceEqual(_right);
    }
}
