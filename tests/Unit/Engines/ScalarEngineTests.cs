using System.Numerics;
using System.Security.Cryptography;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

public sealed class ScalarEngineTests : IDisposable
{
    private const int Seed = 20180801;

    private readonly ScalarEngine _engine = new();
    private readonly OperationBatch _batch = NewBatch(16);
    private readonly Random _random = new(Seed);

    public void Dispose() => _engine.Dispose();

    [Fact]
    public void Name_tells_the_kind_and_the_version_of_OpenSSL() => Assert.Matches(@"^scalar \(OpenSSL 3\.\d+\.\d+.*\)$", _engine.Name);

    [Theory, InlineData(128), InlineData(256), InlineData(384), InlineData(512)]
    public void Crt_gives_the_private_power_whichever_prime_is_the_larger(int modulusBytes)
    {
        EngineKey key = EngineKeys.OfBytes(modulusBytes);
        EngineKey exchanged = key.Exchanged;
        Assert.NotEqual(key.P > key.Q, exchanged.P > exchanged.Q);
        for (int i = 0; i < 2; i++)
        {
            BigInteger input = EngineKey.Below(key.N, modulusBytes, _random);
            BigInteger expected = BigInteger.ModPow(input, key.D, key.N);
            AssertDone(key.AddCrt(_batch, input), expected);
            AssertDone(exchanged.AddCrt(_batch, input), expected);
        }
    }

    [Theory, InlineData(1024), InlineData(2048)]
    public void Crt_agrees_with_BigInteger_for_a_key_made_just_now(int bits)
    {
        using RSA rsa = RSA.Create(bits);
        EngineKey key = EngineKey.From(rsa);
        for (int i = 0; i < 4; i++)
        {
            BigInteger input = EngineKey.Below(key.N, bits / 8, _random);
            AssertDone(key.AddCrt(_batch, input), BigInteger.ModPow(input, key.D, key.N), rsa.ExportRSAPrivateKeyPem());
        }
    }

    [Theory, InlineData(128), InlineData(256), InlineData(384), InlineData(512)]
    public void Edge_inputs_give_the_private_power(int modulusBytes)
    {
        EngineKey key = EngineKeys.OfBytes(modulusBytes);
        foreach (EngineKey each in (EngineKey[])[key, key.Exchanged])
        {
            _batch.Clear();
            BigInteger[] inputs =
            [
                0, 1, 2, key.N - 1, key.N - 2,
                key.P, key.Q, key.P * 3, key.Q * 5, key.P * (key.Q - 1), key.Q * (key.P - 1),
            ];
            foreach (BigInteger input in inputs)
            {
                each.AddCrt(_batch, input);
            }

            _engine.Execute(_batch);
            for (int index = 0; index < inputs.Length; index++)
            {
                Assert.Equal(RsaStatus.Done, _batch[index].Status);

                // The public power takes the answer back to the input: cheap even for 4096 bits, and as strict for a permutation.
                BigInteger output = EngineKey.Number(_batch.Output(index));
                Assert.True(
                    output < key.N && BigInteger.ModPow(output, key.E, key.N) == inputs[index],
                    $"input {index} of {modulusBytes * 8} bits");
            }
        }
    }

    [Theory, InlineData(128), InlineData(256), InlineData(384), InlineData(512)]
    public void Crt_follows_the_formula_for_numbers_that_are_no_key(int modulusBytes)
    {
        BigInteger ones = (BigInteger.One << (4 * modulusBytes)) - 1;
        EngineKey nonsense = EngineKey.Nonsense(modulusBytes, _random);
        EngineKey[] keys =
        [
            nonsense,
            EngineKey.Nonsense(modulusBytes, _random),
            nonsense with { Dp = ones, Dq = ones, Qinv = ones },
            nonsense with { Dp = 1, Dq = 1, Qinv = 0 },
            nonsense with { P = ones, Q = ones - 2, Qinv = ones },
            nonsense with { Q = nonsense.P },

            // The smallest prime that still fills its half beside the largest: far apart in size.
            nonsense with { P = ones, Q = (BigInteger.One << ((4 * modulusBytes) - 7)) + 1 },
            nonsense with { P = (BigInteger.One << ((4 * modulusBytes) - 7)) + 1, Q = ones },
        ];
        foreach (EngineKey key in keys)
        {
            _batch.Clear();
            foreach (BigInteger input in (BigInteger[])[EngineKey.Below(key.N, modulusBytes, _random), key.N - 1])
            {
                AssertDone(key.AddCrt(_batch, input), key.CrtFormula(input));
            }
        }
    }

