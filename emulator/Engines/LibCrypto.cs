using System.Runtime.InteropServices;

namespace WarpDrive.Engines;

/// <summary>
/// Declarations of OpenSSL 3's libcrypto, as in its manual pages: numbers, modular exponentiation and what they need.
/// Pointers (BIGNUM, BN_CTX, BN_MONT_CTX) are <c>nint</c>; an <c>int</c> result is 1 for success and 0 for failure unless said otherwise.
/// </summary>
internal static unsafe partial class LibCrypto
{
    public const int BN_FLG_CONSTTIME = 4;
    public const int OPENSSL_VERSION_STRING = 6;
    public const int BN_R_NO_INVERSE = 108;
    public const int ERR_REASON_MASK = 0x7fffff;
    public const ulong OPENSSL_INIT_NO_ATEXIT = 0x80000;

    // The name that .NET's own cryptography loads, so that one copy of the library serves both.
    private const string Crypto = "libcrypto.so.3";

    [LibraryImport(Crypto)]
    public static partial int OPENSSL_init_crypto(ulong options, nint settings);

    // A static string: never freed.
    [LibraryImport(Crypto)]
    public static partial byte* OpenSSL_version(int type);

    // What failed last on this thread, and stays; 0: nothing.
    [LibraryImport(Crypto)]
    public static partial CULong ERR_peek_last_error();

    [LibraryImport(Crypto)]
    public static partial void ERR_clear_error();

    [LibraryImport(Crypto)]
    public static partial nint BN_new();

    [LibraryImport(Crypto)]
    public static partial void BN_clear(nint a);

    [LibraryImport(Crypto)]
    public static partial void BN_clear_free(nint a);

    [LibraryImport(Crypto)]
    public static partial void BN_set_flags(nint a, int flags);

    [LibraryImport(Crypto)]
    public static partial int BN_num_bits(nint a);

    [LibraryImport(Crypto)]
    public static partial int BN_ucmp(nint a, nint b);

    // Returns the number, or null on failure.
    [LibraryImport(Crypto)]
    public static partial nint BN_bin2bn(byte* s, int length, nint result);

    // Returns the length, or -1 when the number needs more than that.
    [LibraryImport(Crypto)]
    public static partial int BN_bn2binpad(nint a, byte* to, int length);

    [LibraryImport(Crypto)]
    public static partial int BN_add(nint r, nint a, nint b);

    [LibraryImport(Crypto)]
    public static partial int BN_usub(nint r, nint a, nint b);

    [LibraryImport(Crypto)]
    public static partial int BN_mul(nint r, nint a, nint b, nint context);

    [LibraryImport(Crypto)]
    public static partial int BN_sub_word(nint a, CULong word);

    // Quotient and remainder; either may be null.
    [LibraryImport(Crypto)]
    public static partial int BN_div(nint quotient, nint remainder, nint a, nint divisor, nint context);

    [LibraryImport(Crypto)]
    public static partial int BN_gcd(nint r, nint a, nint b, nint context);

    // Returns the number, or null when there is none (BN_R_NO_INVERSE) or on failure.
    [LibraryImport(Crypto)]
    public static partial nint BN_mod_inverse(nint r, nint a, nint n, nint context);

    [LibraryImport(Crypto)]
    public static partial int BN_mod_add_quick(nint r, nint a, nint b, nint m);

    // Its temporaries live until BN_CTX_free, which clears them.
    [LibraryImport(Crypto)]
    public static partial nint BN_CTX_new();

    [LibraryImport(Crypto)]
    public static partial void BN_CTX_free(nint context);

    [LibraryImport(Crypto)]
    public static partial nint BN_MONT_CTX_new();

    // Clears the copy of the modulus, too.
    [LibraryImport(Crypto)]
    public static partial void BN_MONT_CTX_free(nint montgomery);

    [LibraryImport(Crypto)]
    public static partial int BN_MONT_CTX_set(nint montgomery, nint modulus, nint context);

    [LibraryImport(Crypto)]
    public static partial int BN_to_montgomery(nint r, nint a, nint montgomery, nint context);

    [LibraryImport(Crypto)]
    public static partial int BN_from_montgomery(nint r, nint a, nint montgomery, nint context);

    [LibraryImport(Crypto)]
    public static partial int BN_mod_mul_montgomery(nint r, nint a, nint b, nint montgomery, nint context);

    [LibraryImport(Crypto)]
    public static partial int BN_mod_exp_mont_consttime(nint r, nint a, nint exponent, nint m, nint context, nint montgomery);

    // In every libcrypto.so.3. Two 1024-bit exponentiations at once where the CPU has AVX-512 IFMA (later releases: 1536 and 2048
    // bits, too); otherwise BN_mod_exp_mont_consttime twice. Here the context comes last.
    [LibraryImport(Crypto)]
    public static partial int BN_mod_exp_mont_consttime_x2(
        nint r1, nint a1, nint exponent1, nint m1, nint montgomery1,
        nint r2, nint a2, nint exponent2, nint m2, nint montgomery2,
        nint context);
}
