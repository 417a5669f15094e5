using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl;

namespace WarpProxy.Tests.Unit.OpenSsl;

/// <summary>A certificate whose key is the provider's.</summary>
internal sealed class Attached : IDisposable
{
    private static readonly byte[] Message = [1, 2, 3];

    public Attached(int bits, DeviceOperation? device = null)
    {
        SoftwareRsaKey software = TestKeys.Software(bits);
        Key = device is null ? new(software, null, Counters) : new(software, Counters, device);
        using X509Certificate2 bare = TestKeys.Certificate(bits);
        Certificate = Key.Attach(bare);
    }

    public OperationCounters Counters { get; } = new();

    public OffloadedRsaKey Key { get; }

    public X509Certificate2 Certificate { get; }

    public void AssertSigns()
    {
        using RSA signer = Certificate.GetRSAPrivateKey()!;
        using RSA verifier = Certificate.GetRSAPublicKey()!;
        byte[] signature = signer.SignData(Message, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
        Assert.True(verifier.VerifyData(Message, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
    }

    public void Dispose()
    {
        Certificate.Dispose();
        Key.Dispose();
    }
}
