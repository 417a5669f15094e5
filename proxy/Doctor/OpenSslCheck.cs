using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using WarpDrive.OpenSsl;

namespace WarpProxy.Doctor;

/// <summary>The OpenSSL of this process, and whether our provider in it makes signatures.</summary>
internal sealed class OpenSslCheck : ICheck
{
    private const string Provider = "provider";
    private const int KeyBits = 2048;
    private static readonly Version Least = new(3, 0);
    private static readonly Version Tested = new(3, 0);

    /// <inheritdoc/>
    public string Name => "openssl";

    /// <inheritdoc/>
    public TimeSpan Limit => TimeSpan.FromSeconds(20);

    /// <inheritdoc/>
    public IEnumerable<Finding> Run()
    {
        // 0xMNN00PP0: major, minor, patch.
        long number = SafeEvpPKeyHandle.OpenSslVersion;
        var version = new Version((int)(number >> 28 & 0xF), (int)(number >> 20 & 0xFF), (int)(number >> 4 & 0xFF));
        var line = new Version(version.Major, version.Minor);
        yield return new Finding(
            Name,
            null,
            line < Least ? FindingLevel.Failed : line == Tested ? FindingLevel.Ok : FindingLevel.Warning,
            line == Tested ? $"OpenSSL {version}" : $"OpenSSL {version}, which WarpProxy is not tested with",
            line == Tested ? null : $"Install OpenSSL {Tested}")
        {
            Values = new Dictionary<string, object?> { ["version"] = version.ToString() },
        };
        yield return Sign();
    }

    /// <summary>One signature with a new key, by the way that the keys of certificates take, verified with the public key.</summary>
    private static Finding Sign()
    {
        const string Advice = "Handshakes with RSA certificates will fail: install one libcrypto.so.3 and one libssl.so.3, both of the same OpenSSL";
        try
        {
            using var made = RSA.Create(KeyBits);
            var request = new CertificateRequest("CN=doctor", made, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));

            // A key for this one signature, which nobody else ever has.
            using PrivateKey key = PrivateKeyPem.Load(Encoding.ASCII.GetBytes(made.ExportPkcs8PrivateKeyPem()), password: default);
            var counters = new OperationCounters();
            using var offloaded = new OffloadedRsaKey(new SoftwareRsaKey(key), null, counters);
            using X509Certificate2 joined = offloaded.Attach(certificate);
            using RSA signer = joined.GetRSAPrivateKey()!;
            ReadOnlySpan<byte> data = "what a client would be shown"u8;

            // The first one loads code.
            signer.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
            long begun = Stopwatch.GetTimestamp();
            byte[] signature = signer.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
            double milliseconds = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
            if (!made.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss))
            {
                return Finding.Failed(Provider, null, $"the provider warpdrive made a signature with RSA-{KeyBits} that is wrong", Advice);
            }

            if (counters.Snapshot().Software == 0)
            {
                return Finding.Failed(Provider, null, "a signature was made, but not by the provider warpdrive", Advice);
            }

            return Finding.Ok(Provider, null, string.Create(
                CultureInfo.InvariantCulture, $"the provider warpdrive is loaded and made a signature with RSA-{KeyBits} in {milliseconds:0.0} ms, which is right"));
        }
        catch (Exception exception) when (exception is OpenSslException or CryptographicException or DllNotFoundException or EntryPointNotFoundException)
        {
            return Finding.Failed(Provider, null, $"no signature through the provider warpdrive: {exception.Message.TrimEnd('.')}", Advice);
        }
    }
}
