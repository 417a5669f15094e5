using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace WarpDrive.OpenSsl.Native;

/// <content>X509: certificates that a server shows, what a connection says of its peer's, and error codes as libssl leaves them.</content>
internal static unsafe partial class Libcrypto
{
    // Moves the pointer past what it read; makes a new certificate when *certificate is null.
    [LibraryImport(C)]
    public static partial nint d2i_X509(nint* certificate, byte** der, nint length);

    // Accepts null.
    [LibraryImport(C)]
    public static partial void X509_free(nint certificate);

    // STACK_OF(X509) is one of pointers.
    [LibraryImport(C)]
    public static partial nint OPENSSL_sk_new_null();

    // Returns how many there are now; 0 for no memory.
    [LibraryImport(C)]
    public static partial int OPENSSL_sk_push(nint stack, nint item);

    // The items are the caller's. Accepts null.
    [LibraryImport(C)]
    public static partial void OPENSSL_sk_free(nint stack);

    // 1 when the certificate is of the key; else an error is in the queue.
    [LibraryImport(C)]
    public static partial int X509_check_private_key(nint certificate, SafeEvpPKeyHandle key);

    // Belongs to the certificate.
    [LibraryImport(C)]
    public static partial nint X509_get0_pubkey(nint certificate);

    [LibraryImport(C)]
    public static partial int EVP_PKEY_get_bits(nint key);

    // Belongs to the key. Null for a key that no provider holds.
    [LibraryImport(C)]
    public static partial byte* EVP_PKEY_get0_type_name(nint key);

    // Belongs to the library.
    [LibraryImport(C)]
    public static partial byte* X509_verify_cert_error_string(nint code);

    [LibraryImport(C)]
    public static partial int X509_VERIFY_PARAM_set1_ip_asc(nint parameters, byte* address);

    // The oldest of the queue, which stays; 0 for none.
    [LibraryImport(C)]
    public static partial nuint ERR_peek_error();

    // Belongs to the library. Null for an unknown code.
    [LibraryImport(C)]
    public static partial byte* ERR_reason_error_string(nuint code);

    /// <summary>The library that an error code names, and the reason.</summary>
    public static (int Library, int Reason) Split(nuint code) => ((int)(code >> LibraryShift) & 0xFF, (int)code & ReasonMask);
}
