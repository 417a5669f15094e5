using System.Numerics;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>That a number depends on the operation alone: not on the engine, the lane, or what stands beside it.</summary>
public sealed class EngineAgreementTests : IDisposable
{
    private const int Seed = 20260124;

    private readonly ScalarEngine _scalar = new();
    private readonly ExpectedBatch _batch = new(8);
    private readonly Random _random = new(Seed);

    public void Dispose() => _scalar.Dispose();

    [SimdTheory, WidthData(256, new[] { 1, 2, 3, 4, 5, 6, 7, 8 }), WidthData(384, new[] { 3, 8 }), WidthData(512, new[] { 4, 6 })]
    public void Number_depends_neither_on_the_lane_nor_on_the_neighbours(SimdWidth width, int modulusBytes, int[] counts)
    {
        using var engine = new SimdEngine(width);
        EngineKey key = EngineKey.Nonsense(modulusBytes, _random);
        BigInteger input = EngineKey.Below(key.N, modulusBytes, _random);
        OperationBatch batch = _batch.Batch;
        byte[]? first = null;
        foreach (int count in counts)
        {
            for (int place = 0; place < count; place++)
            {
                batch.Clear();
                for (int i = 0; i < count; i++)
                {
                    EngineKey neighbour = i == place ? key : EngineKey.Nonsense(modulusBytes, _random);
                    neighbour.AddCrt(batch, i == place ? input : EngineKey.Below(neighbour.N, modulusBytes, _random));
                }

                engine.Execute(batch);
                first ??= batch.Output(place).ToArray();
                Assert.True(batch.Output(place).SequenceEqual(first), $"{place} of {count}, seed {Seed}, {key.Text}");
            }
        }
    }

    [SimdTheory, WidthData(256, 250), WidthData(384, 50), WidthData(512, 20)]
    public void Scalarengine_gives_the_same_bytes_and_statuses(SimdWidth width, int modulusBytes, int batches)
    {
        using var engine = new SimdEngine(width);
        for (int round = 0; round < batches; round++)
        {
            _batch.Clear();
            OperationBatch batch = _batch.Batch;
            int count = round % 3 == 0 ? engine.HalfLanes : engine.Lanes;
            for (int i = 0; i < count; i++)
            {
                EngineKey key = Wrong(FreshKeys.At(modulusBytes, i + round), _random.Next(8));
                BigInteger input = EngineKey.Below(_random.Next(16) == 0 ? key.N << 1 : key.N, modulusBytes, _random);
                key.AddCrt(batch, input % (BigInteger.One << (8 * modulusBytes)));
            }

            AssertSameAsScalar(engine, batch);
        }
    }

    [SimdTheory, WidthData(256, 8), WidthData(384, 4), WidthData(512, 2)]
    public void Coefficient_that_does_not_belong_to_the_primes_follows_the_formula(SimdWidth width, int modulusBytes, int batches)
    {
        using var engine = new SimdEngine(width);
        for (int round = 0; round < batches; round++)
        {
            _batch.Clear();
            for (int i = 0; i < (round % 2 == 0 ? engine.Lanes : engine.HalfLanes); i++)
            {
                EngineKey key = i % 2 == 0 ? EngineKey.Nonsense(modulusBytes, _random) : FreshKeys.At(modulusBytes, i);
                _batch.Add(key with { Qinv = Garbage(key) }, EngineKey.Below(key.N, modulusBytes, _random));
            }

            _batch.AssertComputedBy(engine);
        }
    }

    /// <summary>A key, or one of the right form whose exponents do not belong to it.</summary>
    private EngineKey Wrong(EngineKey key, int kind) => kind switch
    {
        0 => key with { Dp = Garbage(key), Dq = Garbage(key) },
        1 => key with { Dp = Garbage(key) },
        2 => key with { Dq = Garbage(key) },
        3 => key with { Qinv = Garbage(key) },
        4 => EngineKey.Nonsense(key.ModulusBytes, _random),
        _ => key,
    };

    private BigInteger Garbage(EngineKey key) => EngineKey.Below(BigInteger.One << (4 * key.ModulusBytes), key.ModulusBytes / 2, _random);

    private void AssertSameAsScalar(SimdEngine engine, OperationBatch batch)
    {
        engine.Execute(batch);
        byte[][] outputs = [.. Enumerable.Range(0, batch.Count).Select(index => batch.Output(index).ToArray())];
        RsaStatus[] statuses = [.. Enumerable.Range(0, batch.Count).Select(index => batch[index].Status)];
        _scalar.Execute(batch);
        for (int index = 0; index < batch.Count; index++)
        {
            Assert.True(
                batch[index].Status == statuses[index] && batch.Output(index).SequenceEqual(outputs[index]),
                $"operation {index} of {batch.Count}, {statuses[index]}, scalar {batch[index].Status}: "
                    + $"key {Convert.ToHexString(batch.Key(index))}, input {Convert.ToHexString(batch.Input(index))}, "
                    + $"{Convert.ToHexString(outputs[index])}, scalar {Convert.ToHexString(batch.Output(index))}, seed {Seed}");
        }
    }
}
