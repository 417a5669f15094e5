using System.Diagnostics;
using System.Numerics;
using WarpDrive.Engines;
using Xunit.Abstractions;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>
/// Computes a series of full batches, checks each number and writes the rate: the figures of <c>emulator/Engines/README.md</c>. The best
/// of five series on one thread, since other work on the machine only takes away.
/// </summary>
public sealed class EngineRateTests(ITestOutputHelper output)
{
    private const int Series = 5;
    private const int BatchSize = 8;

    [Theory]
    [InlineData(RsaAlgorithm.Crt, 128, 400)]
    [InlineData(RsaAlgorithm.Crt, 256, 200)]
    [InlineData(RsaAlgorithm.Crt, 384, 32)]
    [InlineData(RsaAlgorithm.Crt, 512, 16)]
    [InlineData(RsaAlgorithm.Plain, 128, 160)]
    [InlineData(RsaAlgorithm.Plain, 256, 32)]
    [InlineData(RsaAlgorithm.Plain, 384, 8)]
    [InlineData(RsaAlgorithm.Plain, 512, 8)]
    public void Series_of_full_batches_is_right_and_its_rate_is_written(RsaAlgorithm algorithm, int modulusBytes, int operations)
    {
        using var engine = new ScalarEngine();
        var batch = new OperationBatch(BatchSize, new byte[OperationBatch.StorageBytes(BatchSize)]);
        var random = new Random(modulusBytes);
        EngineKey key = EngineKeys.OfBytes(modulusBytes);
        BigInteger[] inputs = [.. Enumerable.Range(0, BatchSize).Select(_ => EngineKey.Below(key.N, modulusBytes, random))];
        foreach (BigInteger input in inputs)
        {
            _ = algorithm == RsaAlgorithm.Crt ? key.AddCrt(batch, input) : key.AddPlain(batch, key.D, input);
        }

        double best = 0;
        for (int series = 0; series < Series; series++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int done = 0; done < operations; done += BatchSize)
            {
                engine.Execute(batch);
            }

            best = Math.Max(best, operations / Stopwatch.GetElapsedTime(start).TotalSeconds);
            for (int index = 0; index < BatchSize; index++)
            {
                Assert.Equal(inputs[index], BigInteger.ModPow(EngineKey.Number(batch.Output(index)), key.E, key.N));
                batch.Output(index).Clear();
            }
        }

        output.WriteLine($"{engine.Name}: {algorithm} {modulusBytes * 8} bits with the private exponent, {best:F0} operations/s");
    }
}
