using System.Numerics;
using System.Security.Cryptography;
using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>A key as numbers, its key blocks, and what it must compute according to BigInteger.</summary>
internal sealed record EngineKey(
    int ModulusBytes, BigInteger P, BigInteger Q, BigInteger Dp, BigInteger Dq, BigInteger Qinv, BigInteger D, BigInteger E)
{
    public BigInteger N => P * Q;

    /// <summary>What is printed when a test fails: enough to make the key again.</summary>
    public string Text => $"{ModulusBytes * 8} bits, p {P:x}, q {Q:x}, dp {Dp:x}, dq {Dq:x}, qinv {Qinv:x}";

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

    /// <summary>A key of these primes, its public exponent 65537; null if the exponent does not go with them.</summary>
    public static EngineKey? FromPrimes(int modulusBytes, BigInteger p, BigInteger q)
    {
        BigInteger e = 65537;
        if ((p - 1) % e == 0 || (q - 1) % e == 0)
        {
            return null;
        }

        BigInteger d = Inverse(e, (p - 1) * (q - 1));
        return new EngineKey(modulusBytes, p, q, d % (p - 1), d % (q - 1), Inverse(q, p), d, e);
    }

    /// <summary>Numbers of the form of a key that are none: p and q are odd and full, and nothing belongs to anything.</summary>
    public static EngineKey Nonsense(int modulusBytes, Random random)
    {
        int half = modulusBytes / 2;
        BigInteger top = BigInteger.One << ((8 * half) - 1);
        BigInteger Half() => Below(BigInteger.One << (8 * half), half, random);
        return new EngineKey(modulusBytes, Half() | top | 1, Half() | top | 1, Half(), Half(), Half(), 0, 0);
    }

    /// <summary>The same, but that qinv belongs to q and p: the private power modulo p and modulo q, with exponents that do not belong together.</summary>
    public static EngineKey NonsenseWithCoefficient(int modulusBytes, Random random)
    {
        EngineKey key;
        do
        {
            key = Nonsense(modulusBytes, random);
        }
        while (!BigInteger.GreatestCommonDivisor(key.P, key.Q).IsOne);
        return key with { Qinv = Inverse(key.Q, key.P) };
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
    public BigInteger CrtFormula(BigInteger input) => Recombine(BigInteger.ModPow(input, Dp, P), BigInteger.ModPow(input, Dq, Q));

    private BigInteger Recombine(BigInteger m1, BigInteger m2)
    {
        BigInteger h = Qinv * (m1 - m2) % P;
        BigInteger sum = m2 + ((h < 0 ? h + P : h) * Q);
        return sum < 0 ? sum + N : sum;
    }

    private static BigInteger Inverse(BigInteger number, BigInteger modulus)
    {
        (BigInteger r, BigInteger next) = (modulus, number % modulus);
        (BigInteger inverse, BigInteger nextInverse) = (0, 1);
        while (!next.IsZero)
        {
            BigInteger quotient = r / next;
            (r, next) = (next, r - (quotient * next));
            (inverse, nextInverse) = (nextInverse, inverse - (quotient * nextInverse));
        }

        return inverse < 0 ? inverse + modulus : inverse;
    }
}
