using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Tls;

namespace WarpDrive.OpenSsl.Native;

/// <content>The certificates of one connection.</content>
internal static unsafe partial class Libssl
{
    // Takes its own references, also of the chain's members; the stack stays the caller's, and may be null. Each type of key has its own place, of
    // which an earlier content is replaced when isReplacing is 1.
    [LibraryImport(Ssl)]
    public static partial int SSL_use_cert_and_key(nint ssl, nint certificate, nint key, nint chain, int isReplacing);

    // Of the connection alone: its context keeps what it has.
    [LibraryImport(Ssl)]
    public static partial void SSL_certs_clear(SslHandle ssl);

    // The library's own default depends on who built it.
    [LibraryImport(Ssl)]
    public static partial void SSL_set_security_level(nint ssl, int level);
}
