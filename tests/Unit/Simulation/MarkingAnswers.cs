using WarpDrive.Abi.Hpre;
using WarpDrive.Driver;

namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>What a device with a <see cref="MarkingEngine"/> must answer before it gets work.</summary>
internal static class MarkingAnswers
{
    /// <summary>Of the shortest and the longest keys.</summary>
    public static readonly IReadOnlyList<KnownAnswer> All = [Create(1024), Create(4096)];

    private static KnownAnswer Create(int bits)
    {
        // No seed of a run, whose keys would be these.
        var random = new Random(int.MaxValue - bits);
        int bytes = bits / 8;
        byte[] block = new byte[RsaKeyBlock.SizeInBytes(HpreAlgorithm.RsaCrt, bytes)];
        byte[] pairs = new byte[4 * bytes];
        random.NextBytes(block);
        random.NextBytes(pairs);
        MarkingEngine.Compute(block, pairs.AsSpan(0, bytes), pairs.AsSpan(bytes, bytes));
        MarkingEngine.Compute(block, pairs.AsSpan(2 * bytes, bytes), pairs.AsSpan(3 * bytes, bytes));
        return new KnownAnswer(bits, block, pairs);
    }
}
