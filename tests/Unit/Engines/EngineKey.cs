using System.Numerics;
using System.Security.Cryptography;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>A key as numbers, its key blocks, and what it must compute according to BigInteger.</summary>
internal sealed record EngineKey(
    int ModulusBytes, BigInteger P, BigInteger Q, BigInteger Dp, BigInteger Dq, BigInteger Qinv, BigInteger D, BigInteger E)
{
    public BigInteger N => P * Q;

    /// <summary>The same modulus with p and q exchanged.</summary>
    public EngineKey Exchanged => this with { P = Q, Q = P, Dp = Dq, Dq = Dp, Qinv = BigInteger.ModPow(P, Q - 2, Q) };

    public static EngineKey FromPem(string pem)
    {
        using RSA rsa = RSA.Create();
        rsa.ImportFromPem(pem);
        return From(rsa);
    }

    public static EngineKey From(RSA rsa)
    {
        RSAParameters key = rsa.ExportParameters(includePrivateParameters: true);
        return new EngineKey(
            rsa.KeySize / 8,
            Number(key.P),
            Number(key.Q),
            Number(key.DP),
            Number(key.DQ),
            Number(key.InverseQ),
            Number(key.D),
            Number(key.Exponent));
    }

    /// <summary>Numbers of the form of a key that are none: p and q are odd and full, and nothing belongs to anything.</summary>
    public static EngineKey Nonsense(int modulusBytes, Random random)
    {
        int half = modulusBytes / 2;
        BigInteger top = BigInteger.One << ((8 * half) - 1);
        BigInteger Half() => Below(BigInteger.One << (8 * half), half, random);
        return new EngineKey(modulusBytes, Half() | top | 1, Half() | top | 1, Half(), Half(), Half(), 0, 0);
    }

    public static BigInteger Number(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    /// <summary>A random number of up to <paramref name="bytes"/> bytes, taken modulo <paramref name="limit"/>.</summary>
    public static BigInteger Below(BigInteger limit, int bytes, Random random)
    {
        byte[] drawn = new byte[bytes + 8];
        random.NextBytes(drawn);
        return Number(drawn) % limit;
    }

    public static void Write(BigInteger number, Span<byte> field)
    {
        field.Clear();
        int length = number.GetByteCount(isUnsigned: true);
        Assert.True(number.TryWriteBytes(field[^length..], out _, isUnsigned: true, isBigEndian: true));
    }

    public int AddCrt(OperationBatch batch, BigInteger input)
    {
        int index = batch.Add(RsaAlgorithm.Crt, ModulusBytes);
        int half = ModulusBytes / 2;
        BigInteger[] fields = [Dq, Dp, Q, P, Qinv];
        for (int i = 0; i < fields.Length; i++)
        {
            Write(fields[i], batch.Key(index).Slice(i * half, half));
        }

        Write(input, batch.Input(index));
        return index;
    }

    public int AddPlain(OperationBatch batch, BigInteger exponent, BigInteger input)
    {
        int index = batch.Add(RsaAlgorithm.Plain, ModulusBytes);
        Write(exponent, batch.Key(index)[..ModulusBytes]);
        Write(N, batch.Key(index)[ModulusBytes..]);
        Write(input, batch.Input(index));
        return index;
    }

    /// <summary>The formula of the datasheet, word by word; right also for numbers that are no key.</summary>
    public BigInteger CrtFormula(BigInteger input)
    {
        BigInteger m1 = BigInteger.ModPow(input, Dp, P);
        BigInteger m2 = BigInteger.ModPow(input, Dq, Q);
        BigInteger h = Qinv * (m1 - m2) % P;
        return m2 + ((h < 0 ? h + P : h) * Q);
    }
}
