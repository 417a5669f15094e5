using WarpDrive.Abi.Hpre;
using WarpDrive.Linux;

namespace WarpDrive.Driver;

/// <summary>How much memory a pool locks, as far as its options and its keys tell: what the limit of locked memory must allow.</summary>
public static class LockedBytes
{
    /// <summary>What the host locks of a queue pair when all these keys are written there.</summary>
    /// <param name="depth">Entries of the rings.</param>
    /// <param name="moduli">Bytes of each key's modulus; sizes that no device takes count nothing.</param>
    public static long OfQueue(int depth, IEnumerable<int> moduli) => DmaArena.LockedBytesOf(depth, Blocks(moduli).Sum(static bytes => (long)bytes));

    /// <summary>What the emulated device locks of it, which maps all at once.</summary>
    public static long OfQueueOnDevice(int depth) => DmaArena.LockedBytesOf(depth, long.MaxValue);

    /// <summary>What the keys take besides, wherever each of them has a place in a <see cref="SecretArena"/>.</summary>
    public static long OfKeys(IEnumerable<int> moduli) =>
        Blocks(moduli).GroupBy(static bytes => bytes).Sum(static size => SecretArena.MappedBytesOf(size.Key, size.Count()));

    private static IEnumerable<int> Blocks(IEnumerable<int> moduli) =>
        moduli.Where(RsaKeyBlock.IsSupportedModulus).Select(static bytes => RsaKeyBlock.SizeInBytes(HpreAlgorithm.RsaCrt, bytes));
}
