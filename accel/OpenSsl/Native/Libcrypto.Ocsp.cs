using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <content>OCSP: what a certificate authority says of a certificate (RFC 6960).</content>
internal static unsafe partial class Libcrypto
{
    public const int OCSP_RESPONSE_STATUS_SUCCESSFUL = 0;
    public const int V_OCSP_CERTSTATUS_GOOD = 0;
    public const int V_OCSP_CERTSTATUS_REVOKED = 1;

    // Moves the pointer past what it read.
    [LibraryImport(C)]
    public static partial nint d2i_OCSP_RESPONSE(nint* response, byte** der, nint length);

    // Accepts null.
    [LibraryImport(C)]
    public static partial void OCSP_RESPONSE_free(nint response);

    [LibraryImport(C)]
    public static partial int OCSP_response_status(nint response);

    // Belongs to the library.
    [LibraryImport(C)]
    public static partial byte* OCSP_response_status_str(nint status);

    // The caller frees it. Null for another type of response, or a damaged one.
    [LibraryImport(C)]
    public static partial nint OCSP_response_get1_basic(nint response);

    // Accepts null.
    [LibraryImport(C)]
    public static partial void OCSP_BASICRESP_free(nint basic);

    [LibraryImport(C)]
    public static partial int OCSP_resp_count(nint basic);

    // Belongs to the response.
    [LibraryImport(C)]
    public static partial nint OCSP_resp_get0(nint basic, int index);

    // Belongs to the single response.
    [LibraryImport(C)]
    public static partial nint OCSP_SINGLERESP_get0_id(nint single);

    // Each pointer may be null; what they receive belongs to the identifier.
    [LibraryImport(C)]
    public static partial int OCSP_id_get0_info(nint* nameHash, nint* digest, nint* keyHash, nint* serial, nint id);

    // The caller frees it.
    [LibraryImport(C)]
    public static partial nint OCSP_cert_to_id(nint digest, nint certificate, nint issuer);

    [LibraryImport(C)]
    public static partial void OCSP_CERTID_free(nint id);

    // 0 for equal ones.
    [LibraryImport(C)]
    public static partial int OCSP_id_cmp(nint left, nint right);

    // The times belong to the single response; nextUpdate may be null.
    [LibraryImport(C)]
    public static partial int OCSP_single_get0_status(nint single, int* reason, nint* revoked, nint* thisUpdate, nint* nextUpdate);

    // Signature, and whether the signer may speak for the authorities in the store; certificates are a stack of possible signers.
    [LibraryImport(C)]
    public static partial int OCSP_basic_verify(nint basic, nint certificates, X509StoreHandle store, nuint flags);

    [LibraryImport(C)]
    public static partial int OBJ_obj2nid(nint identifier);

    // Belongs to the library. Null for an unknown name.
    [LibraryImport(C)]
    public static partial byte* OBJ_nid2sn(int number);

    // Belongs to the library. Null for an unknown name.
    [LibraryImport(C)]
    public static partial nint EVP_get_digestbyname(byte* name);

    [LibraryImport(C)]
    public static partial int X509_NAME_digest(nint name, nint digest, byte* output, uint* length);

    [LibraryImport(C)]
    public static partial int ASN1_INTEGER_cmp(nint left, nint right);

    [LibraryImport(C)]
    public static partial int ASN1_STRING_length(nint text);

    // Belongs to the string.
    [LibraryImport(C)]
    public static partial byte* ASN1_STRING_get0_data(nint text);

    // A copy that CRYPTO_free frees; file and line are for debug builds of OpenSSL. Null without memory.
    [LibraryImport(C)]
    public static partial void* CRYPTO_memdup(void* bytes, nuint length, byte* file, int line);

    [LibraryImport(C)]
    public static partial void CRYPTO_free(void* bytes, byte* file, int line);
}
