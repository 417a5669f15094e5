namespace WarpProxy.LoadTest.Reports;

/// <summary>Places values along one direction of a chart.</summary>
/// <param name="from">The value at the beginning.</param>
/// <param name="to">The value at the end; above <paramref name="from"/>.</param>
/// <param name="begin">Where the beginning is drawn.</param>
/// <param name="end">Where the end is drawn.</param>
/// <param name="isLogarithmic">Whether equal ratios have equal lengths; values are then above zero.</param>
internal sealed class ChartAxis(double from, double to, double begin, double end, bool isLogarithmic = false)
{
    private const int MaxSteps = 6;

    /// <summary>Where a value is drawn; those beyond the ends stay at the ends.</summary>
    public double At(double value) => begin + ((end - begin) * Math.Clamp((Scale(value) - Scale(from)) / (Scale(to) - Scale(from)), 0, 1));

    /// <summary>Round values between the ends, a handful.</summary>
    public IEnumerable<double> Ticks() => isLogarithmic ? LogarithmicTicks() : LinearTicks();

    /// <summary>From zero to the next round value above; where all values are zero, to one.</summary>
    public static ChartAxis FromZero(IEnumerable<double> values, double begin, double end)
    {
        double highest = values.DefaultIfEmpty(0).Max() is var value and > 0 ? value : 1;
        double step = Step(highest);
        return new(0, Math.Ceiling(highest / step) * step, begin, end);
    }

    /// <summary>From the 1, 2 or 5 below the lowest to the one above the highest.</summary>
    public static ChartAxis Logarithmic(IEnumerable<double> values, double begin, double end)
    {
        double[] positive = [.. values.Where(static value => value > 0)];
        (double lowest, double highest) = positive.Length == 0 ? (1, 10) : (positive.Min(), positive.Max());
        double from = RoundValues(lowest / 10, lowest).LastOrDefault(lowest);
        double to = RoundValues(highest, highest * 10).First();
        return new(from, to > from ? to : from * 10, begin, end, isLogarithmic: true);
    }

    private static double Step(double range)
    {
        double rough = range / MaxSteps;
        double power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return power * (rough / power <= 1 ? 1 : rough / power <= 2 ? 2 : rough / power <= 5 ? 5 : 10);
    }

    /// <summary>1, 2 and 5 of each power of ten within these limits, a little more than exactly.</summary>
    private static IEnumerable<double> RoundValues(double lowest, double highest)
    {
        const double Tolerance = 1e-9;
        for (int power = (int)Math.Floor(Math.Log10(lowest)); power <= Math.Ceiling(Math.Log10(highest)); power++)
        {
            foreach (int digit in (int[])[1, 2, 5])
            {
                double value = digit * Math.Pow(10, power);
                if (value >= lowest * (1 - Tolerance) && value <= highest * (1 + Tolerance))
                {
                    yield return value;
                }
            }
        }
    }

    private double Scale(double value) => isLogarithmic ? Math.Log10(Math.Max(value, double.Epsilon)) : value;

    private IEnumerable<double> LinearTicks()
    {
        double step = Step(to - from);
        for (int i = 0; from + (i * step) <= to + (step / 1000); i++)
        {
            yield return from + (i * step);
        }
    }

    private double[] LogarithmicTicks()
    {
        double[] all = [.. RoundValues(from, to)];
        return all.Length <= MaxSteps + 2 ? all : [.. all.Where(static value => Math.Abs(Math.Log10(value) - Math.Round(Math.Log10(value))) < 1e-6)];
    }
}
