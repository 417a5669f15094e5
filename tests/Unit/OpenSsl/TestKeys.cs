using Microsoft.Extensions.Logging.Abstractions;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using WarpDrive.Driver;
using WarpDrive.OpenSsl;

namespace WarpProxy.Tests.Unit.OpenSsl;

/// <summary>Keys and certificates made once a size; making them is the slowest part of these tests.</summary>
internal static class TestKeys
{
    private static readonly ConcurrentDictionary<int, Lazy<RSA>> Keys = new();

    public static RSA Rsa(int bits) => Keys.GetOrAdd(bits, size => new(() => Create(size))).Value;

    public static PrivateKey Load(RSA rsa) => PrivateKeyPem.Load(Encoding.ASCII.GetBytes(rsa.ExportPkcs8PrivateKeyPem()), []);

    public static SoftwareRsaKey Software(RSA rsa)
    {
        using PrivateKey key = Load(rsa);
        return new SoftwareRsaKey(key);
    }

    public static SoftwareRsaKey Software(int bits) => Software(Rsa(bits));

    public static X509Certificate2 Certificate(RSA rsa)
    {
        CertificateRequest request = new("CN=localhost", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadCertificate(certificate.RawData);
    }

    public static X509Certificate2 Certificate(int bits) => Certificate(Rsa(bits));

    /// <summary>The one place where the tests make a pool.</summary>
    public static QueuePool EmptyPool() => new(new QueuePoolOptions(), [], NullLogger.Instance, TimeProvider.System);

    private static RSA Create(int bits)
    {
        if (bits % 8 == 0)
        {
            return RSA.Create(bits);
        }

        // .NET makes no such sizes, but takes them.
        RSA rsa = RSA.Create();
        rsa.ImportFromPem(RsaNumbers.Create((bits + 1) / 2, bits / 2));
        return rsa;
    }
}
