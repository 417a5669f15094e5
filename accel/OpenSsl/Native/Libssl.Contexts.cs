using System.Runtime.InteropServices;
using WarpDrive.OpenSsl.Tls;

namespace WarpDrive.OpenSsl.Native;

/// <content>SSL_CTX: what the connections made from one context share.</content>
internal static unsafe partial class Libssl
{
    public const int SSL_VERIFY_NONE = 0;
    public const int SSL_VERIFY_PEER = 1;

    private const int SSL_CTRL_MODE = 33;
    private const int SSL_CTRL_SET_READ_AHEAD = 41;
    private const int SSL_CTRL_SET_SESS_CACHE_MODE = 44;
    private const int SSL_CTRL_SET_GROUPS_LIST = 92;
    private const int SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
    private const int SSL_CTRL_SET_MAX_PROTO_VERSION = 124;
    private const int SSL_MODE_ENABLE_PARTIAL_WRITE = 1;
    private const int SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER = 2;
    private const int SSL_SESS_CACHE_OFF = 0;

    // Belongs to the library.
    [LibraryImport(Ssl)]
    public static partial nint TLS_client_method();

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_new(nint method);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_free(nint context);

    // TLS 1.2 and below. Fails only when nothing of the list is known.
    [LibraryImport(Ssl, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_set_cipher_list(SslContextHandle context, string list);

    // TLS 1.3. Unlike the list above, one unknown name fails it.
    [LibraryImport(Ssl, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_set_ciphersuites(SslContextHandle context, string list);

    // Returns 0 for success, unlike its neighbours. Each protocol is one byte of length and the name.
    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_alpn_protos(SslContextHandle context, byte* protocols, uint length);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_verify(SslContextHandle context, int mode, void* callback);

    // Replaces the verification of the chain; the callback answers 1 for a chain that is accepted.
    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_cert_verify_callback(
        SslContextHandle context, delegate* unmanaged<nint, void*, int> callback, void* argument);

    [LibraryImport(Ssl, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_load_verify_file(SslContextHandle context, string file);

    // The rest are macros over SSL_CTX_ctrl. A version of 0 is the library's own bound.
    public static bool SetVersions(SslContextHandle context, int lowest, int highest) =>
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, lowest, null) == 1
        && SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, highest, null) == 1;

    // Fails for one unknown name.
    public static bool SetGroups(SslContextHandle context, byte* list) => SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, list) == 1;

    public static void SetReadAhead(SslContextHandle context) => SSL_CTX_ctrl(context, SSL_CTRL_SET_READ_AHEAD, 1, null);

    public static void SetSessionCacheOff(SslContextHandle context) =>
        SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, null);

    // A write may take a part, and may be repeated from memory that has moved: what managed callers do.
    public static void SetNonBlockingWrites(SslContextHandle context) =>
        SSL_CTX_ctrl(context, SSL_CTRL_MODE, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, null);

    [LibraryImport(Ssl)]
    private static partial nint SSL_CTX_ctrl(SslContextHandle context, int command, nint number, void* pointer);
}
