using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <content>EVP_CIPHER and EVP_MAC, as far as the keys of session tickets need them.</content>
internal static unsafe partial class Libcrypto
{
    // The caller frees it, or keeps it for good.
    [LibraryImport(C, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint EVP_CIPHER_fetch(nint library, string name, byte* properties);

    // Copies the key and the iv.
    [LibraryImport(C)]
    public static partial int EVP_EncryptInit_ex2(nint context, nint cipher, byte* key, byte* iv, OsslParam* parameters);

    [LibraryImport(C)]
    public static partial int EVP_DecryptInit_ex2(nint context, nint cipher, byte* key, byte* iv, OsslParam* parameters);

    // With a key among them, the next bytes are those of a new message.
    [LibraryImport(C)]
    public static partial int EVP_MAC_CTX_set_params(nint context, OsslParam* parameters);

    [LibraryImport(C)]
    public static partial int RAND_bytes(byte* buffer, int count);
}
