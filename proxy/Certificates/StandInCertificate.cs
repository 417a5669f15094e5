using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using WarpDrive.OpenSsl;

namespace WarpProxy.Certificates;

/// <summary>Stands where a certificate is missing, so that all else of a listener can be checked without it. No client ever sees it.</summary>
internal static class StandInCertificate
{
    /// <summary>Makes one in memory.</summary>
    public static ServerCertificate Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using X509Certificate2 withKey = request.CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        using PrivateKey loaded = PrivateKeyPem.Load(Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()), password: default);
        return new ServerCertificate(X509CertificateLoader.LoadCertificate(withKey.RawData), [], loaded, "a certificate made for the check");
    }
}
