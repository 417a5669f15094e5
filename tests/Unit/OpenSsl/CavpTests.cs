using System.Security.Cryptography;
using Org.BouncyCastle.Math;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Padding;
using WarpDrive.OpenSsl.Provider;

namespace WarpProxy.Tests.Unit.OpenSsl;

/// <summary>
/// NIST's CAVP vectors for RSA signatures. The .txt files carry private exponents; with the .rsp files, which have the public key
/// only, the encoding is compared with S^e mod n, which is the same statement.
/// </summary>
[Collection(ProviderTests.Name)]
public sealed class CavpTests
{
    private const string Package = "python3-cryptography-vectors";
    private const string Path = "/usr/lib/python3/dist-packages/cryptography_vectors";
    private const string Folder = Path + "/asymmetric/RSA/FIPS_186-2/";

    [DebianPackageFact(Package, Path)]
    public void Pkcs1_signatures_of_SigGen15_186_2_are_equal_byte_by_byte()
    {
        int count = 0;
        foreach (IGrouping<string, CavpVector> group in CavpVector.Read(Folder + "SigGen15_186-2.txt").GroupBy(vector => vector.Modulus))
        {
            using PrivateKey loaded = RsaNumbers.Load(group.First().RecoverPrivateKey());
            using OffloadedRsaKey key = new(new SoftwareRsaKey(loaded), null, new OperationCounters());
            using RSAOpenSsl signer = new(WarpProvider.CreateKey(key));
            foreach (CavpVector vector in group.Where(vector => vector.Digest is not null))
            {
                Assert.Equal(vector.Signature, signer.SignData(vector.Message, vector.HashName, RSASignaturePadding.Pkcs1));
                count++;
            }
        }

        Assert.Equal(5 * 4 * 10, count);
    }

    [DebianPackageFact(Package, Path)]
    public void Pkcs1_encodings_of_SigGen15_186_3_are_equal() => AssertEncodings("SigGen15_186-3.rsp", isPss: false);

    [DebianPackageFact(Package, Path)]
    public void Pkcs1_encodings_of_SigGen15_186_2_are_equal() => AssertEncodings("SigGen15_186-2.rsp", isPss: false);

    [DebianPackageFact(Package, Path)]
    public void Pss_encodings_of_SigGenPSS_186_2_are_equal_with_the_salts_of_the_vectors() => AssertEncodings("SigGenPSS_186-2.txt", isPss: true);

    [DebianPackageFact(Package, Path)]
    public void Pss_encodings_of_SigGenPSS_186_3_are_equal_without_salt() => AssertEncodings("SigGenPSS_186-3.rsp", isPss: true);

    private static void AssertEncodings(string file, bool isPss)
    {
        int count = 0;
        foreach (CavpVector vector in CavpVector.Read(Folder + file).Where(vector => vector.Digest is not null))
        {
            BigInteger modulus = new(vector.Modulus, 16);
            BigInteger expected = new BigInteger(1, vector.Signature).ModPow(new BigInteger(vector.Exponent, 16), modulus);
            byte[] encoded = new byte[(modulus.BitLength + 7) / 8];
            byte[] hash = CryptographicOperations.HashData(vector.HashName, vector.Message);

            Assert.True(isPss
                ? PssEncoding.TryEncode(vector.Digest!, vector.Digest!, hash, vector.Salt, modulus.BitLength, encoded)
                : Pkcs1Encoding.TryEncode(vector.Digest!, hash, encoded));

            Assert.Equal(expected, new BigInteger(1, encoded));
            count++;
        }

        Assert.Equal(5 * 4 * 10, count);
    }
}
