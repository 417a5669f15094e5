using System.Runtime.InteropServices;
using static WarpDrive.Engines.LibCrypto;

namespace WarpDrive.Engines;

/// <summary>
/// Makes a private key of two primes and a public exponent, as OpenSSL 3 does: the private exponent is the inverse of e modulo
/// lcm(p-1, q-1) from 2048 bits on, and modulo (p-1)(q-1) below. Whether p and q are primes is not looked at. What it keeps between
/// two keys is cleared memory only.
/// </summary>
/// <remarks>
/// All numbers but e and n are secret and carry OpenSSL's flag for that, with which its inversion, division and greatest common divisor
/// take no branch by their value, as in its own key generation. What it does not promise is what <see cref="ScalarEngine"/> says. Whether
/// there is a key at all may show.
/// </remarks>
internal sealed unsafe class KeyGeneration : IDisposable
{
    // OpenSSL takes the smaller exponent from this size on (FIPS 186-4), and older releases' keys below are made the other way.
    private const int LeastCommonMultipleBytes = 256;

    private readonly nint[] _numbers = new nint[9];

    private KeyGeneration()
    {
        for (int i = 0; i < _numbers.Length; i++)
        {
            _numbers[i] = BN_new();
            if (_numbers[i] != 0)
            {
                BN_set_flags(_numbers[i], BN_FLG_CONSTTIME);
            }
        }
    }

    private nint E => _numbers[0];

    private nint P => _numbers[1];

    private nint Q => _numbers[2];

    private nint PMinus1 => _numbers[3];

    private nint QMinus1 => _numbers[4];

    private nint N => _numbers[5];

    private nint Order => _numbers[6];

    private nint D => _numbers[7];

    private nint Other => _numbers[8];

    /// <summary>Takes the memory of the numbers; null: there is none.</summary>
    public static KeyGeneration? TryCreate()
    {
        var generation = new KeyGeneration();
        if (!generation._numbers.Contains(0))
        {
            return generation;
        }

        generation.Dispose();
        return null;
    }

    /// <summary>Makes one key.</summary>
    /// <param name="operation">With or without the numbers of CRT, and k.</param>
    /// <param name="key">e[k] p[k/2] q[k/2].</param>
    /// <param name="output">d[k] n[k], and for CRT qinv[k/2] dq[k/2] dp[k/2]. Unless it is done, the caller zeroes it.</param>
    /// <param name="context">OpenSSL's temporaries; whoever frees them clears them.</param>
    public RsaStatus Make(in RsaOperation operation, ReadOnlySpan<byte> key, Span<byte> output, nint context)
    {
        try
        {
            int k = operation.ModulusBytes;
            RsaStatus status = MakeExponent(k, key, context);
            if (status != RsaStatus.Done)
            {
                return status;
            }

            bool written = Write(D, output[..k]) && Write(N, output.Slice(k, k));
            return !written ? RsaStatus.Failed
                : operation.Algorithm == RsaAlgorithm.KeyGenerationCrt ? MakeRemainders(k / 2, output[(2 * k)..], context)
                : RsaStatus.Done;
        }
        finally
        {
            foreach (nint number in _numbers)
            {
                BN_clear(number);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (nint number in _numbers)
        {
            BN_clear_free(number);
        }
    }

    private RsaStatus MakeExponent(int k, ReadOnlySpan<byte> key, nint context)
    {
        ReadOnlySpan<byte> p = key.Slice(k, k / 2);
        ReadOnlySpan<byte> q = key.Slice(k + (k / 2), k / 2);
        if ((p[^1] & q[^1] & 1) == 0)
        {
            return RsaStatus.BadKey;
        }

        if (!Read(P, p) || !Read(Q, q) || !Read(PMinus1, p) || !Read(QMinus1, q) || !Read(E, key[..k]) || BN_mul(N, P, Q, context) != 1)
        {
            return RsaStatus.Failed;
        }

        // A product of full byte length also says that neither is 0 or 1.
        if ((BN_num_bits(N) + 7) / 8 != k)
        {
            return RsaStatus.BadKey;
        }

        bool hasOrder = BN_sub_word(PMinus1, new CULong(1)) == 1 && BN_sub_word(QMinus1, new CULong(1)) == 1
            && BN_mul(Order, PMinus1, QMinus1, context) == 1
            && (k < LeastCommonMultipleBytes
                || (BN_gcd(Other, PMinus1, QMinus1, context) == 1 && BN_div(Order, 0, Order, Other, context) == 1));
        return hasOrder ? Invert(D, E, Order, context) : RsaStatus.Failed;
    }

    /// <summary>The remainders of d that CRT takes, and q's inverse.</summary>
    private RsaStatus MakeRemainders(int half, Span<byte> output, nint context)
    {
        RsaStatus status = Invert(Other, Q, P, context);
        if (status != RsaStatus.Done)
        {
            return status;
        }

        bool done = Write(Other, output[..half])
            && BN_div(0, Other, D, QMinus1, context) == 1 && Write(Other, output.Slice(half, half))
            && BN_div(0, Other, D, PMinus1, context) == 1 && Write(Other, output.Slice(2 * half, half));
        return done ? RsaStatus.Done : RsaStatus.Failed;
    }

    /// <summary>result = a^-1 mod n. That there is none is the key's fault, anything else OpenSSL's.</summary>
    private static RsaStatus Invert(nint result, nint a, nint n, nint context)
    {
        if (BN_mod_inverse(result, a, n, context) != 0)
        {
            return RsaStatus.Done;
        }

        bool hasNone = ((int)ERR_peek_last_error().Value & ERR_REASON_MASK) == BN_R_NO_INVERSE;
        return hasNone ? RsaStatus.BadKey : RsaStatus.Failed;
    }

    private static bool Read(nint number, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            return BN_bin2bn(start, bytes.Length, number) != 0;
        }
    }

    private static bool Write(nint number, Span<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            return BN_bn2binpad(number, start, bytes.Length) == bytes.Length;
        }
    }
}
