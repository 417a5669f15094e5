using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl;

/// <summary>A private key in OpenSSL's memory, of the default provider. Any thread may use it.</summary>
public sealed class PrivateKey : IDisposable
{
    internal PrivateKey(SafeEvpPKeyHandle handle, PrivateKeyType type)
    {
        Handle = handle;
        Type = type;
        Bits = Libcrypto.EVP_PKEY_get_bits(handle);
    }

    /// <summary>RSA or EC.</summary>
    public PrivateKeyType Type { get; }

    /// <summary>Bits of the RSA modulus, or of the order of the curve.</summary>
    public int Bits { get; }

    /// <summary>The EVP_PKEY; owned by this object.</summary>
    internal SafeEvpPKeyHandle Handle { get; }

    /// <summary>The certificate with this key, all operations in software. An RSA key to be offloaded goes through <see cref="OffloadedRsaKey"/>.</summary>
    /// <returns>A new certificate, which keeps what it needs of this key.</returns>
    /// <exception cref="OpenSslException"><see cref="OpenSslError.KeyMismatch"/>: the key does not belong to the certificate.</exception>
    public X509Certificate2 Attach(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return CertificateKey.Attach(certificate, Type, Handle);
    }

    /// <summary>Drops the key; OpenSSL zeroes it when nothing made from it is left.</summary>
    public void Dispose() => Handle.Dispose();
}
