using System.Numerics;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>The numbers of the SIMD engine, with different operations in all lanes wherever a test does not say otherwise.</summary>
public sealed class SimdEngineTests
{
    private const int Seed = 20260122;

    private readonly ExpectedBatch _batch = new(64);
    private readonly Random _random = new(Seed);

    [SimdTheory, WidthData]
    public void Engine_passes_its_self_test(SimdWidth width)
    {
        using var engine = new SimdEngine(width);
        Assert.True(EngineSelfTest.Run(engine, out string? failure), failure);
    }

    /// <summary>What the other tests compare with is itself compared, once, with the definition of the private power.</summary>
    [Theory, InlineData(256), InlineData(384), InlineData(512)]
    public void Formula_by_remainders_is_the_private_power(int modulusBytes)
    {
        EngineKey key = FreshKeys.OfBytes(modulusBytes)[0];
        BigInteger input = EngineKey.Below(key.N, modulusBytes, _random);
        Assert.Equal(BigInteger.ModPow(input, key.D, key.N), key.CrtFormula(input));
        Assert.Equal(input, BigInteger.ModPow(key.CrtFormula(input), key.E, key.N));
        foreach (EngineKey uneven in FreshKeys.UnevenOfBytes(modulusBytes).Take(1))
        {
            Assert.Equal(BigInteger.ModPow(input % uneven.N, uneven.D, uneven.N), uneven.CrtFormula(input % uneven.N));
        }
    }

    [SimdTheory, WidthData(256, 40), WidthData(384, 15), WidthData(512, 8)]
    public void Random_inputs_of_fresh_keys_give_the_private_power_with_a_key_of_its_own_in_each_lane(SimdWidth width, int modulusBytes, int batches)
    {
        using var engine = new SimdEngine(width);
        EngineKey[] keys = [.. FreshKeys.OfBytes(modulusBytes), .. FreshKeys.UnevenOfBytes(modulusBytes)];
        for (int i = 0; i < batches; i++)
        {
            _batch.Clear();

            // Full batches and half ones, the first of each by the formula.
            int count = i % 2 == 0 ? engine.Lanes : engine.HalfLanes;
            for (int lane = 0; lane < count; lane++)
            {
                EngineKey key = keys[(i + lane) % keys.Length];
                if (i < 4)
                {
                    _batch.Add(key, EngineKey.Below(key.N, modulusBytes, _random));
                }
                else
                {
                    _batch.AddRandom(key, _random);
                }
            }

            _batch.AssertComputedBy(engine);
        }
    }

    [SimdTheory, WidthData(256), WidthData(384), WidthData(512)]
    public void Edge_inputs_give_the_private_power_for_primes_of_equal_and_of_unequal_size(SimdWidth width, int modulusBytes)
    {
        using var engine = new SimdEngine(width);
        // The larger sizes with the most unequal primes only.
        EngineKey[] uneven = FreshKeys.UnevenOfBytes(modulusBytes);
        EngineKey[] keys = [FreshKeys.OfBytes(modulusBytes)[0], .. modulusBytes == 256 ? uneven : uneven[2..]];
        foreach (EngineKey key in keys)
        {
            _batch.Clear();
            foreach (BigInteger input in EdgeInputs(key))
            {
                _batch.Add(key, input);
            }

            _batch.AssertComputedBy(engine);
        }
    }

    [SimdTheory, WidthData(256), WidthData(384), WidthData(512)]
    public void Half_a_batch_of_edge_inputs_gives_the_private_power(SimdWidth width, int modulusBytes)
    {
        using var engine = new SimdEngine(width);
        EngineKey[] keys = [.. FreshKeys.OfBytes(modulusBytes)[..2], .. FreshKeys.UnevenOfBytes(modulusBytes)[2..]];
        for (int first = 0; first < 12; first += engine.HalfLanes)
        {
            _batch.Clear();
            for (int lane = 0; lane < engine.HalfLanes; lane++)
            {
                _batch.Add(keys[lane], EdgeInputs(keys[lane])[(first + lane) % 12]);
            }

            _batch.AssertComputedBy(engine);
        }
    }

    [SimdTheory, WidthData(256), WidthData(384), WidthData(512)]
    public void Coefficient_that_is_not_reduced_gives_the_same_number(SimdWidth width, int modulusBytes)
    {
        using var engine = new SimdEngine(width);
        BigInteger limit = BigInteger.One << (4 * modulusBytes);
        int unreduced = 0;
        foreach (EngineKey key in FreshKeys.UnevenOfBytes(modulusBytes))
        {
            // As often as it fits: many times where p is short.
            BigInteger most = (limit - 1 - key.Qinv) / key.P;
            foreach (BigInteger times in new[] { most, BigInteger.Min(most, 1) }.Distinct())
            {
                _batch.Add(key with { Qinv = key.Qinv + (times * key.P) }, EngineKey.Below(key.N, modulusBytes, _random));
                unreduced += times > 0 ? 1 : 0;
            }
        }

        Assert.True(unreduced >= 2);
        _batch.AssertComputedBy(engine);
    }

