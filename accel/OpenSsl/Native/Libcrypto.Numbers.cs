using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <content>BN: big numbers, and the blinding of RSA.</content>
internal static unsafe partial class Libcrypto
{
    public const int BN_FLG_CONSTTIME = 4;

    [LibraryImport(C)]
    public static partial nint BN_CTX_new();

    // Zeroes the numbers in it. Accepts null.
    [LibraryImport(C)]
    public static partial void BN_CTX_free(nint context);

    [LibraryImport(C)]
    public static partial nint BN_new();

    [LibraryImport(C)]
    public static partial void BN_set_flags(nint number, int flags);

    [LibraryImport(C)]
    public static partial int BN_cmp(nint left, nint right);

    [LibraryImport(C)]
    public static partial int BN_is_one(nint number);

    [LibraryImport(C)]
    public static partial int BN_sub_word(nint number, nuint word);

    [LibraryImport(C)]
    public static partial int BN_mul(nint product, nint left, nint right, nint context);

    // Fails for a modulus of zero.
    [LibraryImport(C)]
    public static partial int BN_mod_mul(nint product, nint left, nint right, nint modulus, nint context);

    [LibraryImport(C)]
    public static partial int BN_num_bits(nint number);

    // Big-endian, left-padded with zeros, in constant time. Returns -1 when the number needs more bytes than length.
    [LibraryImport(C)]
    public static partial int BN_bn2binpad(nint number, byte* output, int length);

    // Makes a new number when number is null.
    [LibraryImport(C)]
    public static partial nint BN_bin2bn(byte* input, int length, nint number);

    [LibraryImport(C)]
    public static partial void BN_clear(nint number);

    [LibraryImport(C)]
    public static partial nint BN_MONT_CTX_new();

    // Accepts null.
    [LibraryImport(C)]
    public static partial void BN_MONT_CTX_free(nint montgomery);

    [LibraryImport(C)]
    public static partial int BN_MONT_CTX_set(nint montgomery, nint modulus, nint context);

    // Copies exponent and modulus, but refers to the Montgomery context. Blinding and exponentiation may be null.
    [LibraryImport(C)]
    public static partial nint BN_BLINDING_create_param(
        nint blinding, nint exponent, nint modulus, nint context, nint exponentiation, nint montgomery);

    // Squares r, or makes a new one after 32 uses, then multiplies; inverse receives what BN_BLINDING_invert_ex needs.
    [LibraryImport(C)]
    public static partial int BN_BLINDING_convert_ex(nint number, nint inverse, nint blinding, nint context);

    [LibraryImport(C)]
    public static partial int BN_BLINDING_invert_ex(nint number, nint inverse, nint blinding, nint context);

    // Zeroes r. Accepts null.
    [LibraryImport(C)]
    public static partial void BN_BLINDING_free(nint blinding);

    // Zeroes the number before its memory is returned. Accepts null.
    [LibraryImport(C)]
    public static partial void BN_clear_free(nint number);
}
