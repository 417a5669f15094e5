using System.Buffers;
using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.Tests.Unit.Tickets;

/// <summary>A client of libssl in memory that keeps its session, and offers it in the next handshake. One thread.</summary>
internal sealed unsafe partial class TicketClient : IDisposable
{
    private readonly SslContextHandle _context = new(Libssl.SSL_CTX_new(Libssl.TLS_client_method()));
    private readonly TlsSession _session = new();

    public TicketClient(TlsVersion version, string? groups = null)
    {
        _context.SetVersions(version, version);
        _context.SetGroups(groups);
        Libssl.SetSessionCacheOff(_context);
    }

    /// <summary>Whether there is a session to offer.</summary>
    public bool HasSession => _session.IsResumable;

    /// <summary>The name of the key that the ticket was made with.</summary>
    public string KeyName => Convert.ToHexStringLower(Ticket[..TlsTicketKeys.NameBytes]);

    /// <summary>The ticket, in the memory of libssl: what is written here is what is shown next.</summary>
    public Span<byte> Ticket
    {
        get
        {
            byte* ticket;
            nuint length;
            SSL_SESSION_get0_ticket(_session.Pointer, &ticket, &length);
            return new Span<byte>(ticket, (int)length);
        }
    }

    /// <summary>How long the server says that it takes the ticket.</summary>
    public TimeSpan Lifetime => TimeSpan.FromSeconds((long)SSL_SESSION_get_ticket_lifetime_hint(_session.Pointer));

    /// <summary>What the server's steps of the last handshake allocated of managed memory.</summary>
    public long ServerAllocatedBytes { get; private set; }

    /// <summary>How much the server would take before the handshake is done.</summary>
    public uint MaxEarlyData => SSL_SESSION_get_max_early_data(_session.Pointer);

    /// <summary>One handshake with a context and one byte from the server, after which the session is kept.</summary>
    public Visit Visit(TlsServerContext server)
    {
        using TlsServerConnection tls = server.Accept();
        using Connection client = Connect();
        var toSend = new ArrayBufferWriter<byte>(64 * 1024);
        ServerAllocatedBytes = 0;
        bool? isResumedAtFirst = null;
        byte[] sent = client.Handshake([]);
        TlsStatus status;
        do
        {
            var received = new ReadOnlySequence<byte>(sent);
            long before = GC.GetAllocatedBytesForCurrentThread();
            status = tls.Handshake(ref received, toSend);
            ServerAllocatedBytes += GC.GetAllocatedBytesForCurrentThread() - before;
            isResumedAtFirst ??= tls.IsResumed;
            sent = client.Handshake(toSend.WrittenSpan);
            toSend.ResetWrittenCount();
        }
        while (status == TlsStatus.WantRead);
        Assert.Equal((TlsStatus.Done, TlsStatus.Done), (client.Status, status));
        Assert.Equal(TlsStatus.Done, tls.Write([42], toSend));
        Assert.Equal(tls.IsResumed, client.IsResumed);
        client.KeepSession(toSend.WrittenSpan);
        return new Visit(tls.IsResumed, tls.TicketKeyUse, isResumedAtFirst.Value);
    }

    /// <summary>A connection that offers the session.</summary>
    public Connection Connect() => new(_context, _session);

    public void Dispose()
    {
        _session.Dispose();
        _context.Dispose();
    }

    [LibraryImport("libcrypto.so.3")]
    private static partial nint BIO_s_mem();

    [LibraryImport("libcrypto.so.3")]
    private static partial nint BIO_new(nint method);

    [LibraryImport("libcrypto.so.3")]
    private static partial int BIO_read(nint bio, byte* buffer, int length);

    [LibraryImport("libcrypto.so.3")]
    private static partial int BIO_write(nint bio, byte* bytes, int length);

    [LibraryImport("libssl.so.3")]
    private static partial void SSL_SESSION_get0_ticket(nint session, byte** ticket, nuint* length);

    [LibraryImport("libssl.so.3")]
    private static partial nuint SSL_SESSION_get_ticket_lifetime_hint(nint session);

    [LibraryImport("libssl.so.3")]
    private static partial uint SSL_SESSION_get_max_early_data(nint session);

    /// <summary>One connection: bytes in, bytes out.</summary>
    internal sealed class Connection : IDisposable
    {
        private readonly TlsClientConnection _tls = new();
        private readonly TlsSession _session;
        private readonly nint _received = BIO_new(BIO_s_mem());
        private readonly nint _toSend = BIO_new(BIO_s_mem());

        public Connection(SslContextHandle context, TlsSession session)
        {
            _session = session;
            nint ssl = Libssl.SSL_new(context);
            Libssl.SSL_set_bio(ssl, _received, _toSend);
            Libssl.SSL_set_connect_state(ssl);
            Assert.Equal(1, Libssl.SSL_set_session(ssl, session.IsResumable ? session.Pointer : 0));
            _tls.Begin(ssl);
        }

        public TlsStatus Status { get; private set; } = TlsStatus.WantRead;

        public bool IsResumed => _tls.IsResumed;

        /// <summary>Takes what the server sent, and returns what it is to be sent.</summary>
        public byte[] Handshake(ReadOnlySpan<byte> received)
        {
            Give(received);
            Status = Status == TlsStatus.WantRead ? _tls.Handshake() : Status;
            byte[] bytes = new byte[64 * 1024];
            fixed (byte* buffer = bytes)
            {
                return bytes[..Math.Max(0, BIO_read(_toSend, buffer, bytes.Length))];
            }
        }

        /// <summary>Takes one byte of data, with the tickets before it, and keeps the session for the next connection.</summary>
        public void KeepSession(ReadOnlySpan<byte> received)
        {
            Give(received);
            Assert.Equal(TlsStatus.Done, _tls.Read(new byte[1], out _));
            _tls.SaveSession(_session);
            _tls.Shutdown();
        }

        public void Dispose() => _tls.Dispose();

        private void Give(ReadOnlySpan<byte> bytes)
        {
            fixed (byte* buffer = bytes)
            {
                Assert.Equal(bytes.Length, bytes.IsEmpty ? 0 : BIO_write(_received, buffer, bytes.Length));
            }
        }
    }
}

/// <summary>What a handshake came to on the server's side, and what its first flight said of it.</summary>
internal sealed record Visit(bool IsResumed, TlsTicketKeyUse KeyUse, bool WasResumedAtFirst);
