using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Tls;

namespace WarpDrive.OpenSsl.Native;

/// <content>SSL_SESSION: what an abbreviated handshake needs of an earlier one.</content>
internal static unsafe partial class Libssl
{
    // The caller frees it. In TLS 1.3 it changes with each ticket that is read.
    [LibraryImport(Ssl)]
    public static partial nint SSL_get1_session(SslHandle ssl);

    // Takes its own reference. Null forgets a session.
    [LibraryImport(Ssl)]
    public static partial int SSL_set_session(nint ssl, nint session);

    [LibraryImport(Ssl)]
    public static partial int SSL_session_reused(SslHandle ssl);

    // 0 without a ticket or an identifier, and once a connection of the session was freed without a shutdown.
    [LibraryImport(Ssl)]
    public static partial int SSL_SESSION_is_resumable(nint session);

    // Zeroes the keys in it. Accepts null.
    [LibraryImport(Ssl)]
    public static partial void SSL_SESSION_free(nint session);
}
