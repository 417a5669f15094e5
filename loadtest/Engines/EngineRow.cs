namespace WarpProxy.LoadTest.Engines;

/// <summary>What the rounds say of one engine with one size of batch.</summary>
/// <param name="Engine"><c>openssl</c>, <c>scalar</c> or <c>simd</c>.</param>
/// <param name="Bits">Of the modulus.</param>
/// <param name="Batch">Operations computed together.</param>
/// <param name="OpsPerSecond">On one core; median of the rounds.</param>
/// <param name="RatioToOpenSsl">Median of the ratios of the rounds, each taken within its round.</param>
/// <param name="LowestRatio">Of one round.</param>
/// <param name="HighestRatio">Of one round.</param>
/// <param name="BatchLatencyMs">CPU time of one batch; median of the rounds.</param>
/// <param name="BreakEven">The fewest waiting operations that one pass computes sooner than OpenSSL one after the other; null when it never does.</param>
internal sealed record EngineRow(
    string Engine,
    int Bits,
    int Batch,
    double OpsPerSecond,
    double RatioToOpenSsl,
    double LowestRatio,
    double HighestRatio,
    double BatchLatencyMs,
    int? BreakEven)
{
    /// <summary>Sums rounds up.</summary>
    /// <param name="engine">For the row.</param>
    /// <param name="bits">For the row.</param>
    /// <param name="batch">Operations of one pass.</param>
    /// <param name="passCapacity">The most operations that take the time of this pass.</param>
    /// <param name="passTimes">CPU time of one pass in each round.</param>
    /// <param name="openSslTimes">CPU time of one operation of OpenSSL in the same rounds.</param>
    public static EngineRow FromRounds(
        string engine, int bits, int batch, int passCapacity, IReadOnlyList<TimeSpan> passTimes, IReadOnlyList<TimeSpan> openSslTimes)
    {
        double[] ratios = [.. passTimes.Zip(openSslTimes, (pass, openSsl) => batch * (openSsl / pass)).Order()];
        double ratio = Median(ratios);
        double seconds = Median([.. passTimes.Select(static time => time.TotalSeconds).Order()]);
        return new EngineRow(
            engine, bits, batch, batch / seconds, ratio, ratios[0], ratios[^1], seconds * 1000, FindBreakEven(batch / ratio, passCapacity));
    }

    /// <summary>The smallest number that is above the operations OpenSSL computes during a pass, if one pass can take so many.</summary>
    public static int? FindBreakEven(double openSslOperationsPerPass, int passCapacity)
    {
        double operations = Math.Floor(openSslOperationsPerPass) + 1;
        return operations <= passCapacity ? (int)operations : null;
    }

    /// <summary>Of sorted numbers, at least one.</summary>
    public static double Median(ReadOnlySpan<double> sorted) =>
        (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
}
