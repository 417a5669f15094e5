using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Security;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Native;

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

    /// <summary>Loads n, e and d alone, which no PEM text can hold.</summary>
    public static unsafe PrivateKey LoadWithoutCrt(RSAParameters numbers)
    {
        nint context = Libcrypto.EVP_PKEY_CTX_new_from_name(0, "RSA", null);
        nint key = 0;
        byte[] n = [.. numbers.Modulus!.Reverse()];
        byte[] e = [.. numbers.Exponent!.Reverse()];
        byte[] d = [.. numbers.D!.Reverse()];
        fixed (byte* nName = "n\0"u8, eName = "e\0"u8, dName = "d\0"u8, nBytes = n, eBytes = e, dBytes = d)
        {
            OsslParam* parameters = stackalloc OsslParam[4];
            parameters[0] = new() { Key = nName, Type = OsslParam.UnsignedInteger, Data = nBytes, DataSize = (nuint)n.Length };
            parameters[1] = new() { Key = eName, Type = OsslParam.UnsignedInteger, Data = eBytes, DataSize = (nuint)e.Length };
            parameters[2] = new() { Key = dName, Type = OsslParam.UnsignedInteger, Data = dBytes, DataSize = (nuint)d.Length };
            parameters[3] = default;
            Assert.Equal(1, Libcrypto.EVP_PKEY_fromdata_init(context));
            Assert.Equal(1, Libcrypto.EVP_PKEY_fromdata(context, &key, Libcrypto.EVP_PKEY_KEYPAIR, parameters));
        }

        Libcrypto.EVP_PKEY_CTX_free(context);
        return new PrivateKey(new SafeEvpPKeyHandle(key, ownsHandle: true), PrivateKeyType.Rsa);
    }

    public static PrivateKey Load(string pem) => PrivateKeyPem.Load(Encoding.ASCII.GetBytes(pem), []);

    private static string Pem(RsaPrivateKeyStructure key) => PemEncoding.WriteString("RSA PRIVATE KEY", key.GetDerEncoded());

    private static BigInteger Number(byte[] bytes) => new(1, bytes);
}
