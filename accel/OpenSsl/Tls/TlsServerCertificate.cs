using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Provider;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>
/// What a server shows and signs with: a certificate, the intermediates sent after it, and the private key. Checked when it is made: what
/// OpenSSL would refuse in a handshake is refused here. It keeps the certificates as they are encoded, which is a fifth of what OpenSSL makes of
/// them, and what it needs of the key. Any thread.
/// </summary>
/// <remarks>
/// Once it is disposed no handshake begins with it; those under way hold the key until they are done (<see cref="TlsServerConnection"/>), the last of
/// them zeroes it.
/// </remarks>
public sealed unsafe partial class TlsServerCertificate : IDisposable
{
    // 112 bits: RSA of 2048 bits, SHA-224. What most distributions build OpenSSL with.
    private const int SecurityLevel = 2;

    private const int MaxGroupNameBytes = 64;

    private static readonly string[] Curves = ["prime256v1", "secp384r1", "secp521r1"];
    private static readonly Lazy<SslContextHandle> CheckContext = new(
        static () => new SslContextHandle(Libssl.SSL_CTX_new_ex(WarpProvider.Library, null, Libssl.TLS_server_method())));

    private readonly ReadOnlyMemory<byte>[] _chain;

    /// <summary>With a key whose operations a device may compute.</summary>
    /// <param name="chain">The server's certificate first, then those that lead on from it.</param>
    /// <param name="key">May be disposed afterwards.</param>
    /// <exception cref="OpenSslException">
    /// A certificate cannot be read, the key is not the first one's (<see cref="OpenSslError.KeyMismatch"/>), or OpenSSL serves no such certificate.
    /// </exception>
    public TlsServerCertificate(IReadOnlyList<X509Certificate2> chain, OffloadedRsaKey key)
        : this(Encode(chain), CreateHandle(key))
    {
    }

    /// <summary>With a key in software.</summary>
    /// <inheritdoc cref="TlsServerCertificate(IReadOnlyList{X509Certificate2}, OffloadedRsaKey)"/>
    public TlsServerCertificate(IReadOnlyList<X509Certificate2> chain, PrivateKey key)
        : this(Encode(chain), DuplicateHandle(key))
    {
    }

    /// <inheritdoc cref="TlsServerCertificate(IReadOnlyList{X509Certificate2}, OffloadedRsaKey)"/>
    /// <param name="chain">Each DER; not copied, and never changed by the caller. Certificates may share their intermediates.</param>
    /// <param name="key"/>
    public TlsServerCertificate(IReadOnlyList<ReadOnlyMemory<byte>> chain, OffloadedRsaKey key)
        : this([.. chain], CreateHandle(key))
    {
    }

    /// <summary>With a key in software.</summary>
    /// <inheritdoc cref="TlsServerCertificate(IReadOnlyList{ReadOnlyMemory{byte}}, OffloadedRsaKey)"/>
    public TlsServerCertificate(IReadOnlyList<ReadOnlyMemory<byte>> chain, PrivateKey key)
        : this([.. chain], DuplicateHandle(key))
    {
    }

    private TlsServerCertificate(ReadOnlyMemory<byte>[] chain, SafeEvpPKeyHandle key)
    {
        _chain = chain;
        Key = key;
        Libcrypto.ERR_clear_error();
        try
        {
            RequireUsable();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The server's certificate, then those that lead on from it, as DER.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Chain => _chain;

    /// <summary>The EVP_PKEY.</summary>
    internal SafeEvpPKeyHandle Key { get; }

    /// <inheritdoc/>
    public void Dispose() => Key.Dispose();

    /// <summary>The certificates as OpenSSL's objects, in memory of the new object.</summary>
    /// <exception cref="OpenSslException">One cannot be read, or no memory.</exception>
    internal X509ChainHandle DecodeChain() => X509ChainHandle.Decode(_chain);

    /// <summary>Gives certificate and key to a connection, which takes its own references. False when this was disposed.</summary>
    /// <param name="ssl">Before its handshake.</param>
    /// <param name="chain">From <see cref="DecodeChain"/>, held by the caller.</param>
    /// <exception cref="OpenSslException">OpenSSL does not take it, or has no memory.</exception>
    internal bool TryGive(nint ssl, X509ChainHandle chain)
    {
        bool isHeld = false;
        try
        {
            Key.DangerousAddRef(ref isHeld);
            SslContextHandle.Require(
                Libssl.SSL_use_cert_and_key(ssl, chain.Leaf, Key.DangerousGetHandle(), chain.Intermediates, 1) == 1, "OpenSSL refused the certificate");
            return true;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
        finally
        {
            if (isHeld)
            {
                Key.DangerousRelease();
            }
        }
    }

    private static ReadOnlyMemory<byte>[] Encode(IReadOnlyList<X509Certificate2> chain)
    {
        ArgumentNullException.ThrowIfNull(chain);
        return [.. chain.Select(static certificate => certificate.RawDataMemory)];
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

    private void RequireUsable()
    {
        using X509ChainHandle chain = DecodeChain();
        if (Libcrypto.X509_check_private_key(chain.Leaf, Key) != 1)
        {
            throw new OpenSslException(OpenSslError.KeyMismatch, $"The private key does not belong to the certificate: {Libcrypto.TakeErrors()}.");
        }

        if (Marshal.PtrToStringUTF8((nint)Libcrypto.EVP_PKEY_get0_type_name(Key)) == "EC")
        {
            RequireUsableCurve();
        }

        // As a handshake would begin, so that all that OpenSSL asks for there is asked for here.
        nint ssl = Libssl.SSL_new(CheckContext.Value);
        try
        {
            SslContextHandle.Require(ssl != 0, "OpenSSL made no connection");
            Libssl.SSL_set_security_level(ssl, SecurityLevel);
            _ = TryGive(ssl, chain);
        }
        finally
        {
            Libssl.SSL_free(ssl);
            Libcrypto.ERR_clear_error();
        }
    }

    /// <summary>
    /// OpenSSL reads the public key of an EC key from its file, and finds out only in a handshake that no client knows the curve, and only the client finds
    /// out that the private key is another's.
    /// </summary>
    private void RequireUsableCurve()
    {
        byte* name = stackalloc byte[MaxGroupNameBytes];
        nuint length;
        string curve = Libcrypto.EVP_PKEY_get_group_name(Key, name, MaxGroupNameBytes, &length) == 1
            ? Marshal.PtrToStringUTF8((nint)name) ?? "" : "a curve without a name";
        if (!Curves.Contains(curve))
        {
            throw new OpenSslException(OpenSslError.UnsupportedKey, $"The curve of the private key is {curve}; it must be one of {string.Join(", ", Curves)}.");
        }

        nint context = Libcrypto.EVP_PKEY_CTX_new_from_pkey(0, Key, null);
        bool isPair = context != 0 && Libcrypto.EVP_PKEY_pairwise_check(context) == 1;
        Libcrypto.EVP_PKEY_CTX_free(context);
        if (!isPair)
        {
            throw new OpenSslException(OpenSslError.DamagedKey, $"The EC private key does not fit its own public key: {Libcrypto.TakeErrors()}.");
        }
    }
}
