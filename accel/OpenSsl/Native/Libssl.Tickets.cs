using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Tls;

namespace WarpDrive.OpenSsl.Native;

/// <content>Session tickets: what a server resumes, and with which keys.</content>
internal static unsafe partial class Libssl
{
    // In TLS 1.3 it leaves tickets that point into the server's cache: those are off with the number of tickets.
    public const ulong SSL_OP_NO_TICKET = 1UL << 14;

    // Called for each ticket that is made (forEncryption 1: name and iv are written) or shown (0: they are read). Answers 1: the contexts are
    // set up; 2: they are, and the client gets a new ticket; 0: the key is not known; -1: the handshake fails.
    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_tlsext_ticket_key_evp_cb(
        SslContextHandle context, delegate* unmanaged<nint, byte*, byte*, nint, nint, int, int> callback);

    // Tickets of TLS 1.3 after a full handshake; a resumed one is followed by one.
    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_num_tickets(SslContextHandle context, nuint count);

    // How long a session may be resumed, in seconds: told to clients and written into tickets. Returns what it was.
    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_set_timeout(SslContextHandle context, nint seconds);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_max_early_data(SslContextHandle context, uint count);

    [LibraryImport(Ssl)]
    public static partial int SSL_version(nint ssl);
}
