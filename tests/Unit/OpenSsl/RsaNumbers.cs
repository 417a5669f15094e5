using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Security;
using WarpDrive.OpenSsl;

namespace WarpProxy.Tests.Unit.OpenSsl;

/// <summary>Keys that .NET itself does not make or take.</summary>
internal static class RsaNumbers
{
    private static readonly BigInteger Exponent = BigInteger.ValueOf(65537);

    /// <summary>A key of primes of these bits, its modulus as long as both together; as PEM.</summary>
    public static string Create(int pBits, int qBits)
    {
        SecureRandom random = new();
        while (true)
        {
            BigInteger p = BigInteger.ProbablePrime(pBits, random);
            BigInteger q = BigInteger.ProbablePrime(qBits, random);
            BigInteger phi = p.Subtract(BigInteger.One).Multiply(q.Subtract(BigInteger.One));
            if (p.Multiply(q).BitLength == pBits + qBits && phi.Gcd(Exponent).Equals(BigInteger.One))
            {
                return Pem(p, q, Exponent);
            }
        }
    }

    /// <summary>The key of the primes; as PEM.</summary>
    public static string Pem(BigInteger p, BigInteger q, BigInteger e)
    {
        BigInteger d = e.ModInverse(p.Subtract(BigInteger.One).Multiply(q.Subtract(BigInteger.One)));
        return Pem(new RsaPrivateKeyStructure(
            p.Multiply(q), e, d, p, q, d.Remainder(p.Subtract(BigInteger.One)), d.Remainder(q.Subtract(BigInteger.One)), q.ModInverse(p)));
    }

    /// <summary>Loads the numbers as they are, consistent or not.</summary>
    public static PrivateKey LoadUnchecked(RSAParameters numbers) => Load(Pem(new RsaPrivateKeyStructure(
        Number(numbers.Modulus!), Number(numbers.Exponent!), Number(numbers.D!), Number(numbers.P!), Number(numbers.Q!),
        Number(numbers.DP!), Number(numbers.DQ!), Number(numbers.InverseQ!))));

    public static PrivateKey Load(string pem) => PrivateKeyPem.Load(Encoding.ASCII.GetBytes(pem), []);

    private static string Pem(RsaPrivateKeyStructure key) => PemEncoding.WriteString("RSA PRIVATE KEY", key.GetDerEncoded());

    private static BigInteger Number(byte[] bytes) => new(1, bytes);
}
