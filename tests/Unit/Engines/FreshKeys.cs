using System.Numerics;
using System.Security.Cryptography;
using Org.BouncyCastle.Security;
using BouncyInteger = Org.BouncyCastle.Math.BigInteger;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>Keys made once in a run of the tests, of each size; a test that fails prints the one it used.</summary>
internal static class FreshKeys
{
    // Moduli that keep their bytes allow 7 bits: with 8, p q is below 2^(bits - 8) always.
    private const int MostMissingBits = 7;

    private static readonly Dictionary<int, Lazy<EngineKey[]>> Even = new[] { 256, 384, 512 }.ToDictionary(
        modulusBytes => modulusBytes, modulusBytes => new Lazy<EngineKey[]>(() => MakeEven(modulusBytes)));

    private static readonly Dictionary<int, Lazy<EngineKey[]>> Uneven = new[] { 256, 384, 512 }.ToDictionary(
        modulusBytes => modulusBytes, modulusBytes => new Lazy<EngineKey[]>(() => MakeUneven(modulusBytes)));

    /// <summary>Keys whose primes both fill their places, each also with p and q exchanged.</summary>
    public static EngineKey[] OfBytes(int modulusBytes) => Even[modulusBytes].Value;

    /// <summary>Keys one of whose primes is shorter than its place: by one bit and by as many as are allowed, p or q.</summary>
    public static EngineKey[] UnevenOfBytes(int modulusBytes) => Uneven[modulusBytes].Value;

    /// <summary>One of them all, of any kind, counted round.</summary>
    public static EngineKey At(int modulusBytes, int index)
    {
        EngineKey[] even = OfBytes(modulusBytes);
        EngineKey[] uneven = UnevenOfBytes(modulusBytes);
        index %= even.Length + uneven.Length;
        return index < even.Length ? even[index] : uneven[index - even.Length];
    }

    private static EngineKey[] MakeEven(int modulusBytes)
    {
        var keys = new List<EngineKey>();
        for (int i = modulusBytes == 512 ? 1 : 2; i >= 0; i--)
        {
            using RSA rsa = RSA.Create(8 * modulusBytes);
            EngineKey key = EngineKey.From(rsa);
            keys.Add(key);
            keys.Add(key.Exchanged);
        }

        return [.. keys];
    }

    private static EngineKey[] MakeUneven(int modulusBytes)
    {
        var random = new SecureRandom();
        var keys = new List<EngineKey>();
        BigInteger full = EngineKeys.OfBytes(modulusBytes).P;
        foreach (int missing in (int[])[1, MostMissingBits])
        {
            EngineKey? key = null;
            while (key is null || key.N < BigInteger.One << (8 * (modulusBytes - 1)))
            {
                BouncyInteger prime = BouncyInteger.ProbablePrime((4 * modulusBytes) - missing, random);
                key = EngineKey.FromPrimes(modulusBytes, full, EngineKey.Number(prime.ToByteArrayUnsigned()));
            }

            keys.Add(key);
            keys.Add(key.Exchanged);
        }

        return [.. keys];
    }
}
