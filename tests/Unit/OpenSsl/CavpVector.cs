using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Math;
using WarpDrive.OpenSsl.Padding;

namespace WarpProxy.Tests.Unit.OpenSsl;

/// <summary>One signature of a CAVP file, with the key that stands above it.</summary>
internal sealed record CavpVector(
    string Modulus, string Exponent, string PrivateExponent, string Hash, byte[] Message, byte[] Salt, byte[] Signature)
{
    /// <summary>Null for the digests that are not offered.</summary>
    public Digest? Digest => Digest.Find(Encoding.ASCII.GetBytes(Hash));

    public HashAlgorithmName HashName => new(Hash);

    public static IEnumerable<CavpVector> Read(string path)
    {
        Dictionary<string, string> values = [];
        foreach (string line in File.ReadLines(path))
        {
            if (line.Split('=', StringSplitOptions.TrimEntries) is not [string name, string value] || name.StartsWith('#'))
            {
                continue;
            }

            values[name] = value;
            if (name == "n")
            {
                values.Remove("d");
            }
            else if (name == "S")
            {
                yield return new CavpVector(
                    values["n"], values["e"], values.GetValueOrDefault("d", ""), values["SHAAlg"], Convert.FromHexString(values["Msg"]),
                    Convert.FromHexString(values.GetValueOrDefault("SaltVal", "")), Convert.FromHexString(value));
            }
        }
    }

    /// <summary>The key as PEM, its primes found from n, e and d: SP 800-56B, appendix C.</summary>
    public string RecoverPrivateKey()
    {
        BigInteger n = new(Modulus, 16);
        BigInteger e = new(Exponent, 16);
        BigInteger k = e.Multiply(new BigInteger(PrivateExponent, 16)).Subtract(BigInteger.One);
        int twos = k.GetLowestSetBit();
        BigInteger odd = k.ShiftRight(twos);
        BigInteger minusOne = n.Subtract(BigInteger.One);
        for (int g = 2; ; g++)
        {
            BigInteger y = BigInteger.ValueOf(g).ModPow(odd, n);
            for (int i = 0; i < twos; i++)
            {
                BigInteger square = y.ModPow(BigInteger.Two, n);
                if (square.Equals(BigInteger.One) && !y.Equals(BigInteger.One) && !y.Equals(minusOne))
                {
                    BigInteger p = y.Subtract(BigInteger.One).Gcd(n);
                    return RsaNumbers.Pem(p, n.Divide(p), e);
                }

                y = square;
            }
        }
    }
}