    [Theory, InlineData(128), InlineData(256), InlineData(384), InlineData(512)]
    public void Exponent_zero_gives_one(int modulusBytes)
    {
        EngineKey key = EngineKeys.OfBytes(modulusBytes) with { Dp = 0, Dq = 0 };
        foreach (BigInteger input in (BigInteger[])[0, 1, key.P, key.N - 1])
        {
            AssertDone(key.AddCrt(_batch, input), 1);
            AssertDone(key.AddPlain(_batch, 0, input), 1);
        }
    }

    [Fact]
    public void One_zero_exponent_and_one_other_follow_the_formula()
    {
        EngineKey key = EngineKeys.OfBytes(256);
        BigInteger input = EngineKey.Below(key.N, 256, _random);
        EngineKey noDp = key with { Dp = 0 };
        EngineKey noDq = key with { Dq = 0 };
        AssertDone(noDp.AddCrt(_batch, input), noDp.CrtFormula(input));
        AssertDone(noDq.AddCrt(_batch, input), noDq.CrtFormula(input));
    }

    [Theory, InlineData(128), InlineData(256), InlineData(384), InlineData(512)]
    public void Plain_raises_to_the_public_and_to_the_private_exponent(int modulusBytes)
    {
        EngineKey key = EngineKeys.OfBytes(modulusBytes);
        BigInteger input = EngineKey.Below(key.N, modulusBytes, _random);
        AssertDone(key.AddPlain(_batch, key.E, input), BigInteger.ModPow(input, key.E, key.N));
        AssertDone(key.AddPlain(_batch, key.D, input), BigInteger.ModPow(input, key.D, key.N));
        AssertDone(key.AddPlain(_batch, 1, input), input);
        AssertDone(key.AddPlain(_batch, 3, key.N - 1), key.N - 1);
        AssertDone(key.AddPlain(_batch, key.D, 0), 0);
    }

    [Fact]
    public void Plain_takes_an_exponent_and_a_modulus_of_ones_only()
    {
        BigInteger ones = (BigInteger.One << 1024) - 1;
        int index = _batch.Add(RsaAlgorithm.Plain, 128);
        _batch.Key(index).Fill(0xFF);
        EngineKey.Write(ones - 1, _batch.Input(index));
        AssertDone(index, ones - 1);
    }

    [Fact]
    public void Batch_of_all_sizes_algorithms_and_faults_is_computed_in_one_call()
    {
        var expected = new List<(RsaStatus Status, BigInteger Output)>();
        foreach (int modulusBytes in (int[])[512, 128, 384, 256])
        {
            EngineKey key = EngineKeys.OfBytes(modulusBytes);
            BigInteger output = EngineKey.Below(key.N, modulusBytes, _random);
            BigInteger input = BigInteger.ModPow(output, key.E, key.N);
            key.AddCrt(_batch, input);
            expected.Add((RsaStatus.Done, output));
            key.AddPlain(_batch, key.E, output);
            expected.Add((RsaStatus.Done, input));
            key.AddCrt(_batch, key.N);
            expected.Add((RsaStatus.BadInput, 0));
            (key with { P = key.P - 1 }).AddCrt(_batch, input);
            expected.Add((RsaStatus.BadKey, 0));
        }

        _engine.Execute(_batch);

        for (int index = 0; index < expected.Count; index++)
        {
            Assert.Equal(expected[index], (_batch[index].Status, EngineKey.Number(_batch.Output(index))));
        }
    }

    [Theory, InlineData(128), InlineData(256), InlineData(384), InlineData(512)]
    public void Input_that_is_not_below_the_modulus_is_refused(int modulusBytes)
    {
        EngineKey key = EngineKeys.OfBytes(modulusBytes);
        foreach (BigInteger input in (BigInteger[])[key.N, key.N + 1, (BigInteger.One << (8 * modulusBytes)) - 1])
        {
            AssertRefused(key.AddCrt(_batch, input), RsaStatus.BadInput);
            AssertRefused(key.AddPlain(_batch, key.E, input), RsaStatus.BadInput);
        }
    }

