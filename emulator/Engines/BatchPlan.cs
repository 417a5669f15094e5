using System.Globalization;

namespace WarpDrive.Engines;

/// <summary>What was measured of one key size, in microseconds of CPU time.</summary>
/// <param name="Scalar">One operation by the scalar engine.</param>
/// <param name="HalfPass">Up to half as many operations as the SIMD engine has lanes.</param>
/// <param name="FullPass">As many operations as it has lanes.</param>
public readonly record struct EngineTimes(double Scalar, double HalfPass, double FullPass)
{
    /// <summary>For people: <c>scalar 213 us, 4 together 401 us, 8 together 795 us</c>.</summary>
    /// <param name="lanes">Of the SIMD engine.</param>
    public string Describe(int lanes) => string.Create(
        CultureInfo.InvariantCulture, $"scalar {Scalar:0} us, {lanes / 2} together {HalfPass:0} us, {lanes} together {FullPass:0} us");
}

/// <summary>How operations of one size are computed, by their number: so many by the scalar engine, the rest in passes of the SIMD engine.</summary>
public sealed class BatchPlan
{
    // A pass leaves the clock of many CPUs low for a while, for whatever runs next, and measurements have noise: to be worth it, a
    // pass must save a twentieth.
    private const double WorthWhile = 0.95;

    private readonly int[] _scalarCounts;
    private readonly double[] _costs;

    private BatchPlan(int maxOperations, int passOperations, int[] scalarCounts, double[] costs)
    {
        MaxOperations = maxOperations;
        PassOperations = passOperations;
        _scalarCounts = scalarCounts;
        _costs = costs;
    }

    /// <summary>Every operation by the scalar engine.</summary>
    public static BatchPlan Scalar { get; } = new(1, 1, [0, 1], [0, 1]);

    /// <summary>The most operations planned together, the lanes of the SIMD engine; more of them are taken as several batches.</summary>
    public int MaxOperations { get; }

    /// <summary>The most operations to give the SIMD engine at once: its lanes, or half of them where two half passes take clearly less than a full one.</summary>
    public int PassOperations { get; }

    /// <summary>The fewest operations of which some go to the SIMD engine; null: none ever do.</summary>
    public int? SimdFrom => Enumerable.Range(1, MaxOperations).Cast<int?>().FirstOrDefault(count => _scalarCounts[count!.Value] < count);

    /// <summary>Every operation by the SIMD engine.</summary>
    /// <param name="lanes">Of that engine.</param>
    public static BatchPlan Simd(int lanes) =>
        new(lanes, lanes, new int[lanes + 1], [.. Enumerable.Range(0, lanes + 1).Select(count => count == 0 ? 0.0 : count <= lanes / 2 ? 1 : 2)]);

    /// <summary>The cheapest plan by what was measured.</summary>
    /// <param name="times">Of this size.</param>
    /// <param name="lanes">Of the SIMD engine.</param>
    public static BatchPlan FromTimes(EngineTimes times, int lanes)
    {
        // A full pass leaves the clock low once, two half passes twice: those too must save a twentieth.
        bool isFullPassBest = times.FullPass * WorthWhile <= 2 * times.HalfPass;
        double fullPass = isFullPassBest ? times.FullPass : 2 * times.HalfPass;
        var scalarCounts = new int[lanes + 1];
        var costs = new double[lanes + 1];
        for (int count = 1; count <= lanes; count++)
        {
            (scalarCounts[count], costs[count]) = (count, count * times.Scalar);
            double toBeat = costs[count] * WorthWhile;
            for (int scalar = 0; scalar < count; scalar++)
            {
                double cost = (scalar * times.Scalar) + (count - scalar <= lanes / 2 ? times.HalfPass : fullPass);
                if (cost < toBeat)
                {
                    toBeat = cost;
                    (scalarCounts[count], costs[count]) = (scalar, cost);
                }
            }
        }

        return new BatchPlan(lanes, isFullPassBest ? lanes : lanes / 2, scalarCounts, costs);
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
