using System.Runtime.InteropServices;
using System.Text;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Provider;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>
/// What the connections to one set of certificates share: versions, ciphers, the keys of session tickets. It lives in the library
/// context of the provider, so that OpenSSL finds the keys' own implementation at once. Any thread may accept connections; disposing leaves the
/// running ones be.
/// </summary>
/// <remarks>
/// Renegotiation and compression are off, sessions are kept by clients alone, in tickets (two per full handshake in TLS 1.3), early data is off, and a
/// client that closes without close_notify is told from one that does.
/// <para>
/// Certificates and keys are each connection's own until its handshake is done, not the SSL_CTX's, which lives as long as the last connection: so a key that
/// is not used any more goes with the last handshake (a microsecond each).
/// </para>
/// </remarks>
public sealed unsafe partial class TlsServerContext : IDisposable
{
    // What .NET offers on Linux: ephemeral keys only.
    private const string DefaultCipherList =
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:"
        + "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
        + "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256";

    private readonly SslContextHandle _context;
    private readonly byte[][] _applicationProtocols;

    /// <summary>Makes a context.</summary>
    /// <exception cref="OpenSslException">OpenSSL does not know a suite, not all of the groups, or refuses a certificate.</exception>
    public TlsServerContext(TlsServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Libcrypto.ERR_clear_error();
        TicketKeys = options.TicketKeys;
        _applicationProtocols = [.. options.ApplicationProtocols.Select(Encoding.ASCII.GetBytes)];
        _context = new SslContextHandle(Libssl.SSL_CTX_new_ex(WarpProvider.Library, null, Libssl.TLS_server_method()));
        try
        {
            SslContextHandle.Require(!_context.IsInvalid, "OpenSSL made no context for TLS servers");
            _ = Libssl.SSL_CTX_set_options(
                _context, Libssl.SSL_OP_NO_RENEGOTIATION | Libssl.SSL_OP_NO_COMPRESSION | Libssl.SSL_OP_CIPHER_SERVER_PREFERENCE);
            Libssl.SetServerModes(_context);
            TicketCallback.SetResumption(_context, options);
            SetSuites(options);
            _context.SetGroups(options.Groups);
            _certificates = UseCertificates(options.Certificates);
            if (_applicationProtocols.Length > 0)
            {
                Libssl.SSL_CTX_set_alpn_select_cb(_context, &SelectProtocol, null);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What its tickets are made with; null when no session is resumed.</summary>
    internal TlsTicketKeyRing? TicketKeys { get; }

    /// <summary>A new connection, whose first step is <see cref="TlsServerConnection.Handshake"/>.</summary>
    /// <exception cref="OpenSslException">No memory.</exception>
    /// <exception cref="ObjectDisposedException">This, or one of its certificates, is disposed.</exception>
    public TlsServerConnection Accept() => TryAccept() ?? throw new ObjectDisposedException(nameof(TlsServerContext));

    /// <summary>As <see cref="Accept"/>; null when this, or one of its certificates, has been disposed: others have come in its place.</summary>
    /// <exception cref="OpenSslException">No memory.</exception>
    public TlsServerConnection? TryAccept()
    {
        Libcrypto.ERR_clear_error();
        nint ssl = TryCreate();
        if (ssl == 0)
        {
            return null;
        }

        var connection = new TlsServerConnection(this, ssl);
        nint bio = StepBio.Create();
        if (bio == 0)
        {
            connection.Dispose();
            SslContextHandle.Require(false, "OpenSSL made no BIO");
        }

        Libssl.SSL_set_bio(ssl, bio, bio);
        Libssl.SSL_set_accept_state(ssl);
        return connection;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _context.Dispose();
        foreach ((_, X509ChainHandle chain) in _certificates)
        {
            chain.Dispose();
        }
    }

    /// <summary>The protocol of these bytes; empty for one that this context does not have.</summary>
    internal ReadOnlyMemory<byte> FindProtocol(ReadOnlySpan<byte> name)
    {
        foreach (byte[] protocol in _applicationProtocols)
        {
            if (name.SequenceEqual(protocol))
            {
                return protocol;
            }
        }

        return default;
    }

    private void SetSuites(TlsServerOptions options)
    {
        // The suites of TLS 1.3 have the same name in both languages; no other begins so (RFC 8446 B.4).
        string[] names = [.. options.CipherSuites.Select(ToOpenSslName)];
        string tls13 = string.Join(':', names.Where(static name => name.StartsWith("TLS_", StringComparison.Ordinal)));
        string tls12 = string.Join(':', names.Where(static name => !name.StartsWith("TLS_", StringComparison.Ordinal)));
        bool isDefault = names.Length == 0;
        _context.SetVersions(
            isDefault || tls12.Length > 0 ? options.LowestVersion : TlsVersion.Tls13,
            isDefault || tls13.Length > 0 ? options.HighestVersion : TlsVersion.Tls12);
        _context.SetCiphers(isDefault ? DefaultCipherList : tls12.Length > 0 ? tls12 : null, tls13.Length > 0 ? tls13 : null);
    }

    private static string ToOpenSslName(string suite)
    {
        string? name = Marshal.PtrToStringUTF8((nint)Libssl.OPENSSL_cipher_name(suite));
        return name is not (null or "(NONE)") ? name : throw new OpenSslException(OpenSslError.Failed, $"OpenSSL does not know the cipher suite '{suite}'.");
    }

    /// <summary>
    /// Selects the first of ours that the client offers: <c>u8 length, name</c> each (RFC 7301 3.1; libssl has checked the lengths). The
    /// answer points into the client's list, which libssl copies from.
    /// </summary>
    [UnmanagedCallersOnly]
    private static int SelectProtocol(nint ssl, byte** selected, byte* selectedLength, byte* offered, uint offeredLength, void* argument)
    {
        if (TlsServerConnection.Stepping is not { } connection)
        {
            return Libssl.SSL_TLSEXT_ERR_ALERT_FATAL;
        }

        foreach (byte[] protocol in connection.Context._applicationProtocols)
        {
            for (uint i = 0; i < offeredLength && i + offered[i] < offeredLength; i += 1U + offered[i])
            {
                if (new ReadOnlySpan<byte>(offered + i + 1, offered[i]).SequenceEqual(protocol))
                {
                    *selected = offered + i + 1;
                    *selectedLength = offered[i];
                    return Libssl.SSL_TLSEXT_ERR_OK;
                }
            }
        }

        return Libssl.SSL_TLSEXT_ERR_ALERT_FATAL;
    }
}
