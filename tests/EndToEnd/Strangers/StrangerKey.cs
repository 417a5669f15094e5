using System.Collections.Concurrent;
using System.Numerics;
using System.Security.Cryptography;

namespace WarpProxy.Tests.EndToEnd.Strangers;

/// <summary>A key of .NET's, its blocks for the device, and the right answers by BigInteger. One of each size serves all tests.</summary>
internal sealed class StrangerKey
{
    private static readonly ConcurrentDictionary<int, Lazy<StrangerKey>> Keys = new();

    private readonly BigInteger _n;
    private readonly BigInteger _d;
    private readonly BigInteger _e;

    private StrangerKey(int bits)
    {
        using var rsa = RSA.Create(bits);
        RSAParameters key = rsa.ExportParameters(includePrivateParameters: true);
        Bytes = bits / 8;
        (_n, _d, _e) = (Number(key.Modulus!), Number(key.D!), Number(key.Exponent!));
        byte[] exponent = Field(_e);
        Private = [.. key.D!, .. key.Modulus!];
        Public = [.. exponent, .. key.Modulus!];
        Crt = [.. key.DQ!, .. key.DP!, .. key.Q!, .. key.P!, .. key.InverseQ!];
        Primes = [.. exponent, .. key.P!, .. key.Q!];
        Made = [.. key.D!, .. key.Modulus!, .. key.InverseQ!, .. key.DQ!, .. key.DP!];
    }

    /// <summary>k.</summary>
    public int Bytes { get; }

    public int TaskLength => (Bytes / 8) - 1;

    /// <summary>Algorithm 0: d, n.</summary>
    public byte[] Private { get; }

    /// <summary>Algorithm 0: e, n.</summary>
    public byte[] Public { get; }

    /// <summary>Algorithm 1: dq, dp, q, p, qinv.</summary>
    public byte[] Crt { get; }

    /// <summary>Algorithms 2 and 3: e, p, q.</summary>
    public byte[] Primes { get; }

    /// <summary>What algorithm 3 answers: d, n, qinv, dq, dp; algorithm 2: its first 2k bytes.</summary>
    public byte[] Made { get; }

    public static StrangerKey OfBits(int bits) => Keys.GetOrAdd(bits, static size => new Lazy<StrangerKey>(() => new StrangerKey(size))).Value;

    /// <summary>A random number below n.</summary>
    public byte[] Input()
    {
        byte[] input = new byte[Bytes];
        RandomNumberGenerator.Fill(input.AsSpan(1));
        return input;
    }

    public byte[] PrivatePower(byte[] input) => Field(BigInteger.ModPow(Number(input), _d, _n));

    public byte[] PublicPower(byte[] input) => Field(BigInteger.ModPow(Number(input), _e, _n));

    private static BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    private byte[] Field(BigInteger number)
    {
        byte[] bytes = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[Bytes - bytes.Length], .. bytes];
    }
}
