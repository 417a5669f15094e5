namespace WarpProxy.LoadTest.ConstantTime;

/// <summary>Welch's t of two samples: how many standard errors their means are apart, whatever their variances.</summary>
internal static class WelchTest
{
    /// <summary>t and the difference of the means, first less second; 0 when a sample has fewer than two values.</summary>
    public static (double T, double Difference) Compare(IEnumerable<long> first, IEnumerable<long> second)
    {
        (int n1, double mean1, double squares1) = Moments(first);
        (int n2, double mean2, double squares2) = Moments(second);
        if (n1 < 2 || n2 < 2 || mean1 == mean2)
        {
            return (0, 0);
        }

        double error = Math.Sqrt((squares1 / (n1 - 1) / n1) + (squares2 / (n2 - 1) / n2));
        return ((mean1 - mean2) / error, mean1 - mean2);
    }

    /// <summary>Count, mean and sum of squared distances from it, after Welford.</summary>
    private static (int Count, double Mean, double Squares) Moments(IEnumerable<long> values)
    {
        int count = 0;
        double mean = 0;
        double squares = 0;
        foreach (long value in values)
        {
            count++;
            double delta = value - mean;
            mean += delta / count;
            squares += delta * (value - mean);
        }

        return (count, mean, squares);
    }
}
