using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Tls;

namespace WarpDrive.OpenSsl.Native;

/// <summary>Declarations of OpenSSL 3's libssl, one file per group, named as in its manual pages. Nothing here decides anything.</summary>
internal static unsafe partial class Libssl
{
    public const int SSL_ERROR_NONE = 0;
    public const int SSL_ERROR_SSL = 1;
    public const int SSL_ERROR_WANT_READ = 2;
    public const int SSL_ERROR_WANT_WRITE = 3;
    public const int SSL_ERROR_SYSCALL = 5;
    public const int SSL_ERROR_ZERO_RETURN = 6;

    // ERR_LIB_SSL of err.h, and reasons of sslerr.h. The reason of an alert that came in is SSL_AD_REASON_OFFSET + its number.
    public const int LibrarySsl = 20;
    public const int SSL_R_CERTIFICATE_VERIFY_FAILED = 134;
    public const int SSL_R_UNEXPECTED_EOF_WHILE_READING = 294;
    public const int SSL_AD_REASON_OFFSET = 1000;

    private const int SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
    private const int SSL_CTRL_GET_NEGOTIATED_GROUP = 134;
    private const string Ssl = "libssl.so.3";

    // libssl uses libcrypto, which .NET has to initialise first: see Libcrypto.
    static Libssl()
    {
        Libcrypto.RequireSameAsRuntime();
    }

    [LibraryImport(Ssl)]
    public static partial nint SSL_new(SslContextHandle context);

    // Accepts null. Frees the session's reference and its BIOs; a socket BIO leaves the descriptor open.
    [LibraryImport(Ssl)]
    public static partial void SSL_free(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_set_fd(nint ssl, int fd);

    [LibraryImport(Ssl)]
    public static partial void SSL_set_connect_state(nint ssl);

    // SSL_set_tlsext_host_name is a macro. Copies the name.
    public static bool SetServerName(nint ssl, byte* name) => SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, 0, name) == 1;

    // Copies the name. The same chain verification then checks it.
    [LibraryImport(Ssl)]
    public static partial int SSL_set1_host(nint ssl, byte* name);

    // Belongs to the connection.
    [LibraryImport(Ssl)]
    public static partial nint SSL_get0_param(nint ssl);

    // errno counts when SSL_get_error says SSL_ERROR_SYSCALL.
    [LibraryImport(Ssl, SetLastError = true)]
    public static partial int SSL_do_handshake(SslHandle ssl);

    [LibraryImport(Ssl, SetLastError = true)]
    public static partial int SSL_read(SslHandle ssl, byte* buffer, int count);

    [LibraryImport(Ssl, SetLastError = true)]
    public static partial int SSL_write(SslHandle ssl, byte* buffer, int count);

    // Returns 0, which is no failure, when close_notify went out and the peer's has not come.
    [LibraryImport(Ssl, SetLastError = true)]
    public static partial int SSL_shutdown(SslHandle ssl);

    // Looks at the error queue, which therefore must be empty before the call that it judges.
    [LibraryImport(Ssl)]
    public static partial int SSL_get_error(SslHandle ssl, int returned);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get_verify_result(SslHandle ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_version(SslHandle ssl);

    // Belongs to the library. Null before a cipher is agreed.
    [LibraryImport(Ssl)]
    public static partial nint SSL_get_current_cipher(SslHandle ssl);

    // Accepts null, and answers "(NONE)".
    [LibraryImport(Ssl)]
    public static partial byte* SSL_CIPHER_get_name(nint cipher);

    // SSL_get_negotiated_group is a macro. 0 where the key exchange used no group.
    public static int NegotiatedGroup(SslHandle ssl) => (int)SSL_ctrl(ssl, SSL_CTRL_GET_NEGOTIATED_GROUP, 0, null);

    // Belongs to the library. Null for a group that it does not know.
    [LibraryImport(Ssl)]
    public static partial byte* SSL_group_to_name(SslHandle ssl, int group);

    // Belongs to the connection. Null when the peer showed none, as in a resumed handshake of an imported session.
    [LibraryImport(Ssl)]
    public static partial nint SSL_get0_peer_certificate(SslHandle ssl);

    [LibraryImport(Ssl)]
    public static partial void SSL_get0_alpn_selected(SslHandle ssl, byte** data, uint* length);

    [LibraryImport(Ssl)]
    private static partial nint SSL_ctrl(nint ssl, int command, nint number, void* pointer);

    [LibraryImport(Ssl)]
    private static partial nint SSL_ctrl(SslHandle ssl, int command, nint number, void* pointer);
}
