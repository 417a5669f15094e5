using System.Security.Cryptography;
using WarpDrive.Engines;
using WarpDrive.OpenSsl.Padding;
using WarpProxy.Tests.Unit.OpenSsl;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>NIST's CAVP vectors for PKCS #1 signatures, computed by the engines of this processor.</summary>
public sealed class EngineCavpTests
{
    private const string Package = "python3-cryptography-vectors";
    private const string Path = "/usr/lib/python3/dist-packages/cryptography_vectors";
    private const string File = Path + "/asymmetric/RSA/FIPS_186-2/SigGen15_186-2.txt";

    [DebianPackageFact(Package, Path)]
    public void Signatures_of_SigGen15_186_2_are_equal_byte_by_byte_with_messages_side_by_side()
    {
        using var scalar = new ScalarEngine();
        SimdEngine[] simd = [.. SimdWidth.All.Where(width => width.IsSupported).Select(width => new SimdEngine(width))];
        int count = 0;
        foreach (IGrouping<string, CavpVector> group in CavpVector.Read(File).GroupBy(vector => vector.Modulus))
        {
            int modulusBytes = group.Key.Length / 2;
            if (modulusBytes is not (256 or 384 or 512))
            {
                continue;
            }

            EngineKey key = EngineKey.FromPem(group.First().RecoverPrivateKey());
            foreach (CavpVector[] vectors in group.Where(vector => vector.Digest is not null).Chunk(8))
            {
                AssertSigned(scalar, key, vectors);
                Array.ForEach(simd, engine => AssertSigned(engine, key, vectors));

                count += vectors.Length;
            }
        }

        Array.ForEach(simd, static engine => engine.Dispose());
        Assert.Equal(3 * 4 * 10, count);
    }

    private static void AssertSigned(IRsaEngine engine, EngineKey key, CavpVector[] vectors)
    {
        var batch = new OperationBatch(vectors.Length, new byte[OperationBatch.StorageBytes(vectors.Length)]);
        byte[] encoded = new byte[key.ModulusBytes];
        foreach (CavpVector vector in vectors)
        {
            byte[] hash = CryptographicOperations.HashData(vector.HashName, vector.Message);
            Assert.True(Pkcs1Encoding.TryEncode(vector.Digest!, hash, encoded));
            key.AddCrt(batch, EngineKey.Number(encoded));
        }

        engine.Execute(batch);
        for (int index = 0; index < vectors.Length; index++)
        {
            Assert.Equal(RsaStatus.Done, batch[index].Status);
            Assert.True(batch.Output(index).SequenceEqual(vectors[index].Signature), $"{engine.Name}, n = {vectors[index].Modulus}");
        }
    }
}
