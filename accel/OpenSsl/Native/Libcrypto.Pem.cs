using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <content>BIO and PEM: reading keys from memory.</content>
internal static unsafe partial class Libcrypto
{
    // Refers to the caller's bytes and does not copy them.
    [LibraryImport(C)]
    public static partial nint BIO_new_mem_buf(byte* bytes, int length);

    [LibraryImport(C)]
    public static partial int BIO_free(nint bio);

    // Without a callback OpenSSL asks on the terminal.
    [LibraryImport(C, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint PEM_read_bio_PrivateKey_ex(
        nint bio,
        nint* key,
        delegate* unmanaged<byte*, int, int, void*, int> passwordCallback,
        void* callbackState,
        nint library,
        string? properties);
}
