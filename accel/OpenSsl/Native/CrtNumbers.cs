using System.Security.Cryptography;
using WarpDrive.Linux;

namespace WarpDrive.OpenSsl.Native;

/// <summary>
/// Checks the numbers by which a device computes. OpenSSL computes around wrong ones with d alone, a device cannot: its results are
/// wrong, and it is taken for broken.
/// </summary>
internal static unsafe class CrtNumbers
{
    private static readonly string[] Names =
        ["n", "e", "rsa-factor1", "rsa-factor2", "rsa-exponent1", "rsa-exponent2", "rsa-coefficient1"];

    /// <summary>
    /// Whether p, q, dp, dq and qinv fit n, e and each other (RFC 8017 3.2). True also where nothing computes by them: some missing,
    /// or more than two primes. Whether p and q are primes is not asked, for it takes long.
    /// </summary>
    /// <exception cref="OpenSslException">OpenSSL had no memory.</exception>
    public static bool AreConsistent(SafeEvpPKeyHandle key)
    {
        nint* numbers = stackalloc nint[Names.Length];
        new Span<nint>(numbers, Names.Length).Clear();
        nint third = 0;
        nint context = Libcrypto.BN_CTX_new();
        nint scratch = Libcrypto.BN_new();
        try
        {
            if (context == 0 || scratch == 0)
            {
                throw new OpenSslException(OpenSslError.Failed, "OpenSSL has no memory to check an RSA private key.");
            }

            // What is missing, and what a wrong number makes impossible, is told by the result.
            _ = Libcrypto.ERR_set_mark();
            bool isTwoPrimes = Libcrypto.EVP_PKEY_get_bn_param(key, "rsa-factor3", &third) != 1;
            for (int i = 0; isTwoPrimes && i < Names.Length; i++)
            {
                isTwoPrimes = Libcrypto.EVP_PKEY_get_bn_param(key, Names[i], &numbers[i]) == 1;
            }

            bool areConsistent = !isTwoPrimes || AreConsistent(numbers, scratch, context);
            _ = Libcrypto.ERR_pop_to_mark();
            return areConsistent;
        }
        finally
        {
            for (int i = 0; i < Names.Length; i++)
            {
                Libcrypto.BN_clear_free(numbers[i]);
            }

            Libcrypto.BN_clear_free(third);
            Libcrypto.BN_clear_free(scratch);
            Libcrypto.BN_CTX_free(context);
        }
    }

    /// <summary>As above, with two primes and none of the numbers missing. All are big-endian.</summary>
    /// <exception cref="OpenSslException">OpenSSL had no memory.</exception>
    public static bool AreConsistent(
        ReadOnlySpan<byte> n,
        ReadOnlySpan<byte> e,
        ReadOnlySpan<byte> p,
        ReadOnlySpan<byte> q,
        ReadOnlySpan<byte> dp,
        ReadOnlySpan<byte> dq,
        ReadOnlySpan<byte> qinv)
    {
        nint* numbers = stackalloc nint[Names.Length];
        nint context = Libcrypto.BN_CTX_new();
        nint scratch = Libcrypto.BN_new();
        try
        {
            numbers[0] = ToNumber(n);
            numbers[1] = ToNumber(e);
            numbers[2] = ToNumber(p);
            numbers[3] = ToNumber(q);
            numbers[4] = ToNumber(dp);
            numbers[5] = ToNumber(dq);
            numbers[6] = ToNumber(qinv);
            if (context == 0 || scratch == 0 || new ReadOnlySpan<nint>(numbers, Names.Length).Contains(0))
            {
                throw new OpenSslException(OpenSslError.Failed, "OpenSSL has no memory to check an RSA private key.");
            }

            // What a wrong number makes impossible is told by the result.
            _ = Libcrypto.ERR_set_mark();
            bool areConsistent = AreConsistent(numbers, scratch, context);
            _ = Libcrypto.ERR_pop_to_mark();
            return areConsistent;
        }
        finally
        {
            for (int i = 0; i < Names.Length; i++)
            {
                Libcrypto.BN_clear_free(numbers[i]);
            }

            Libcrypto.BN_clear_free(scratch);
            Libcrypto.BN_CTX_free(context);
            VectorRegisters.Clear();
        }
    }

    private static nint ToNumber(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* input = bytes)
        {
            return Libcrypto.BN_bin2bn(input, bytes.Length, 0);
        }
    }

    private static bool AreConsistent(nint* numbers, nint scratch, nint context)
    {
        (nint n, nint e, nint p, nint q) = (numbers[0], numbers[1], numbers[2], numbers[3]);
        (nint dp, nint dq, nint qinv) = (numbers[4], numbers[5], numbers[6]);
        for (int i = 2; i < Names.Length; i++)
        {
            Libcrypto.BN_set_flags(numbers[i], Libcrypto.BN_FLG_CONSTTIME);
        }

        Libcrypto.BN_set_flags(scratch, Libcrypto.BN_FLG_CONSTTIME);

        // p and q last are p - 1 and q - 1.
        return Libcrypto.BN_mul(scratch, p, q, context) == 1
            && Libcrypto.BN_cmp(scratch, n) == 0
            && IsInverse(qinv, q, p, scratch, context)
            && Libcrypto.BN_sub_word(p, 1) == 1
            && IsInverse(dp, e, p, scratch, context)
            && Libcrypto.BN_sub_word(q, 1) == 1
            && IsInverse(dq, e, q, scratch, context);
    }

    /// <summary>Whether inverse * number is 1 modulo the modulus, and the inverse below it.</summary>
    private static bool IsInverse(nint inverse, nint number, nint modulus, nint scratch, nint context) =>
        Libcrypto.BN_cmp(inverse, modulus) < 0
        && Libcrypto.BN_mod_mul(scratch, inverse, number, modulus, context) == 1
        && Libcrypto.BN_is_one(scratch) == 1;
}
