namespace WarpProxy.LoadTest.Fleet;

/// <summary>Random times.</summary>
internal static class Draw
{
    /// <summary>Exponentially distributed.</summary>
    public static double Exponential(Random random, double mean) => -mean * Math.Log(1 - random.NextDouble());

    /// <summary>
    /// A time that is never negative, by the gamma distribution: with a spread of 0 always the mean, with 1 exponential.
    /// </summary>
    /// <param name="random">Where chance comes from.</param>
    /// <param name="mean">Of the time.</param>
    /// <param name="spread">Standard deviation divided by the mean.</param>
    public static double Time(Random random, double mean, double spread)
    {
        if (spread == 0 || mean == 0)
        {
            return mean;
        }

        if (spread == 1)
        {
            return Exponential(random, mean);
        }

        double shape = 1 / (spread * spread);
        return mean / shape * Gamma(random, shape);
    }

    /// <summary>With a scale of 1, by the method of Marsaglia and Tsang (2000).</summary>
    private static double Gamma(Random random, double shape)
    {
        if (shape < 1)
        {
            return Gamma(random, shape + 1) * Math.Pow(1 - random.NextDouble(), 1 / shape);
        }

        double d = shape - (1.0 / 3);
        double c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double x = Normal(random);
            double v = 1 + (c * x);
            if (v <= 0)
            {
                continue;
            }

            v = v * v * v;
            if (Math.Log(1 - random.NextDouble()) < (0.5 * x * x) + d - (d * v) + (d * Math.Log(v)))
            {
                return d * v;
            }
        }
    }

    /// <summary>By the method of Box and Muller.</summary>
    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
