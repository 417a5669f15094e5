using System.Security.Cryptography;
using System.Text;
using WarpDrive.OpenSsl;

namespace WarpProxy.LoadTest.Engines;

/// <summary>A fresh key with a number to compute. It protects nothing and is thrown away, so nobody zeroes it.</summary>
internal sealed class BenchKey : IDisposable
{
    public BenchKey(int bits)
    {
        using var rsa = RSA.Create(bits);
        using PrivateKey key = PrivateKeyPem.Load(Encoding.ASCII.GetBytes(rsa.ExportPkcs8PrivateKeyPem()), []);
        OpenSsl = SoftwareRsaKey.CreateByOpenSsl(key);
        CrtBlock = new byte[OpenSsl.CrtBlockBytes];
        if (!OpenSsl.TryWriteCrtBlock(CrtBlock))
        {
            throw new InvalidOperationException($"No engine takes the key of {bits} bits that was generated.");
        }

        Input = RandomNumberGenerator.GetBytes(bits / 8);
        Input[0] &= 0x7F; // the modulus has its highest bit set, and is above
    }

    /// <summary>OpenSSL's own private operation, and the public one that checks results.</summary>
    public SoftwareRsaKey OpenSsl { get; }

    /// <summary>dq dp q p qinv, as engines take it.</summary>
    public byte[] CrtBlock { get; }

    /// <summary>Below the modulus.</summary>
    public byte[] Input { get; }

    public int ModulusBytes => Input.Length;

    public void Dispose() => OpenSsl.Dispose();
}