    [SimdTheory, WidthData(256), WidthData(384), WidthData(512)]
    public void Exponents_of_zeros_ones_and_single_bits_follow_the_formula(SimdWidth width, int modulusBytes)
    {
        using var engine = new SimdEngine(width);
        EngineKey key = FreshKeys.OfBytes(modulusBytes)[0];
        BigInteger ones = (BigInteger.One << (4 * modulusBytes)) - 1;
        BigInteger top = BigInteger.One << ((4 * modulusBytes) - 1);
        BigInteger[] exponents = [0, 1, 2, 15, 16, top, ones, ones - 1];
        for (int i = 0; i < exponents.Length; i++)
        {
            EngineKey each = key with { Dp = exponents[i], Dq = exponents[(i + 3) % exponents.Length] };
            _batch.Add(each, EngineKey.Below(key.N, modulusBytes, _random));
            _batch.Add(each, i == 0 ? 0 : key.P * i);
        }

        _batch.AssertComputedBy(engine);
    }

    [SimdTheory, WidthData(256), WidthData(384), WidthData(512)]
    public void Largest_and_smallest_numbers_that_p_and_q_may_be_follow_the_formula(SimdWidth width, int modulusBytes)
    {
        using var engine = new SimdEngine(width);
        // qinv 0 gives the remainder modulo q alone, qinv 1 the plain difference.
        BigInteger ones = (BigInteger.One << (4 * modulusBytes)) - 1;
        BigInteger small = (BigInteger.One << ((4 * modulusBytes) - 7)) + 1;
        BigInteger half = (ones / 2) + 2;
        foreach ((BigInteger p, BigInteger q) in new[] { (ones, ones - 2), (ones - 2, ones), (ones, small), (small, ones), (half, ones), (ones, ones) })
        {
            EngineKey key = new(modulusBytes, p, q, ones, ones - 1, 0, 0, 0);
            _batch.Add(key, key.N - 1);
            _batch.Add(key with { Qinv = 1 }, EngineKey.Below(key.N, modulusBytes, _random));
            _batch.Add(key with { Qinv = ones }, EngineKey.Below(key.N, modulusBytes, _random));
        }

        _batch.AssertComputedBy(engine);
    }

    [SimdTheory, WidthData]
    public void Operations_that_it_does_not_compute_are_unsupported_and_zero(SimdWidth width)
    {
        using var engine = new SimdEngine(width);
        EngineKey large = EngineKeys.OfBytes(256);
        OperationBatch batch = _batch.Batch;
        EngineKeys.OfBytes(128).AddCrt(batch, 5);
        large.AddCrt(batch, 1);
        large.AddPlain(batch, large.E, 5);
        large.AddCrt(batch, 1);
        large.AddCrt(batch, 1);
        batch[3].Algorithm = (RsaAlgorithm)7;
        foreach (int modulusBytes in (int[])[128, 384, 512])
        {
            EngineKey key = EngineKeys.OfBytes(modulusBytes);
            key.AddPlain(batch, key.E, 5);
        }

        for (int index = 0; index < batch.Count; index++)
        {
            batch.Output(index).Fill(0xA5);
        }

        engine.Execute(batch);
        for (int index = 0; index < batch.Count; index++)
        {
            bool done = index is 1 or 4;
            Assert.Equal(done ? RsaStatus.Done : RsaStatus.Unsupported, batch[index].Status);
            Assert.Equal(done ? 1 : 0, EngineKey.Number(batch.Output(index)));
        }
    }

    [SimdTheory, WidthData]
    public void Size_that_no_batch_has_is_unsupported(SimdWidth width)
    {
        using var engine = new SimdEngine(width);
        OperationBatch batch = _batch.Batch;
        EngineKeys.OfBytes(256).AddCrt(batch, 5);
        EngineKeys.OfBytes(256).AddCrt(batch, 1);
        batch[0].ModulusBytes = 255;
        engine.Execute(batch);
        Assert.Equal(RsaStatus.Unsupported, batch[0].Status);
        Assert.Equal(RsaStatus.Done, batch[1].Status);
    }

    private static BigInteger[] EdgeInputs(EngineKey key) =>
    [
        0, 1, 2, key.N - 1, key.N - 2, key.P, key.Q, key.P * 3, key.Q * 5, key.P * (key.Q - 1), key.Q * (key.P - 1), key.P * (key.Q / 2),
    ];
}
