using System.Buffers;
using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Tls;

/// <summary>
/// The server's side of a TLS connection, as a state machine that the caller drives with bytes: each step takes what it can of the bytes
/// that the client sent, and writes what is to be sent, alerts included, to the caller's memory. One thread at a time; disposing during
/// a step frees the connection when the step returns. Nothing managed is allocated per step. Every member leaves OpenSSL's error queue of its
/// thread empty.
/// </summary>
public sealed unsafe partial class TlsServerConnection : IDisposable
{
    // The BIO finds the bytes here: all that libssl reads and writes happens inside a step, on its thread.
    [ThreadStatic]
    private static TlsServerConnection? _stepping;

    private readonly SslHandle _ssl = new();
    private ReadOnlySequence<byte> _received;
    private SequencePosition _next;             // of the segment after _segment
    private ReadOnlyMemory<byte> _segment;      // what is left of the current one
    private long _taken;
    private IBufferWriter<byte>? _toSend;

    /// <summary>Takes ownership of an SSL.</summary>
    internal TlsServerConnection(TlsServerContext context, nint ssl)
    {
        Context = context;
        _ssl.HoldServer(ssl);
    }

    /// <summary>How many connections of this process have their SSL still: those not disposed, and those disposed of which a step is under way.</summary>
    public static int LiveCount => SslHandle.HeldServerCount;

    /// <summary>How many bytes the steps so far wrote for the client.</summary>
    public long SentBytes { get; private set; }

    /// <summary>Why the last step failed.</summary>
    public TlsFailure Failure { get; private set; }

    /// <summary>The version agreed on.</summary>
    public TlsVersion Version => (TlsVersion)Libssl.SSL_version(_ssl);

    /// <summary>The cipher suite agreed on, by the number that IANA gave it; 0 before.</summary>
    public int CipherSuite => Libssl.SSL_get_current_cipher(_ssl) is not 0 and nint cipher ? Libssl.SSL_CIPHER_get_protocol_id(cipher) : 0;

    /// <summary>The group of the key exchange, as OpenSSL names it: <c>x25519</c>; null: none was used, or not yet.</summary>
    public string? Group => Libssl.NegotiatedGroup(_ssl) is > 0 and int group ? Marshal.PtrToStringUTF8((nint)Libssl.SSL_group_to_name(_ssl, group)) : null;

    /// <summary>The application protocol agreed on, in memory of the context; empty for none.</summary>
    public ReadOnlyMemory<byte> ApplicationProtocol
    {
        get
        {
            byte* name;
            uint length;
            Libssl.SSL_get0_alpn_selected(_ssl, &name, &length);
            return Context.FindProtocol(new ReadOnlySpan<byte>(name, (int)length));
        }
    }

    /// <summary>The name that the client asked for (RFC 6066 3), as it was sent; null for none, and in a resumed session of TLS 1.2.</summary>
    public string? ServerName => Marshal.PtrToStringUTF8((nint)Libssl.SSL_get_servername(_ssl, HostName));

    /// <summary>
    /// Whether the handshake resumes a session, so that no private key is used, nor will be: after a HelloRetryRequest, when the client may take
    /// its session back, it is false until the client has offered it again.
    /// </summary>
    public bool IsResumed => Libssl.SSL_session_reused(_ssl) == 1;

    /// <summary>Which key the last ticket was made with that the client has shown.</summary>
    public TlsTicketKeyUse TicketKeyUse { get; internal set; }

    /// <summary>The connection whose step runs on this thread.</summary>
    internal static TlsServerConnection? Stepping => _stepping;

    /// <summary>What it was made from.</summary>
    internal TlsServerContext Context { get; }

    private static int HostName => 0;       // TLSEXT_NAMETYPE_host_name

