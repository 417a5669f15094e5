namespace WarpProxy.LoadTest.Compare;

/// <summary>Values of several rounds.</summary>
/// <param name="Median">The middle one, or the mean of the two in the middle.</param>
/// <param name="Lowest">The lowest.</param>
/// <param name="Highest">The highest.</param>
internal sealed record Spread(double Median, double Lowest, double Highest)
{
    /// <summary>Of these values in any order; null when there is none.</summary>
    public static Spread? Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length == 0 ? null
            : new Spread(sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2, sorted[0], sorted[^1]);
    }

    /// <summary>
    /// Of the ratios within each round: what slowed the machine down in a round slowed both. A round in which one of the two is missing, or
    /// the second is zero, is left out.
    /// </summary>
    /// <param name="values">By round.</param>
    /// <param name="others">By round; what they are compared with.</param>
    public static Spread? OfRatios(IEnumerable<KeyValuePair<int, double>> values, IEnumerable<KeyValuePair<int, double>> others)
    {
        Dictionary<int, double> byRound = new(others);
        return Of(values.Where(value => byRound.GetValueOrDefault(value.Key) != 0).Select(value => value.Value / byRound[value.Key]));
    }
}
