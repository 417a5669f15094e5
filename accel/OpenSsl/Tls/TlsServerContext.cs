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
    private readonly SslContextHandle _context;
    private readonly byte[][] _applicationProtocols;
    private readonly TimeProvider _time;

    /// <summary>Makes a context.</summary>
    /// <exception cref="OpenSslException">OpenSSL does not know a suite, not all of the groups, or refuses a certificate.</exception>
    public TlsServerContext(TlsServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Libcrypto.ERR_clear_error();
        TicketKeys = options.TicketKeys;
        _time = options.Time;
        _applicationProtocols = [.. options.ApplicationProtocols.Select(Encoding.ASCII.GetBytes)];
        _context = new SslContextHandle(Libssl.SSL_CTX_new_ex(WarpProvider.Library, null, Libssl.TLS_server_method()));
        try
        {
            SslContextHandle.Require(!_context.IsInvalid, "OpenSSL made no context for TLS servers");
            _ = Libssl.SSL_CTX_set_options(_context, Libssl.SSL_OP_NO_RENEGOTIATION | Libssl.SSL_OP_NO_COMPRESSION);
            Libssl.SetServerModes(_context);
            TicketCallback.SetResumption(_context, options);
            SetProtocol(options);
            _certificates = UseCertificates(options.Certificates);
            SslContextHandle.Require(Libssl.SetStatusCallback(_context, &GiveStatus), "OpenSSL takes no OCSP responses");
            if (options.ClientVerification is { } verification)
            {
                VerifyClients(verification);
            }

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

    /// <summary>
    /// Selects the first of ours that the client offers: <c>u8 length, name</c> each (RFC 7301 3.1; libssl has checked the lengths). The
    /// answer points into the client's list, which libssl copies from.
    /// </summary>
    [UnmanagedCallersOnly]
    private static int SelectProtocol(nint ssl, byte** selected, byte* selectedLength, byte* offered, uint offeredLength, void* argument)
    {
        try
        {
            return TlsServerConnection.Stepping is { } connection
                && TrySelectProtocol(connection.Context._applicationProtocols, ssl, selected, selectedLength, offered, offeredLength)
                    ? Libssl.SSL_TLSEXT_ERR_OK
                    : Libssl.SSL_TLSEXT_ERR_ALERT_FATAL;
        }
        catch (Exception exception)
        {
            // None may cross libssl.
            ProviderFailure.Raise(exception);
            return Libssl.SSL_TLSEXT_ERR_ALERT_FATAL;
        }
    }

    private static bool TrySelectProtocol(byte[][] protocols, nint ssl, byte** selected, byte* selectedLength, byte* offered, uint offeredLength)
    {
        foreach (byte[] protocol in protocols)
        {
            if (protocol.AsSpan().SequenceEqual("h2"u8) && !MayCarryHttp2(ssl))
            {
                continue;
            }

            for (uint i = 0; i < offeredLength && i + offered[i] < offeredLength; i += 1U + offered[i])
            {
                if (new ReadOnlySpan<byte>(offered + i + 1, offered[i]).SequenceEqual(protocol))
                {
                    *selected = offered + i + 1;
                    *selectedLength = offered[i];
                    return true;
                }
            }
        }

        return false;
    }
}
