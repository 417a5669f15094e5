using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>
/// What a server shows and signs with: a certificate, the intermediates sent after it, and the private key. It keeps what it needs of
/// the key; contexts made with it keep what they need of this object. Any thread.
/// </summary>
public sealed unsafe partial class TlsServerCertificate : IDisposable
{
    private readonly nint[] _chain;     // X509, the server's first; each owned
    private int _isDisposed;

    /// <summary>With a key whose operations a device may compute.</summary>
    /// <param name="chain">The server's certificate first, then those that lead on from it.</param>
    /// <param name="key">May be disposed afterwards.</param>
    /// <exception cref="OpenSslException">A certificate cannot be read, or the key is not the first one's (<see cref="OpenSslError.KeyMismatch"/>).</exception>
    public TlsServerCertificate(IReadOnlyList<X509Certificate2> chain, OffloadedRsaKey key)
        : this(chain, CreateHandle(key))
    {
    }

    /// <summary>With a key in software.</summary>
    /// <inheritdoc cref="TlsServerCertificate(IReadOnlyList{X509Certificate2}, OffloadedRsaKey)"/>
    public TlsServerCertificate(IReadOnlyList<X509Certificate2> chain, PrivateKey key)
        : this(chain, DuplicateHandle(key))
    {
    }

    private TlsServerCertificate(IReadOnlyList<X509Certificate2> chain, SafeEvpPKeyHandle key)
    {
        ArgumentNullException.ThrowIfNull(chain);
        Key = key;
        _chain = new nint[chain.Count];
        Libcrypto.ERR_clear_error();
        try
        {
            for (int i = 0; i < _chain.Length; i++)
            {
                _chain[i] = Decode(chain[i]);
            }

            if (Libcrypto.X509_check_private_key(_chain[0], Key) != 1)
            {
                throw new OpenSslException(
                    OpenSslError.KeyMismatch, $"The private key does not belong to the certificate of {chain[0].Subject}: {Libcrypto.TakeErrors()}.");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The last resort, when nobody disposes.</summary>
    ~TlsServerCertificate()
    {
        Free();
    }

    /// <summary>The EVP_PKEY.</summary>
    internal SafeEvpPKeyHandle Key { get; }

    /// <summary>X509 of the server, then those that lead on from it. Valid until this object is disposed.</summary>
    internal ReadOnlySpan<nint> Chain => _chain;

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        Key.Dispose();
        GC.SuppressFinalize(this);
    }

    private static SafeEvpPKeyHandle CreateHandle(OffloadedRsaKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.CreateHandle();
    }

    private static SafeEvpPKeyHandle DuplicateHandle(PrivateKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.Handle.DuplicateHandle();
    }

    private static nint Decode(X509Certificate2 certificate)
    {
        ReadOnlySpan<byte> der = certificate.RawDataMemory.Span;
        fixed (byte* bytes = der)
        {
            byte* next = bytes;
            nint decoded = Libcrypto.d2i_X509(null, &next, der.Length);
            return decoded != 0
                ? decoded
                : throw new OpenSslException(OpenSslError.Failed, $"OpenSSL cannot read the certificate of {certificate.Subject}: {Libcrypto.TakeErrors()}.");
        }
    }

    private void Free()
    {
        // Once, also when two threads dispose.
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            foreach (nint certificate in _chain ?? [])
            {
                Libcrypto.X509_free(certificate);
            }
        }
    }
}
