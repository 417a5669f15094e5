using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace WarpDrive.OpenSsl.Native;

/// <content>EVP_PKEY: keys, and operations with them.</content>
internal static unsafe partial class Libcrypto
{
    public const int RSA_NO_PADDING = 3;
    public const int EVP_PKEY_PUBLIC_KEY = 0x86;
    public const int EVP_PKEY_KEYPAIR = 0x87;

    [LibraryImport(C)]
    public static partial void EVP_PKEY_free(nint key);

    [LibraryImport(C)]
    public static partial int EVP_PKEY_get_bits(SafeEvpPKeyHandle key);

    // 0 when the key has no group, or the name with its zero does not fit.
    [LibraryImport(C)]
    public static partial int EVP_PKEY_get_group_name(SafeEvpPKeyHandle key, byte* name, nuint size, nuint* length);

    // 1 when the private key is that of the public one.
    [LibraryImport(C)]
    public static partial int EVP_PKEY_pairwise_check(nint context);

    // Belongs to the key. Null for a key that no provider holds.
    [LibraryImport(C)]
    public static partial byte* EVP_PKEY_get0_type_name(SafeEvpPKeyHandle key);

    [LibraryImport(C)]
    public static partial nint EVP_PKEY_get0_provider(SafeEvpPKeyHandle key);

    // Makes a new number when *number is null, which the caller frees.
    [LibraryImport(C, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int EVP_PKEY_get_bn_param(SafeEvpPKeyHandle key, string name, nint* number);

    [LibraryImport(C, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint EVP_PKEY_CTX_new_from_name(nint library, string name, string? properties);

    [LibraryImport(C, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint EVP_PKEY_CTX_new_from_pkey(nint library, SafeEvpPKeyHandle key, string? properties);

    [LibraryImport(C)]
    public static partial void EVP_PKEY_CTX_free(nint context);

    [LibraryImport(C)]
    public static partial int EVP_PKEY_CTX_set_rsa_padding(nint context, int padding);

    [LibraryImport(C)]
    public static partial int EVP_PKEY_fromdata_init(nint context);

    [LibraryImport(C)]
    public static partial int EVP_PKEY_fromdata(nint context, nint* key, int selection, OsslParam* parameters);

    [LibraryImport(C)]
    public static partial int EVP_PKEY_sign_init(nint context);

    [LibraryImport(C)]
    public static partial int EVP_PKEY_sign(
        RsaContext context, byte* signature, nuint* signatureLength, byte* input, nuint inputLength);

    [LibraryImport(C)]
    public static partial int EVP_PKEY_encrypt_init(nint context);

    [LibraryImport(C)]
    public static partial int EVP_PKEY_encrypt(RsaContext context, byte* output, nuint* outputLength, byte* input, nuint inputLength);

    /// <summary>A copy of the key, with nothing that OpenSSL keeps once a key was used.</summary>
    /// <exception cref="OpenSslException">No memory.</exception>
    public static SafeEvpPKeyHandle Duplicate(SafeEvpPKeyHandle key)
    {
        nint copy = EVP_PKEY_dup(key);
        return copy != 0
            ? new SafeEvpPKeyHandle(copy, ownsHandle: true)
            : throw new OpenSslException(OpenSslError.Failed, $"OpenSSL did not copy a private key: {TakeErrors()}.");
    }

    [LibraryImport(C)]
    private static partial nint EVP_PKEY_dup(SafeEvpPKeyHandle key);
}
