using System.Globalization;
using WarpDrive.Engines;

namespace WarpDrive.Emulator;

/// <summary>How many batches of one kind of operation had how many operations.</summary>
/// <param name="Algorithm">The computation.</param>
/// <param name="Bits">Of the modulus.</param>
/// <param name="Batches">By the number of operations; index 0 is unused.</param>
public sealed record BatchHistogram(RsaAlgorithm Algorithm, int Bits, IReadOnlyList<long> Batches)
{
    /// <summary>For people: <c>Crt 2048 bits: 12 of 1, 3 of 4, 97 of 8</c>.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Algorithm} {Bits} bits: {string.Join(", ", Batches.Index().Where(size => size.Item > 0).Select(size => FormattableString.Invariant($"{size.Item} of {size.Index}")))}");
}

/// <summary>Counts batches; written by one engine, read by any thread.</summary>
internal sealed class BatchCounts
{
    // The sizes that a batch can hold: 1024, 2048, 3072 and 4096 bits.
    private const int Sizes = 4;
    private const int SizeStepBytes = 128;

    // Longer batches than any engine of today has lanes are counted as the longest.
    private const int MaxOperations = 64;

    private static readonly int Algorithms = Enum.GetValues<RsaAlgorithm>().Length;

    private readonly long[] _counts = new long[Algorithms * Sizes * (MaxOperations + 1)];

    /// <summary>The sum over engines; kinds of which there was no batch are left out.</summary>
    public static IReadOnlyList<BatchHistogram> Sum(IEnumerable<BatchCounts> engines)
    {
        var sum = new long[Algorithms * Sizes * (MaxOperations + 1)];
        foreach (BatchCounts engine in engines)
        {
            for (int i = 0; i < sum.Length; i++)
            {
                sum[i] += Volatile.Read(ref engine._counts[i]);
            }
        }

        return
        [
            .. from algorithm in Enumerable.Range(0, Algorithms)
               from size in Enumerable.Range(0, Sizes)
               let row = sum[Row((RsaAlgorithm)algorithm, (size + 1) * SizeStepBytes)]
               let longest = Array.FindLastIndex(row, count => count > 0)
               where longest > 0
               select new BatchHistogram((RsaAlgorithm)algorithm, (size + 1) * SizeStepBytes * 8, row[..(longest + 1)]),
        ];
    }

    /// <summary>Counts a batch; its operations are of one kind.</summary>
    public void Count(OperationBatch batch)
    {
        ref long count = ref _counts[Row(batch[0].Algorithm, batch[0].ModulusBytes).Start.Value + Math.Min(batch.Count, MaxOperations)];
        Volatile.Write(ref count, count + 1);
    }

    private static Range Row(RsaAlgorithm algorithm, int modulusBytes)
    {
        int start = (((int)algorithm * Sizes) + (modulusBytes / SizeStepBytes) - 1) * (MaxOperations + 1);
        return start..(start + MaxOperations + 1);
    }
}
