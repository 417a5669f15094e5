using System.Numerics;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>How operations of one batch stand side by side: every number of them, sizes mixed, good ones next to bad ones.</summary>
public sealed class SimdEngineBatchTests
{
    private const int Seed = 20260123;
    private const int MostOperations = 16;

    private static readonly int[] Sizes = [256, 384, 512];

    private readonly ExpectedBatch _batch = new(MostOperations);
    private readonly Random _random = new(Seed);

    [SimdTheory, WidthData(256, MostOperations), WidthData(384, 8), WidthData(512, 8)]
    public void Every_number_of_operations_of_one_size_is_computed(SimdWidth width, int modulusBytes, int most)
    {
        using var engine = new SimdEngine(width);
        for (int count = 1; count <= most; count++)
        {
            AssertComputed(engine, [.. Enumerable.Repeat(modulusBytes, count)]);
        }
    }

    [SimdTheory, WidthData]
    public void All_mixtures_of_three_operations_are_computed(SimdWidth width)
    {
        using var engine = new SimdEngine(width);
        for (int mixture = 0; mixture < 27; mixture++)
        {
            AssertComputed(engine, [Sizes[mixture % 3], Sizes[mixture / 3 % 3], Sizes[mixture / 9]]);
        }
    }

    [SimdTheory, WidthData]
    public void Random_mixtures_of_every_number_of_operations_are_computed(SimdWidth width)
    {
        using var engine = new SimdEngine(width);
        for (int count = 1; count <= MostOperations; count++)
        {
            AssertComputed(engine, [.. Enumerable.Range(0, count).Select(_ => Sizes[_random.Next(3)])]);
        }
    }

    [SimdTheory, WidthData]
    public void Empty_batch_is_computed(SimdWidth width)
    {
        using var engine = new SimdEngine(width);
        _batch.AssertComputedBy(engine);
        Assert.Equal(0, _batch.Batch.Count);
    }

    [SimdTheory, WidthData(256, new[] { 1, 2, 3, 4, 5, 6, 7, 8 }), WidthData(384, new[] { 3, 8 }), WidthData(512, new[] { 4, 6 })]
    public void Bad_keys_and_inputs_are_refused_and_leave_their_neighbours_right(SimdWidth width, int modulusBytes, int[] counts)
    {
        using var engine = new SimdEngine(width);
        foreach (int count in counts)
        {
            for (int bad = 0; bad < count; bad++)
            {
                // From one bad operation in each place to all but one.
                int alsoBad = _random.Next(1 << count) | (1 << bad);
                _batch.Clear();
                for (int i = 0; i < count; i++)
                {
                    if (((_random.Next(2) == 0 ? alsoBad : 1 << bad) >> i & 1) != 0)
                    {
                        AddBad(FreshKeys.At(modulusBytes, i), (bad + (3 * count) + i) % 12);
                    }
                    else
                    {
                        _batch.AddRandom(FreshKeys.At(modulusBytes, i), _random);
                    }
                }

                _batch.AssertComputedBy(engine);
            }
        }
    }

    [SimdTheory, WidthData]
    public void Batch_of_bad_operations_only_is_refused(SimdWidth width)
    {
        using var engine = new SimdEngine(width);
        for (int first = 0; first < 12; first += 4)
        {
            _batch.Clear();
            for (int i = 0; i < MostOperations; i++)
            {
                AddBad(FreshKeys.At(Sizes[i % 3], i), (first + (i / 3)) % 12);
            }

            _batch.AssertComputedBy(engine);
        }
    }

    private void AssertComputed(SimdEngine engine, int[] sizes)
    {
        _batch.Clear();
        for (int i = 0; i < sizes.Length; i++)
        {
            _batch.AddRandom(FreshKeys.At(sizes[i], i), _random);
        }

        _batch.AssertComputedBy(engine);
    }

    private void AddBad(EngineKey key, int kind)
    {
        BigInteger place = BigInteger.One << (4 * key.ModulusBytes);
        BigInteger small = (place >> 8) - 1;
        BigInteger input = kind switch
        {
            0 => key.N,
            1 => key.N + 1,
            2 => (place * place) - 1,
            _ => 0,
        };
        EngineKey bad = kind switch
        {
            < 3 => key,
            3 => key with { P = key.P - 1 },
            4 => key with { Q = key.Q - 1 },
            5 => key with { P = 0 },
            6 => key with { Q = 0 },
            7 => key with { P = small },
            8 => key with { Q = small },
            9 => key with { P = 1 },
            10 => key with { P = 0, Q = 0, Dp = 0, Dq = 0, Qinv = 0 },
            _ => key with { P = place - 2, Q = place - 2, Dp = place - 1, Dq = place - 1, Qinv = place - 1 },
        };
        _batch.AddRefused(bad, input, kind < 3 ? RsaStatus.BadInput : RsaStatus.BadKey);
    }
}
