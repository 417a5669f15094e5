using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>
/// The client's side of a TLS connection over a non-blocking socket, as a state machine that the caller drives: a step that wants to read or
/// write is repeated when the socket can. Begun by a context, again and again; begun anew it allocates nothing managed. One thread at a
/// time. Every member leaves OpenSSL's error queue of its thread empty.
/// </summary>
public sealed unsafe class TlsClientConnection : IDisposable
{
    private readonly SslHandle _ssl = new();

    /// <summary>Why the last step failed.</summary>
    public TlsFailure Failure { get; private set; }

    /// <summary>The version agreed on.</summary>
    public TlsVersion Version => (TlsVersion)Libssl.SSL_version(_ssl);

    /// <summary>The cipher suite agreed on, as OpenSSL names it.</summary>
    public string Cipher => Text(Libssl.SSL_CIPHER_get_name(Libssl.SSL_get_current_cipher(_ssl))) ?? "none";

    /// <summary>The group of the key exchange; null where it used none (RSA key exchange).</summary>
    public string? Group => Libssl.NegotiatedGroup(_ssl) is > 0 and int group ? Text(Libssl.SSL_group_to_name(_ssl, group)) : null;

    /// <summary>The application protocol agreed on; null for none.</summary>
    public string? ApplicationProtocol
    {
        get
        {
            byte* name;
            uint length;
            Libssl.SSL_get0_alpn_selected(_ssl, &name, &length);
            return length == 0 ? null : Marshal.PtrToStringUTF8((nint)name, (int)length);
        }
    }

    /// <summary>Whether the handshake resumed a session, so that the server used no private key.</summary>
    public bool IsResumed => Libssl.SSL_session_reused(_ssl) == 1;

    /// <summary>Type and size of the public key in the peer's certificate: <c>RSA</c>, 2048. Null without a certificate.</summary>
    public (string Type, int Bits)? PeerKey
    {
        get
        {
            nint certificate = Libssl.SSL_get0_peer_certificate(_ssl);
            nint key = certificate == 0 ? 0 : Libcrypto.X509_get0_pubkey(certificate);
            (string, int)? answer = key == 0 ? null : (Text(Libcrypto.EVP_PKEY_get0_type_name(key)) ?? "unknown", Libcrypto.EVP_PKEY_get_bits(key));
            Libcrypto.ERR_clear_error();
            return answer;
        }
    }

    /// <summary>Sends and takes handshake messages until it is done or the socket makes it wait.</summary>
    public TlsStatus Handshake()
    {
        Libcrypto.ERR_clear_error();
        int returned = Libssl.SSL_do_handshake(_ssl);
        return returned == 1 ? TlsStatus.Done : Judge(returned, Marshal.GetLastPInvokeError());
    }

    /// <summary>Reads what the peer sent, and takes its session tickets on the way.</summary>
    /// <param name="buffer">Not empty.</param>
    /// <param name="count">How many bytes came; 0 unless the status is <see cref="TlsStatus.Done"/>.</param>
    public TlsStatus Read(Span<byte> buffer, out int count)
    {
        fixed (byte* bytes = buffer)
        {
            Libcrypto.ERR_clear_error();
            int returned = Libssl.SSL_read(_ssl, bytes, buffer.Length);
            int error = Marshal.GetLastPInvokeError();
            count = Math.Max(returned, 0);
            return returned > 0 ? TlsStatus.Done : Judge(returned, error);
        }
    }

    /// <summary>Writes some bytes. A write that has to wait is repeated with the same bytes.</summary>
    /// <param name="data">Not empty.</param>
    /// <param name="count">How many were taken; 0 unless the status is <see cref="TlsStatus.Done"/>.</param>
    public TlsStatus Write(ReadOnlySpan<byte> data, out int count)
    {
        fixed (byte* bytes = data)
        {
            Libcrypto.ERR_clear_error();
            int returned = Libssl.SSL_write(_ssl, bytes, data.Length);
            int error = Marshal.GetLastPInvokeError();
            count = Math.Max(returned, 0);
            return returned > 0 ? TlsStatus.Done : Judge(returned, error);
        }
    }

    /// <summary>Sends close_notify. Reading on is allowed, until <see cref="TlsStatus.Closed"/>. Not after a failure.</summary>
    public TlsStatus Shutdown()
    {
        Libcrypto.ERR_clear_error();
        int returned = Libssl.SSL_shutdown(_ssl);
        return returned >= 0 ? TlsStatus.Done : Judge(returned, Marshal.GetLastPInvokeError());
    }

    /// <summary>Keeps the session for later connections to the same name; in TLS 1.3 there is none before a ticket was read.</summary>
    /// <returns>Whether there was one; <paramref name="session"/> is as it was if not.</returns>
    public bool SaveSession(TlsSession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        nint taken = Libssl.SSL_get1_session(_ssl);
        if (taken == 0 || Libssl.SSL_SESSION_is_resumable(taken) != 1)
        {
            Libssl.SSL_SESSION_free(taken);
            return false;
        }

        session.Replace(taken);
        return true;
    }

    /// <summary>Frees the connection and its keys; this object may be used for another. The socket is the caller's.</summary>
    public void End() => _ssl.Replace(0);

    /// <inheritdoc/>
    public void Dispose() => _ssl.Dispose();

    /// <summary>Takes ownership of an SSL whose role is set.</summary>
    internal void Begin(nint ssl)
    {
        ObjectDisposedException.ThrowIf(_ssl.IsClosed, this);
        Failure = default;
        _ssl.Replace(ssl);
    }

    private static string? Text(byte* text) => Marshal.PtrToStringUTF8((nint)text);

    private TlsStatus Judge(int returned, int error)
    {
        TlsStatus status = _ssl.Judge(returned, error, out TlsFailure failure);
        if (status == TlsStatus.Failed)
        {
            Failure = failure;
        }

        return status;
    }
}
