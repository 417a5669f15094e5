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

    // Parses Proc-Type and DEK-Info; the header ends with a zero.
    [LibraryImport(C)]
    public static partial int PEM_get_EVP_CIPHER_INFO(byte* header, CipherInfo* cipher);

    // Decrypts in place.
    [LibraryImport(C)]
    public static partial int PEM_do_header(
        CipherInfo* cipher, byte* data, nint* length, delegate* unmanaged<byte*, int, int, void*, int> passwordCallback, void* callbackState);

    // Moves the pointer past what it read.
    [LibraryImport(C)]
    public static partial nint d2i_X509_SIG(nint* signature, byte** der, nint length);

    // Accepts null.
    [LibraryImport(C)]
    public static partial void X509_SIG_free(nint signature);

    // Null for a wrong password. The caller frees it.
    [LibraryImport(C)]
    public static partial nint PKCS8_decrypt(nint encrypted, byte* password, int passwordLength);

    // Zeroes the key in it. Accepts null.
    [LibraryImport(C)]
    public static partial void PKCS8_PRIV_KEY_INFO_free(nint info);

    // What is returned belongs to the info; each pointer may be null.
    [LibraryImport(C)]
    public static partial int PKCS8_pkey_get0(nint* algorithm, byte** key, int* keyLength, nint* parameters, nint info);
}

/// <summary>EVP_CIPHER_INFO: a cipher and its initial vector.</summary>
internal unsafe struct CipherInfo
{
    public nint Cipher;
    public fixed byte Vector[16];
}
