using System.Runtime.InteropServices;
using System.Text;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>
/// What the client connections of one kind share: versions, ciphers, trust. Any thread may start connections; disposing leaves the
/// running ones be.
/// </summary>
public sealed unsafe class TlsClientContext : IDisposable
{
    private readonly SslContextHandle _context;
    private readonly bool _isVerifying;

    /// <summary>Makes a context.</summary>
    /// <exception cref="OpenSslException">OpenSSL knows none of the ciphers, not all of the groups, or cannot read the trusted file.</exception>
    public TlsClientContext(TlsClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Libcrypto.ERR_clear_error();
        _context = new SslContextHandle(Libssl.SSL_CTX_new(Libssl.TLS_client_method()));
        _isVerifying = options.TrustedFile is not null;
        try
        {
            SslContextHandle.Require(!_context.IsInvalid, "OpenSSL made no context for TLS clients");
            Libssl.SetReadAhead(_context); // one read(2) takes all records of a flight
            Libssl.SetSessionCacheOff(_context); // sessions are the caller's
            Libssl.SetNonBlockingWrites(_context);
            Apply(options);
        }
        catch
        {
            _context.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Begins a connection over a connected or connecting socket. The first bytes are sent by <see cref="TlsClientConnection.Handshake"/>.
    /// </summary>
    /// <param name="connection">Used again: what it held before is freed.</param>
    /// <param name="socket">Stays the caller's, who closes it after the connection.</param>
    /// <param name="name">Sent to the server unless it is an address; verified if this context verifies.</param>
    /// <param name="session">Offered to the server if it is resumable; may be null.</param>
    /// <exception cref="OpenSslException">No memory.</exception>
    public void Connect(TlsClientConnection connection, TcpSocket socket, TlsServerName name, TlsSession? session)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(name);
        Libcrypto.ERR_clear_error();
        nint ssl = Libssl.SSL_new(_context);
        connection.Begin(ssl);
        SslContextHandle.Require(ssl != 0 && Libssl.SSL_set_fd(ssl, socket.Number) == 1, "OpenSSL made no connection");
        Libssl.SSL_set_connect_state(ssl);
        fixed (byte* bytes = name.Bytes)
        {
            SslContextHandle.Require(name.IsAddress || Libssl.SetServerName(ssl, bytes), "OpenSSL refused the server's name");
            if (_isVerifying)
            {
                int isTaken = name.IsAddress
                    ? Libcrypto.X509_VERIFY_PARAM_set1_ip_asc(Libssl.SSL_get0_param(ssl), bytes)
                    : Libssl.SSL_set1_host(ssl, bytes);
                SslContextHandle.Require(isTaken == 1, "OpenSSL refused the name to verify");
            }
        }

        if (session is { IsResumable: true })
        {
            SslContextHandle.Require(Libssl.SSL_set_session(ssl, session.Pointer) == 1, "OpenSSL refused the session");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _context.Dispose();

    private void Apply(TlsClientOptions options)
    {
        _context.SetVersions(options.LowestVersion, options.HighestVersion);
        _context.SetCiphers(options.CipherList, options.CipherSuites);
        _context.SetGroups(options.Groups);
        if (options.ApplicationProtocols.Count > 0)
        {
            byte[] protocols = [.. options.ApplicationProtocols.SelectMany(static name => Encoding.ASCII.GetBytes(name).Prepend((byte)name.Length))];
            fixed (byte* bytes = protocols)
            {
                SslContextHandle.Require(Libssl.SSL_CTX_set_alpn_protos(_context, bytes, (uint)protocols.Length) == 0, "OpenSSL refused the application protocols");
            }
        }

        if (options.TrustedFile is string trusted)
        {
            SslContextHandle.Require(Libssl.SSL_CTX_load_verify_file(_context, trusted) == 1, $"OpenSSL cannot read certificates from '{trusted}'");
            Libssl.SSL_CTX_set_verify(_context, Libssl.SSL_VERIFY_PEER, null);
        }
        else
        {
            // Without a callback libssl would verify the chain and then ignore what it found.
            Libssl.SSL_CTX_set_verify(_context, Libssl.SSL_VERIFY_NONE, null);
            Libssl.SSL_CTX_set_cert_verify_callback(_context, &AcceptChain, null);
        }
    }

    [UnmanagedCallersOnly]
    private static int AcceptChain(nint storeContext, void* argument) => 1;
}
