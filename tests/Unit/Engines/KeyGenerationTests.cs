using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>Keys that the scalar engine makes of primes, against .NET's and against BigInteger.</summary>
public sealed class KeyGenerationTests : IDisposable
{
    private readonly ScalarEngine _engine = new();
    private readonly OperationBatch _batch = new(4, new byte[OperationBatch.StorageBytes(4)]);

    public void Dispose() => _engine.Dispose();

    [Theory, InlineData(1024), InlineData(2048), InlineData(3072), InlineData(4096)]
    public void Key_is_the_one_that_OpenSSL_makes_of_the_same_primes(int bits)
    {
        using RSA rsa = RSA.Create(bits);
        RSAParameters key = rsa.ExportParameters(includePrivateParameters: true);
        int k = bits / 8;
        int plain = Add(RsaAlgorithm.KeyGeneration, k, Number(key.Exponent), Number(key.P), Number(key.Q));
        int crt = Add(RsaAlgorithm.KeyGenerationCrt, k, Number(key.Exponent), Number(key.P), Number(key.Q));
        _engine.Execute(_batch);

        byte[] expected = [.. key.D!, .. key.Modulus!, .. key.InverseQ!, .. key.DQ!, .. key.DP!];
        Assert.Equal((RsaStatus.Done, RsaStatus.Done), (_batch[plain].Status, _batch[crt].Status));
        Assert.Equal(expected[..(2 * k)], _batch.Output(plain).ToArray());
        Assert.Equal(expected, _batch.Output(crt).ToArray());
    }

    [Theory, InlineData(128), InlineData(256), InlineData(384), InlineData(512)]
    public void Key_is_right_whichever_prime_is_the_larger_and_for_a_long_exponent(int modulusBytes)
    {
        EngineKey known = EngineKeys.OfBytes(modulusBytes);
        foreach (EngineKey key in (EngineKey[])[known, known.Exchanged])
        {
            // Exponents as long as the modulus, the second of them longer than what it is inverted by.
            foreach (BigInteger e in (BigInteger[])[65537, known.D, ((key.P - 1) * (key.Q - 1)) + 65537])
            {
                _batch.Clear();
                int index = Add(RsaAlgorithm.KeyGenerationCrt, modulusBytes, e, key.P, key.Q);
                _engine.Execute(_batch);
                Assert.Equal(RsaStatus.Done, _batch[index].Status);
                AssertIsKey(_batch.Key(index), _batch.Output(index), key);
            }
        }
    }

    [Theory]
    [InlineData("the exponent is 0", 0, 0, 0)]
    [InlineData("the exponent is even", 2, 0, 0)]
    [InlineData("p is even", 65537, -1, 0)]
    [InlineData("q is even", 65537, 0, -1)]
    public void Numbers_of_which_no_key_can_be_made_are_refused_and_leave_zeros(string what, int e, int addedToP, int addedToQ)
    {
        EngineKey key = EngineKeys.OfBytes(256);
        foreach (RsaAlgorithm algorithm in (RsaAlgorithm[])[RsaAlgorithm.KeyGeneration, RsaAlgorithm.KeyGenerationCrt])
        {
            AssertRefused(what, Add(algorithm, 256, e, key.P + addedToP, key.Q + addedToQ));
        }
    }

    [Fact]
    public void Zero_or_short_primes_are_refused()
    {
        EngineKey key = EngineKeys.OfBytes(256);
        AssertRefused("all is zero", Add(RsaAlgorithm.KeyGeneration, 256, 0, 0, 0));
        AssertRefused("p is 0", Add(RsaAlgorithm.KeyGenerationCrt, 256, 65537, 0, key.Q));
        _batch.Clear();
        AssertRefused("p is 1", Add(RsaAlgorithm.KeyGeneration, 256, 65537, 1, key.Q));
        AssertRefused("p is short", Add(RsaAlgorithm.KeyGeneration, 256, 65537, (key.P >> 16) | 1, key.Q));
    }

