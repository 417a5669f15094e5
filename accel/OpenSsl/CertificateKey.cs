using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace WarpDrive.OpenSsl;

/// <summary>Joins a certificate and its private key.</summary>
internal static class CertificateKey
{
    /// <summary>A new certificate with the key; the key is shared, not copied, and its handle stays the caller's.</summary>
    public static X509Certificate2 Attach(X509Certificate2 certificate, PrivateKeyType type, SafeEvpPKeyHandle key)
    {
        // Without the private key that the given certificate may have.
        using X509Certificate2 bare = X509CertificateLoader.LoadCertificate(certificate.RawDataMemory.Span);
        try
        {
            if (type == PrivateKeyType.Rsa)
            {
                using RSAOpenSsl rsa = new(key);
                return bare.CopyWithPrivateKey(rsa);
            }

            using ECDsaOpenSsl ecdsa = new(key);
            return bare.CopyWithPrivateKey(ecdsa);
        }
        catch (ArgumentException)
        {
            // Of another algorithm, or with another public key.
            throw new OpenSslException(
                OpenSslError.KeyMismatch, $"The private key does not belong to the certificate of {certificate.Subject}.");
        }
    }
}
