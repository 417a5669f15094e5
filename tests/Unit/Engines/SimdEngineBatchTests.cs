using System.Numerics;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>How operations of one batch stand side by side: every number of them, sizes mixed, good ones next to bad ones.</summary>
public sealed class SimdEngineBatchTests : IDisposable
{
    private const int Seed = 20260123;
    private const int MostOperations = 16;

    private static readonly int[] Sizes = [256, 384, 512];

    private readonly SimdEngine _engine = new();
    private readonly ScalarEngine _scalar = new();
    private readonly ExpectedBatch _batch = new(MostOperations);
    private readonly Random _random = new(Seed);

    public void Dispose()
    {
        _engine.Dispose();
        _scalar.Dispose();
    }

    [SimdTheory, InlineData(256), InlineData(384), InlineData(512)]
    public void Every_number_of_operations_of_one_size_is_computed(int modulusBytes)
    {
        for (int count = 1; count <= MostOperations; count++)
        {
            AssertComputed([.. Enumerable.Repeat(modulusBytes, count)]);
        }
    }

    [SimdFact]
    public void All_mixtures_of_up_to_four_sizes_are_computed()
    {
        for (int mixture = 0; mixture < 81; mixture++)
        {
            AssertComputed([Sizes[mixture % 3], Sizes[mixture / 3 % 3], Sizes[mixture / 9 % 3], Sizes[mixture / 27]]);
        }
    }

    [SimdFact]
    public void Random_mixtures_of_every_number_of_operations_are_computed()
    {
        for (int round = 0; round < 3; round++)
        {
            for (int count = 1; count <= MostOperations; count++)
            {
                AssertComputed([.. Enumerable.Range(0, count).Select(_ => Sizes[_random.Next(3)])]);
            }
        }
    }

    [SimdFact]
    public void Empty_batch_is_computed()
    {
        _batch.AssertComputedBy(_engine);
        Assert.Equal(0, _batch.Batch.Count);
    }

    [SimdTheory, InlineData(256), InlineData(384), InlineData(512)]
    public void Bad_keys_and_inputs_are_refused_and_leave_their_neighbours_right(int modulusBytes)
    {
        for (int count = 1; count <= 8; count++)
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
                        AddBad(Key(modulusBytes, i), (bad + (3 * count) + i) % 12);
                    }
                    else
                    {
                        _batch.AddRandom(Key(modulusBytes, i), _random);
                    }
                }

                _batch.AssertComputedBy(_engine);
            }
        }
    }

    [SimdFact]
    public void Batch_of_bad_operations_only_is_refused()
    {
        for (int first = 0; first < 12; first += 4)
        {
            _batch.Clear();
            for (int i = 0; i < MostOperations; i++)
            {
                AddBad(Key(Sizes[i % 3], i), (first + (i / 3)) % 12);
            }

            _batch.AssertComputedBy(_engine);
        }
    }

    [SimdTheory, InlineData(256), InlineData(384), InlineData(512)]
    public void Number_depends_neither_on_the_lane_nor_on_the_neighbours(int modulusBytes)
    {
        EngineKey key = EngineKey.Nonsense(modulusBytes, _random);
        BigInteger input = EngineKey.Below(key.N, modulusBytes, _random);
        OperationBatch batch = _batch.Batch;
        byte[]? first = null;
        for (int count = 1; count <= 8; count++)
        {
            for (int place = 0; place < count; place++)
            {
                batch.Clear();
                for (int i = 0; i < count; i++)
                {
                    EngineKey neighbour = i == place ? key : EngineKey.Nonsense(modulusBytes, _random);
                    neighbour.AddCrt(batch, i == place ? input : EngineKey.Below(neighbour.N, modulusBytes, _random));
                }

                _engine.Execute(batch);
                first ??= batch.Output(place).ToArray();
                Assert.True(batch.Output(place).SequenceEqual(first), $"{place} of {count}, seed {Seed}, {key.Text}");
            }
        }
    }

    [SimdTheory, InlineData(256, 250), InlineData(384, 60), InlineData(512, 30)]
    public void Scalar_engine_gives_the_same_bytes_and_statuses(int modulusBytes, int batches)
    {
        for (int round = 0; round < batches; round++)
        {
            _batch.Clear();
            OperationBatch batch = _batch.Batch;
            int count = round % 3 == 0 ? 4 : 8;
            for (int i = 0; i < count; i++)
            {
                EngineKey key = Wrong(Key(modulusBytes, i + round), _random.Next(8));
                BigInteger input = EngineKey.Below(_random.Next(16) == 0 ? key.N << 1 : key.N, modulusBytes, _random);
                key.AddCrt(batch, input % (BigInteger.One << (8 * modulusBytes)));
            }

            AssertSameAsScalar(batch);
        }
    }

    [SimdTheory, InlineData(256, 8), InlineData(384, 4), InlineData(512, 2)]
    public void Coefficient_that_does_not_belong_to_the_primes_follows_the_formula(int modulusBytes, int batches)
    {
        for (int round = 0; round < batches; round++)
        {
            _batch.Clear();
            for (int i = 0; i < (round % 2 == 0 ? 8 : 4); i++)
            {
                EngineKey key = i % 2 == 0 ? EngineKey.Nonsense(modulusBytes, _random) : Key(modulusBytes, i);
                _batch.AddWithAnyCoefficient(key with { Qinv = Garbage(key) }, EngineKey.Below(key.N, modulusBytes, _random));
            }

            _batch.AssertComputedBy(_engine);
        }
    }

    private static EngineKey Key(int modulusBytes, int index)
    {
        EngineKey[] even = FreshKeys.OfBytes(modulusBytes);
        EngineKey[] uneven = FreshKeys.UnevenOfBytes(modulusBytes);
        index %= even.Length + uneven.Length;
        return index < even.Length ? even[index] : uneven[index - even.Length];
    }

    private void AssertComputed(int[] sizes)
    {
        _batch.Clear();
        for (int i = 0; i < sizes.Length; i++)
        {
            _batch.AddRandom(Key(sizes[i], i), _random);
        }

        _batch.AssertComputedBy(_engine);
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

    /// <summary>A key, or one of the right form whose exponents do not belong to it.</summary>
    private EngineKey Wrong(EngineKey key, int kind) => kind switch
    {
        0 => key with { Dp = Garbage(key), Dq = Garbage(key) },
        1 => key with { Dp = Garbage(key) },
        2 => key with { Dq = Garbage(key) },
        3 or 4 => EngineKey.NonsenseWithCoefficient(key.ModulusBytes, _random),
        _ => key,
    };

    private BigInteger Garbage(EngineKey key) => EngineKey.Below(BigInteger.One << (4 * key.ModulusBytes), key.ModulusBytes / 2, _random);

    private void AssertSameAsScalar(OperationBatch batch)
    {
        _engine.Execute(batch);
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
