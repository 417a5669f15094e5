using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>
/// How a server verifies the certificates of clients: made once, and shared by contexts, which keep what they need of it. Any thread.
/// </summary>
public sealed unsafe class TlsClientVerification : IDisposable
{
    private readonly X509StoreHandle _store = new();
    private readonly List<X509Handle> _authorities = [];
    private readonly int _depth;

    /// <summary>Prepares it.</summary>
    /// <exception cref="OpenSslException">A certificate cannot be read, or a list is not signed by the authority that it names.</exception>
    public TlsClientVerification(TlsClientVerificationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        IsRequired = options.IsRequired;
        _depth = options.Depth;
        Libcrypto.ERR_clear_error();
        try
        {
            foreach (X509Certificate2 authority in options.Authorities)
            {
                var handle = new X509Handle(authority);
                _authorities.Add(handle);
                SslContextHandle.Require(Libcrypto.X509_STORE_add_cert(_store, handle.Pointer) == 1, "OpenSSL refused a certificate authority");
            }

            // Any certificate that was given may end a chain: who trusts one issuing authority need not trust all others of its root.
            nuint flags = Libcrypto.X509_V_FLAG_PARTIAL_CHAIN;
            if (options.RevocationLists.Count > 0)
            {
                flags |= Libcrypto.X509_V_FLAG_CRL_CHECK | Libcrypto.X509_V_FLAG_CRL_CHECK_ALL;
                UncoveredAuthorities = AddLists(options);
            }

            SslContextHandle.Require(Libcrypto.X509_STORE_set_flags(_store, flags) == 1, "OpenSSL refused the flags of verification");
            Libcrypto.X509_STORE_set_verify_cb(_store, &Judge);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether a client without a certificate is refused.</summary>
    public bool IsRequired { get; }

    /// <summary>Subjects of authorities that have no revocation list although others have: every client that they issued is refused.</summary>
    public IReadOnlyList<string> UncoveredAuthorities { get; } = [];

    /// <inheritdoc/>
    public void Dispose()
    {
        _store.Dispose();
        foreach (X509Handle authority in _authorities)
        {
            authority.Dispose();
        }
    }

    /// <summary>Lets a context ask clients for certificates, and verify them.</summary>
    internal void ApplyTo(SslContextHandle context)
    {
        Libssl.SSL_CTX_set_verify(context, Libssl.SSL_VERIFY_PEER | (IsRequired ? Libssl.SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), null);
        Libssl.SSL_CTX_set_verify_depth(context, _depth);
        Libssl.SSL_CTX_set1_cert_store(context, _store);

        // 112 bits, also where the server's own policy is lower for old clients: what vouches for a client is no matter of compatibility.
        Libcrypto.X509_VERIFY_PARAM_set_auth_level(Libssl.SSL_CTX_get0_param(context), 2);
        for (int i = 0; i < _authorities.Count; i++)
        {
            nint name = Libcrypto.X509_get_subject_name(_authorities[i].Pointer);
            if (!_authorities.Take(i).Any(earlier => Libcrypto.X509_NAME_cmp(Libcrypto.X509_get_subject_name(earlier.Pointer), name) == 0))
            {
                SslContextHandle.Require(Libssl.SSL_CTX_add_client_CA(context, _authorities[i].Pointer) == 1, "OpenSSL refused the name of an authority");
            }
        }
    }

    /// <summary>
    /// Verifies the certificate that a session remembers as libssl did when the client showed it, but now, and with what is trusted now.
    /// The certificates that the client sent beside it are not in the session.
    /// </summary>
    /// <param name="ssl">An SSL of a context that this was applied to.</param>
    /// <param name="certificate">X509.</param>
    /// <returns>The chain in DER, the client's certificate first; empty when it is not accepted.</returns>
    internal static ReadOnlyMemory<byte>[] VerifyAgain(nint ssl, nint certificate)
    {
        // What is refused here is no error of the handshake.
        _ = Libcrypto.ERR_set_mark();
        nint context = Libcrypto.X509_STORE_CTX_new();
        try
        {
            nint store = Libssl.SSL_CTX_get_cert_store(Libssl.SSL_get_SSL_CTX(ssl));
            if (context == 0 || Libcrypto.X509_STORE_CTX_init(context, store, certificate, 0) != 1)
            {
                return [];
            }

            // In the order of ssl_verify_cert_chain of libssl.
            nint parameters = Libcrypto.X509_STORE_CTX_get0_param(context);
            Libcrypto.X509_VERIFY_PARAM_set_auth_level(parameters, Libssl.SSL_get_security_level(ssl));
            fixed (byte* purpose = "ssl_client\0"u8)
            {
                bool isVerified = Libcrypto.X509_STORE_CTX_set_default(context, purpose) == 1
                    && Libcrypto.X509_VERIFY_PARAM_set1(parameters, Libssl.SSL_get0_param(ssl)) == 1
                    && Libcrypto.X509_verify_cert(context) == 1;
                return isVerified ? Encode(Libcrypto.X509_STORE_CTX_get0_chain(context)) : [];
            }
        }
        finally
        {
            Libcrypto.X509_STORE_CTX_free(context);
            _ = Libcrypto.ERR_pop_to_mark();
        }
    }

    /// <summary>DER of each certificate of a stack; empty for null.</summary>
    internal static ReadOnlyMemory<byte>[] Encode(nint stack)
    {
        var encoded = new ReadOnlyMemory<byte>[Math.Max(Libcrypto.OPENSSL_sk_num(stack), 0)];
        for (int i = 0; i < encoded.Length; i++)
        {
            nint certificate = Libcrypto.OPENSSL_sk_value(stack, i);
            byte[] der = new byte[Math.Max(Libcrypto.i2d_X509(certificate, null), 0)];
            fixed (byte* bytes = der)
            {
                byte* next = bytes;
                _ = Libcrypto.i2d_X509(certificate, &next);
            }

            encoded[i] = der;
        }

        return encoded;
    }

    /// <summary>Adds the lists; returns the authorities without one.</summary>
    private string[] AddLists(TlsClientVerificationOptions options)
    {
        bool[] isCovered = new bool[_authorities.Count];
        foreach (CertificateRevocationList list in options.RevocationLists)
        {
            nint decoded = list.Decode();
            try
            {
                RequireSignature(list, decoded, isCovered);
                SslContextHandle.Require(Libcrypto.X509_STORE_add_crl(_store, decoded) == 1, "OpenSSL refused a revocation list");
            }
            finally
            {
                Libcrypto.X509_CRL_free(decoded);
            }
        }

        return [.. options.Authorities.Where((_, i) => !isCovered[i]).Select(static authority => authority.Subject)];
    }

    /// <summary>Of the authorities with the issuer's name, one must have signed it. An issuer that clients send is found out with them.</summary>
    private void RequireSignature(CertificateRevocationList list, nint decoded, bool[] isCovered)
    {
        nint issuer = Libcrypto.X509_CRL_get_issuer(decoded);
        bool isKnown = false;
        bool isSigned = false;
        for (int i = 0; i < isCovered.Length; i++)
        {
            if (Libcrypto.X509_NAME_cmp(Libcrypto.X509_get_subject_name(_authorities[i].Pointer), issuer) == 0)
            {
                isKnown = true;
                bool isSigner = Libcrypto.X509_CRL_verify(decoded, Libcrypto.X509_get0_pubkey(_authorities[i].Pointer)) == 1;
                isSigned |= isSigner;
                isCovered[i] |= isSigner;
            }
        }

        Libcrypto.ERR_clear_error();
        if (isKnown && !isSigned)
        {
            throw new OpenSslException(OpenSslError.Failed, $"The revocation list of {list.Issuer} is not signed by the authority of that name.");
        }
    }

    /// <summary>
    /// Nobody revokes what is trusted by itself (RFC 5280 6.1): the end of a chain that is no root needs no list of its issuer, which need
    /// not be known. All other errors stand.
    /// </summary>
    [UnmanagedCallersOnly]
    private static int Judge(int isGood, nint context)
    {
        if (isGood == 1)
        {
            return 1;
        }

        int last = Libcrypto.OPENSSL_sk_num(Libcrypto.X509_STORE_CTX_get0_chain(context)) - 1;
        if (Libcrypto.X509_STORE_CTX_get_error(context) != Libcrypto.X509_V_ERR_UNABLE_TO_GET_CRL
            || Libcrypto.X509_STORE_CTX_get_error_depth(context) != last)
        {
            return 0;
        }

        Libcrypto.X509_STORE_CTX_set_error(context, Libcrypto.X509_V_OK);
        return 1;
    }
}