    /// <summary>Takes and makes handshake messages until it is done or the client has to send more.</summary>
    /// <param name="received">What the client sent; the step cuts off what it took. With <see cref="TlsStatus.WantRead"/> nothing is left.</param>
    /// <param name="toSend">Where the bytes for the client go, also of a step that fails.</param>
    public TlsStatus Handshake(ref ReadOnlySequence<byte> received, IBufferWriter<byte> toSend)
    {
        Begin(received, toSend);
        try
        {
            int returned = Libssl.SSL_do_handshake(_ssl);
            return returned == 1 ? EndHandshake() : Judge(returned);
        }
        finally
        {
            End(ref received);
        }
    }

    /// <summary>Decrypts, and answers post-handshake messages on the way.</summary>
    /// <inheritdoc cref="Handshake"/>
    /// <param name="received"/>
    /// <param name="toSend"/>
    /// <param name="buffer">Not empty. The rest of a record that does not fit is there for the next call, which needs no bytes for it.</param>
    /// <param name="count">How many bytes were decrypted; 0 unless the status is <see cref="TlsStatus.Done"/>.</param>
    public TlsStatus Read(ref ReadOnlySequence<byte> received, IBufferWriter<byte> toSend, Span<byte> buffer, out int count)
    {
        Begin(received, toSend);
        try
        {
            int returned;
            fixed (byte* bytes = buffer)
            {
                returned = Libssl.SSL_read(_ssl, bytes, buffer.Length);
            }

            count = Math.Max(returned, 0);
            return returned > 0 ? TlsStatus.Done : Judge(returned);
        }
        finally
        {
            End(ref received);
        }
    }

    /// <summary>Encrypts all of <paramref name="data"/>, which is not empty.</summary>
    public TlsStatus Write(ReadOnlySpan<byte> data, IBufferWriter<byte> toSend)
    {
        ReadOnlySequence<byte> nothing = default;
        Begin(nothing, toSend);
        try
        {
            int returned;
            fixed (byte* bytes = data)
            {
                returned = Libssl.SSL_write(_ssl, bytes, data.Length);
            }

            return returned > 0 ? TlsStatus.Done : Judge(returned);
        }
        finally
        {
            End(ref nothing);
        }
    }

    /// <summary>Makes close_notify, once. Nothing can be written after it; reading on is allowed. Not after a failure.</summary>
    public TlsStatus Shutdown(IBufferWriter<byte> toSend)
    {
        ReadOnlySequence<byte> nothing = default;
        Begin(nothing, toSend);
        try
        {
            int returned = Libssl.SSL_shutdown(_ssl);
            return returned >= 0 ? TlsStatus.Done : Judge(returned);
        }
        finally
        {
            End(ref nothing);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ssl.Dispose();

    /// <summary>For the BIO: copies what was received and not yet taken. Returns how much; 0 at the end.</summary>
    internal int Take(Span<byte> buffer)
    {
        int count = 0;
        while (count < buffer.Length)
        {
            if (_segment.IsEmpty)
            {
                if (!_received.TryGet(ref _next, out _segment))
                {
                    break;
                }

                continue;
            }

            int part = Math.Min(_segment.Length, buffer.Length - count);
            _segment.Span[..part].CopyTo(buffer[count..]);
            _segment = _segment[part..];
            count += part;
        }

        _taken += count;
        return count;
    }

    /// <summary>For the BIO: hands bytes to the caller.</summary>
    internal void Send(ReadOnlySpan<byte> bytes)
    {
        _toSend!.Write(bytes);
        SentBytes += bytes.Length;
    }

    private void Begin(in ReadOnlySequence<byte> received, IBufferWriter<byte> toSend)
    {
        _received = received;
        _next = received.Start;
        _segment = default;
        _taken = 0;
        _toSend = toSend;
        Failure = default;
        _stepping = this;
        Libcrypto.ERR_clear_error();
    }

    private void End(ref ReadOnlySequence<byte> received)
    {
        _stepping = null;
        _toSend = null;
        _segment = default;
        _received = default;
        _next = default;
        if (_taken > 0)
        {
            received = received.Slice(_taken);
        }
    }

    private TlsStatus Judge(int returned)
    {
        TlsStatus status = _ssl.Judge(returned, 0, out TlsFailure failure);
        if (status == TlsStatus.Failed)
        {
            Failure = failure;
        }

        return status;
    }
}
