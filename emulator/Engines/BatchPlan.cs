using System.Globalization;

namespace WarpDrive.Engines;

/// <summary>What was measured of one key size, in microseconds of CPU time.</summary>
/// <param name="Scalar">One operation by the scalar engine.</param>
/// <param name="HalfPass">Up to four operations by the SIMD engine.</param>
/// <param name="FullPass">Five to eight operations by the SIMD engine.</param>
public readonly record struct EngineTimes(double Scalar, double HalfPass, double FullPass)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"scalar {Scalar:0} us, 4 together {HalfPass:0} us, 8 together {FullPass:0} us");
}

/// <summary>How operations of one size are computed, by their number: so many by the scalar engine, the rest in passes of the SIMD engine.</summary>
public sealed class BatchPlan
{
    /// <summary>The most operations planned together; more of them are taken as several batches.</summary>
    public const int MaxOperations = 8;

    private const int HalfPassOperations = 4;

    // A pass leaves the clock of many CPUs low for a while, for whatever runs next, and measurements have noise: to be worth it, a
    // pass must save a twentieth.
    private const double WorthWhile = 0.95;

    private readonly int[] _scalarCounts;
    private readonly double[] _costs;

    private BatchPlan(int passOperations, int[] scalarCounts, double[] costs)
    {
        PassOperations = passOperations;
        _scalarCounts = scalarCounts;
        _costs = costs;
    }

    /// <summary>Every operation by the scalar engine.</summary>
    public static BatchPlan Scalar { get; } =
        new(MaxOperations, [.. Enumerable.Range(0, MaxOperations + 1)], [.. Enumerable.Range(0, MaxOperations + 1).Select(count => (double)count)]);

    /// <summary>Every operation by the SIMD engine.</summary>
    public static BatchPlan Simd { get; } =
        new(MaxOperations, new int[MaxOperations + 1], [0, 1, 1, 1, 1, 2, 2, 2, 2]);

    /// <summary>The most operations to give the SIMD engine at once: eight, or four where two half passes take clearly less than a full one.</summary>
    public int PassOperations { get; }

    /// <summary>The fewest operations of which some go to the SIMD engine; null: none ever do.</summary>
    public int? SimdFrom => Enumerable.Range(1, MaxOperations).Cast<int?>().FirstOrDefault(count => _scalarCounts[count!.Value] < count);

    /// <summary>The cheapest plan by what was measured.</summary>
    public static BatchPlan FromTimes(EngineTimes times)
    {
        // A full pass leaves the clock low once, two half passes twice: those too must save a twentieth.
        bool isFullPassBest = times.FullPass * WorthWhile <= 2 * times.HalfPass;
        double fullPass = isFullPassBest ? times.FullPass : 2 * times.HalfPass;
        var scalarCounts = new int[MaxOperations + 1];
        var costs = new double[MaxOperations + 1];
        for (int count = 1; count <= MaxOperations; count++)
        {
            (scalarCounts[count], costs[count]) = (count, count * times.Scalar);
            double toBeat = costs[count] * WorthWhile;
            for (int scalar = 0; scalar < count; scalar++)
            {
                double cost = (scalar * times.Scalar) + (count - scalar <= HalfPassOperations ? times.HalfPass : fullPass);
                if (cost < toBeat)
                {
                    toBeat = cost;
                    (scalarCounts[count], costs[count]) = (scalar, cost);
                }
            }
        }

        return new BatchPlan(isFullPassBest ? MaxOperations : HalfPassOperations, scalarCounts, costs);
    }

    /// <summary>How many of <paramref name="operations"/> (0 to <see cref="MaxOperations"/>) the scalar engine computes.</summary>
    public int ScalarCount(int operations) => _scalarCounts[operations];

    /// <summary>What any number of operations costs: microseconds where they were measured, else some unit of the plan's own.</summary>
    public double Cost(int operations) =>
        (operations / MaxOperations * _costs[MaxOperations]) + _costs[operations % MaxOperations];

    /// <summary>
    /// Of so many that wait, how many to take at once: one where all would be scalar, else a pass without those that the plan computes
    /// beside it. The rest comes next, at the same cost, and may have found company by then.
    /// </summary>
    public int Portion(int waiting)
    {
        int operations = Math.Min(waiting, MaxOperations);
        int together = operations - ScalarCount(operations);
        return together == 0 ? Math.Min(operations, 1) : Math.Min(together, PassOperations);
    }
}
