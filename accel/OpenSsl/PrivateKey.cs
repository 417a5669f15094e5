using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl;

/// <summary>
/// A private key as it was read. An RSA key of two primes is in locked memory that is not dumped; any other, and an RSA key once something asks for it that
/// only OpenSSL does, is in the memory of OpenSSL's default provider. Any thread may use it.
/// </summary>
public sealed class PrivateKey : IDisposable
{
    private readonly Lock _gate = new();
    private SafeEvpPKeyHandle? _handle;     // written under _gate

    internal PrivateKey(SafeEvpPKeyHandle handle, PrivateKeyType type)
    {
        _handle = handle;
        Type = type;
        Bits = Libcrypto.EVP_PKEY_get_bits(handle);
    }

    internal PrivateKey(RsaPrivateNumbers numbers)
    {
        Numbers = numbers;
        Type = PrivateKeyType.Rsa;
        Bits = numbers.ModulusBits;
    }

    /// <summary>RSA or EC.</summary>
    public PrivateKeyType Type { get; }

    /// <summary>Bits of the RSA modulus, or of the order of the curve.</summary>
    public int Bits { get; }

    /// <summary>The numbers; owned by this object. Null for a key that OpenSSL has read.</summary>
    internal RsaPrivateNumbers? Numbers { get; }

    /// <summary>The EVP_PKEY; owned by this object. Whoever asks gives the key to OpenSSL.</summary>
    /// <exception cref="OpenSslException">OpenSSL does not take the numbers.</exception>
    internal SafeEvpPKeyHandle Handle
    {
        get
        {
            lock (_gate)
            {
                return _handle ??= Numbers!.CreatePair();
            }
        }
    }

    /// <summary>The certificate with this key, all operations in software. An RSA key to be offloaded goes through <see cref="OffloadedRsaKey"/>.</summary>
    /// <returns>A new certificate, which keeps what it needs of this key.</returns>
    /// <exception cref="OpenSslException"><see cref="OpenSslError.KeyMismatch"/>: the key does not belong to the certificate.</exception>
    public X509Certificate2 Attach(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return CertificateKey.Attach(certificate, Type, Handle);
    }

    /// <summary>Drops the key and zeroes it; what OpenSSL has, when nothing made from it is left.</summary>
    public void Dispose()
    {
        Numbers?.Dispose();
        lock (_gate)
        {
            _handle?.Dispose();
        }
    }
}
