using System.Diagnostics.CodeAnalysis;

namespace WarpDrive.Engines;

/// <summary>Measures both engines on this CPU, on the calling thread: about a third of a second of its CPU time.</summary>
internal static class EngineCalibration
{
    // The minimum of this many rounds, so that what disturbs one of them does not count; more as long as there is time.
    private const int MinRounds = 3;
    private const int MaxRounds = 20;
    private const int MaxWarmUpPasses = 4000;

    private static readonly TimeSpan EnoughTime = TimeSpan.FromMilliseconds(100);

    // The runtime compiles a method well only when it has been called for about a tenth of a second. Measured before that, the
    // SIMD engine looks half as fast as it is, and OpenSSL, which is compiled already, as fast as it is.
    private static readonly TimeSpan WarmUpTime = TimeSpan.FromMilliseconds(200);

    /// <summary>The sizes measured, in bits: those that the SIMD engine computes.</summary>
    public static ReadOnlySpan<int> Sizes => [2048, 3072, 4096];

    /// <summary>Measures. Sizes and engines alternate, so that a slow moment of the machine hits all of them alike.</summary>
    /// <param name="scalar">In nobody else's use meanwhile.</param>
    /// <param name="simd">In nobody else's use meanwhile.</param>
    /// <param name="readClock">CPU time of this thread.</param>
    /// <param name="times">One for each of <see cref="Sizes"/>.</param>
    /// <param name="failure">An operation was not computed; a sentence.</param>
    public static bool TryMeasure(
        ISelectiveEngine scalar, ISelectiveEngine simd, Func<TimeSpan> readClock, out EngineTimes[] times, [NotNullWhen(false)] out string? failure)
    {
        int lanes = simd.Lanes;
        var batch = new OperationBatch(lanes, new byte[OperationBatch.StorageBytes(lanes)]);
        int[] operations = [.. Enumerable.Range(0, lanes)];
        times = new EngineTimes[Sizes.Length];
        Array.Fill(times, new EngineTimes(double.MaxValue, double.MaxValue, double.MaxValue));
        failure = null;
        Fill(batch, Sizes[0]);
        TimeSpan start = readClock();
        for (int pass = 0; pass < MaxWarmUpPasses && readClock() - start < WarmUpTime; pass++)
        {
            simd.Execute(batch, operations.AsSpan(0, 1));
        }

        start = readClock();
        for (int round = 0; round < MinRounds || (round < MaxRounds && readClock() - start < EnoughTime); round++)
        {
            for (int size = 0; size < Sizes.Length; size++)
            {
                Fill(batch, Sizes[size]);

                // The shortest times are the most easily disturbed, and the cheapest to take again.
                for (int repeat = 0; repeat < (size == 0 ? 3 : 1); repeat++)
                {
                    // Twice: right after a pass, the clock may be low.
                    EngineTimes best = times[size];
                    double one = Math.Min(Time(scalar, 1), Time(scalar, 1));
                    times[size] = new EngineTimes(
                        Math.Min(best.Scalar, one),
                        Math.Min(best.HalfPass, Time(simd, lanes / 2)),
                        Math.Min(best.FullPass, Time(simd, lanes)));
                }

                failure = FindFailure(batch, simd);
                if (failure is not null)
                {
                    return false;
                }
            }
        }

        return true;

        double Time(ISelectiveEngine engine, int count)
        {
            TimeSpan before = readClock();
            engine.Execute(batch, operations.AsSpan(0, count));
            return (readClock() - before).TotalMicroseconds;
        }
    }

    private static void Fill(OperationBatch batch, int bits)
    {
        KnownAnswer answer = Array.Find(KnownAnswer.All, answer => answer.Input.Length * 8 == bits)!;
        batch.Clear();
        for (int count = 0; count < batch.Capacity; count++)
        {
            int index = batch.Add(RsaAlgorithm.Crt, bits / 8);
            answer.CrtKey.CopyTo(batch.Key(index));
            answer.Input.CopyTo(batch.Input(index));
        }
    }

    private static string? FindFailure(OperationBatch batch, ISelectiveEngine engine)
    {
        for (int index = 0; index < batch.Count; index++)
        {
            if (batch[index].Status != RsaStatus.Done)
            {
                return $"{engine.Name}: RSA-{batch[index].ModulusBytes * 8}, operation {index + 1} of {batch.Count}: it ended as {batch[index].Status}.";
            }
        }

        return null;
    }
}