    [Theory, InlineData(128), InlineData(256), InlineData(384), InlineData(512)]
    public void Key_that_can_be_none_is_refused(int modulusBytes)
    {
        EngineKey key = EngineKeys.OfBytes(modulusBytes);
        BigInteger small = (BigInteger.One << ((4 * modulusBytes) - 8)) - 1;
        EngineKey[] keys =
        [
            key with { P = 0 }, key with { Q = 0 }, key with { P = 0, Q = 0 },
            key with { P = key.P - 1 }, key with { Q = key.Q - 1 },
            key with { P = 1 }, key with { Q = 1 }, key with { P = small }, key with { Q = small },
        ];
        foreach (EngineKey each in keys)
        {
            _batch.Clear();
            AssertRefused(each.AddCrt(_batch, 0), RsaStatus.BadKey);
            AssertRefused(each.AddPlain(_batch, key.E, 0), RsaStatus.BadKey);
        }

        _batch.Clear();
        AssertRefused(_batch.Add(RsaAlgorithm.Crt, modulusBytes), RsaStatus.BadKey);
        AssertRefused(_batch.Add(RsaAlgorithm.Plain, modulusBytes), RsaStatus.BadKey);
    }

    [Fact]
    public void Size_or_algorithm_unknown_to_the_engine_is_unsupported()
    {
        EngineKey key = EngineKeys.OfBytes(256);
        for (int i = 0; i < 4; i++)
        {
            key.AddCrt(_batch, 5);
        }

        _batch[0].ModulusBytes = 255;
        _batch[1].ModulusBytes = int.MaxValue;
        _batch[2].Algorithm = (RsaAlgorithm)7;
        _engine.Execute(_batch);
        Assert.Equal(RsaStatus.Unsupported, _batch[0].Status);
        Assert.Equal(RsaStatus.Unsupported, _batch[1].Status);
        Assert.Equal(RsaStatus.Unsupported, _batch[2].Status);
        Assert.Equal(RsaStatus.Done, _batch[3].Status);
    }

    [Fact]
    public void Nothing_managed_is_allocated_per_batch()
    {
        EngineKey key = EngineKeys.OfBytes(128);
        EngineKey large = EngineKeys.OfBytes(256);
        key.AddCrt(_batch, 2);
        key.AddPlain(_batch, key.E, 2);
        large.AddCrt(_batch, 2);
        key.AddCrt(_batch, key.N);
        _engine.Execute(_batch);
        _engine.Execute(_batch);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 50; i++)
        {
            _engine.Execute(_batch);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task Engines_on_threads_of_their_own_do_not_disturb_each_other()
    {
        EngineKey key = EngineKeys.OfBytes(128);
        int[] wrong = await Task.WhenAll(Enumerable.Range(0, 4).Select(number => Task.Run(() =>
        {
            using var engine = new ScalarEngine();
            OperationBatch batch = NewBatch(8);
            var random = new Random(Seed + number);
            int wrong = 0;
            for (int round = 0; round < 20; round++)
            {
                batch.Clear();
                BigInteger[] inputs = [.. Enumerable.Range(0, 8).Select(_ => EngineKey.Below(key.N, 128, random))];
                foreach (BigInteger input in inputs)
                {
                    key.AddCrt(batch, input);
                }

                engine.Execute(batch);
                for (int i = 0; i < inputs.Length; i++)
                {
                    wrong += BigInteger.ModPow(EngineKey.Number(batch.Output(i)), key.E, key.N) == inputs[i] ? 0 : 1;
                }
            }

            return wrong;
        })));
        Assert.All(wrong, count => Assert.Equal(0, count));
    }

    [Fact]
    public void Disposed_engine_refuses_to_compute_and_may_be_disposed_again()
    {
        var engine = new ScalarEngine();
        engine.Dispose();
        engine.Dispose();
        Assert.Throws<ObjectDisposedException>(() => engine.Execute(_batch));
    }

    private static OperationBatch NewBatch(int capacity) => new(capacity, new byte[OperationBatch.StorageBytes(capacity)]);

    private void AssertDone(int index, BigInteger expected, string key = "fixed")
    {
        _batch.Output(index).Fill(0xA5);
        _engine.Execute(_batch);
        Assert.Equal(RsaStatus.Done, _batch[index].Status);
        Assert.True(
            expected == EngineKey.Number(_batch.Output(index)),
            $"{_batch[index].Algorithm} {_batch[index].ModulusBytes * 8} bits, "
                + $"input {Convert.ToHexString(_batch.Input(index))}, seed {Seed}, key {key}");
    }

    private void AssertRefused(int index, RsaStatus expected)
    {
        _batch.Output(index).Fill(0xA5);
        _engine.Execute(_batch);
        Assert.Equal(expected, _batch[index].Status);
        Assert.Equal(-1, _batch.Output(index).IndexOfAnyExcept((byte)0));
    }
}
