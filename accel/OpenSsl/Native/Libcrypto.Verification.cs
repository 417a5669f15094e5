using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <content>X509_STORE: trust, revocation lists, and the verification of chains.</content>
internal static unsafe partial class Libcrypto
{
    public const int X509_V_OK = 0;
    public const int X509_V_ERR_UNABLE_TO_GET_CRL = 3;
    public const nuint X509_V_FLAG_CRL_CHECK = 0x4;
    public const nuint X509_V_FLAG_CRL_CHECK_ALL = 0x8;
    public const nuint X509_V_FLAG_PARTIAL_CHAIN = 0x80000;
    public const nuint X509_V_FLAG_NO_CHECK_TIME = 0x200000;

    [LibraryImport(C)]
    public static partial nint X509_STORE_new();

    // Accepts null.
    [LibraryImport(C)]
    public static partial void X509_STORE_free(nint store);

    // Takes its own reference. A certificate that is there already is no mistake.
    [LibraryImport(C)]
    public static partial int X509_STORE_add_cert(X509StoreHandle store, nint certificate);

    // Takes its own reference.
    [LibraryImport(C)]
    public static partial int X509_STORE_add_crl(X509StoreHandle store, nint list);

    // Adds to the flags there are.
    [LibraryImport(C)]
    public static partial int X509_STORE_set_flags(X509StoreHandle store, nuint flags);

    // Called for each error, and for each certificate that is good; the answer 1 goes on.
    [LibraryImport(C)]
    public static partial void X509_STORE_set_verify_cb(X509StoreHandle store, delegate* unmanaged<int, nint, int> callback);

    [LibraryImport(C)]
    public static partial nint X509_STORE_CTX_new();

    // Accepts null.
    [LibraryImport(C)]
    public static partial void X509_STORE_CTX_free(nint context);

    // Refers to all three; the stack of further certificates may be null.
    [LibraryImport(C)]
    public static partial int X509_STORE_CTX_init(nint context, nint store, nint certificate, nint untrusted);

    // Purpose and trust by name: "ssl_client".
    [LibraryImport(C)]
    public static partial int X509_STORE_CTX_set_default(nint context, byte* name);

    // Belongs to the context.
    [LibraryImport(C)]
    public static partial nint X509_STORE_CTX_get0_param(nint context);

    // Copies what is set.
    [LibraryImport(C)]
    public static partial int X509_VERIFY_PARAM_set1(nint parameters, nint source);

    [LibraryImport(C)]
    public static partial void X509_VERIFY_PARAM_set_auth_level(nint parameters, int level);

    // 1 for a chain that is accepted; less than 0 for a mistake of the caller.
    [LibraryImport(C)]
    public static partial int X509_verify_cert(nint context);

    [LibraryImport(C)]
    public static partial int X509_STORE_CTX_get_error(nint context);

    [LibraryImport(C)]
    public static partial void X509_STORE_CTX_set_error(nint context, int error);

    [LibraryImport(C)]
    public static partial int X509_STORE_CTX_get_error_depth(nint context);

    // Belongs to the context: the certificate that was verified, then those that lead to the trusted one, which is the last.
    [LibraryImport(C)]
    public static partial nint X509_STORE_CTX_get0_chain(nint context);

    // Moves the pointer past what it wrote; returns the length, also when output is null.
    [LibraryImport(C)]
    public static partial int i2d_X509(nint certificate, byte** output);

    // Belongs to the certificate.
    [LibraryImport(C)]
    public static partial nint X509_get_subject_name(nint certificate);

    // Belongs to the certificate.
    [LibraryImport(C)]
    public static partial nint X509_get_issuer_name(nint certificate);

    // Belongs to the certificate.
    [LibraryImport(C)]
    public static partial nint X509_get0_serialNumber(nint certificate);

    // 0 for equal names.
    [LibraryImport(C)]
    public static partial int X509_NAME_cmp(nint left, nint right);

    // Moves the pointer past what it read.
    [LibraryImport(C)]
    public static partial nint d2i_X509_CRL(nint* list, byte** der, nint length);

    // Accepts null.
    [LibraryImport(C)]
    public static partial void X509_CRL_free(nint list);

    // Belongs to the list.
    [LibraryImport(C)]
    public static partial nint X509_CRL_get_issuer(nint list);

    // Belongs to the list.
    [LibraryImport(C)]
    public static partial nint X509_CRL_get0_lastUpdate(nint list);

    // Belongs to the list. Null when the list does not say.
    [LibraryImport(C)]
    public static partial nint X509_CRL_get0_nextUpdate(nint list);

    // 1 for a signature of this key.
    [LibraryImport(C)]
    public static partial int X509_CRL_verify(nint list, nint key);

    [LibraryImport(C)]
    public static partial int i2d_X509_NAME(nint name, byte** output);

    // The time from one to the other.
    [LibraryImport(C)]
    public static partial int ASN1_TIME_diff(int* days, int* seconds, nint from, nint to);

    // The caller frees it. Time in seconds since 1970.
    [LibraryImport(C)]
    public static partial nint ASN1_TIME_set(nint time, nint seconds);

    // Accepts null.
    [LibraryImport(C)]
    public static partial void ASN1_TIME_free(nint time);
}