    [Fact]
    public void Equal_primes_have_no_coefficient_and_the_engine_makes_the_next_key()
    {
        EngineKey key = EngineKeys.OfBytes(256);
        AssertRefused("p is q", Add(RsaAlgorithm.KeyGenerationCrt, 256, 65537, key.P, key.P));
        int index = Add(RsaAlgorithm.KeyGenerationCrt, 256, 65537, key.P, key.Q);
        _engine.Execute(_batch);
        AssertIsKey(_batch.Key(index), _batch.Output(index), key);
    }

    [Fact]
    public void No_word_of_primes_or_of_made_keys_stays_in_memory()
    {
        // Odd numbers serve as primes, if only they have the inverses: nothing of them is anywhere else, as a BigInteger, for instance.
        int index = _batch.Add(RsaAlgorithm.KeyGenerationCrt, 256);
        Span<byte> key = _batch.Key(index);
        do
        {
            RandomNumberGenerator.Fill(key);
            foreach (int start in (ReadOnlySpan<int>)[0, 256, 384])
            {
                key[start] |= 0x80;
                key[start == 0 ? 255 : start + 127] |= 1;
            }

            _engine.Execute(_batch);
        }
        while (_batch[index].Status != RsaStatus.Done);

        // Again, since what the first run leaves and the second overwrites would be a matter of luck.
        _engine.Execute(_batch);
        Span<byte> made = _batch.Output(index);
        ProcessMemory.AssertAbsent(
        [
            MaskedWord(key.Slice(256, 128)), MaskedWord(key[384..]),
            MaskedWord(made[..256]), MaskedWord(made.Slice(512, 128)), MaskedWord(made.Slice(640, 128)), MaskedWord(made[768..]),
        ]);
    }

    /// <summary>The seventh 64-bit word of a number in the order of OpenSSL's numbers, which is not that of the batch; masked.</summary>
    private static ulong MaskedWord(ReadOnlySpan<byte> field) => BinaryPrimitives.ReadUInt64BigEndian(field[^56..]) ^ ProcessMemory.Mask;

    private static BigInteger Number(ReadOnlySpan<byte> bytes) => EngineKey.Number(bytes);

    /// <summary>By what a key has to do, and not by how it is made.</summary>
    private static void AssertIsKey(ReadOnlySpan<byte> numbers, ReadOnlySpan<byte> made, EngineKey key)
    {
        int k = key.ModulusBytes;
        BigInteger e = Number(numbers[..k]);
        BigInteger d = Number(made[..k]);
        BigInteger order = (key.P - 1) * (key.Q - 1);
        if (k >= 256)
        {
            order /= BigInteger.GreatestCommonDivisor(key.P - 1, key.Q - 1);
        }

        Assert.Equal(BigInteger.One, d * e % order);
        Assert.True(d < order, key.Text);
        Assert.Equal(key.N, Number(made.Slice(k, k)));
        Assert.Equal(BigInteger.One, Number(made.Slice(2 * k, k / 2)) * key.Q % key.P);
        Assert.Equal(d % (key.Q - 1), Number(made.Slice(5 * k / 2, k / 2)));
        Assert.Equal(d % (key.P - 1), Number(made.Slice(3 * k, k / 2)));
    }

    private int Add(RsaAlgorithm algorithm, int modulusBytes, BigInteger e, BigInteger p, BigInteger q)
    {
        int index = _batch.Add(algorithm, modulusBytes);
        EngineKey.Write(e, _batch.Key(index)[..modulusBytes]);
        EngineKey.Write(p, _batch.Key(index).Slice(modulusBytes, modulusBytes / 2));
        EngineKey.Write(q, _batch.Key(index)[(3 * modulusBytes / 2)..]);
        _batch.Output(index).Fill(0xA5);
        Assert.Equal(0, _batch.Input(index).Length);
        return index;
    }

    private void AssertRefused(string what, int index)
    {
        _engine.Execute(_batch);
        Assert.True(_batch[index].Status == RsaStatus.BadKey, $"{what}: {_batch[index].Status}");
        Assert.Equal(-1, _batch.Output(index).IndexOfAnyExcept((byte)0));
    }
}
