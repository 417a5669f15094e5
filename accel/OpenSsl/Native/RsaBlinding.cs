using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Native;

/// <summary>
/// A random r for one RSA key, by which a ciphertext is multiplied as r^e before it is decrypted and the result divided afterwards:
/// whoever computes in between sees random numbers only. r changes with every use. One thread at a time.
/// </summary>
internal sealed unsafe class RsaBlinding : SafeHandle
{
    private readonly nint _context;
    private nint _montgomery;
    private nint _number;
    private nint _inverse;

    private RsaBlinding(nint context)
        : base(0, ownsHandle: true)
    {
        _context = context;
    }

    /// <summary>Whether nothing was made.</summary>
    public override bool IsInvalid => handle == 0;

    /// <summary>For the key of these numbers, big-endian.</summary>
    /// <exception cref="OpenSslException">OpenSSL failed.</exception>
    public static RsaBlinding Create(ReadOnlySpan<byte> modulus, ReadOnlySpan<byte> exponent)
    {
        RsaBlinding blinding = new(Libcrypto.BN_CTX_new());
        nint n = ToNumber(modulus, 0);
        nint e = ToNumber(exponent, 0);
        nint context = blinding._context;
        nint montgomery = blinding._montgomery = Libcrypto.BN_MONT_CTX_new();
        blinding._number = Libcrypto.BN_new();
        blinding._inverse = Libcrypto.BN_new();
        if (n != 0 && e != 0 && context != 0 && montgomery != 0 && blinding._number != 0 && blinding._inverse != 0)
        {
            // In this form every multiplication takes the same time; it needs the odd modulus that every RSA key has.
            Libcrypto.BN_set_flags(n, Libcrypto.BN_FLG_CONSTTIME);
            Libcrypto.BN_set_flags(blinding._number, Libcrypto.BN_FLG_CONSTTIME);
            Libcrypto.BN_set_flags(blinding._inverse, Libcrypto.BN_FLG_CONSTTIME);
            blinding.SetHandle(
                Libcrypto.BN_MONT_CTX_set(montgomery, n, context) == 1
                    ? Libcrypto.BN_BLINDING_create_param(0, e, n, context, 0, montgomery)
                    : 0);
        }

        Libcrypto.BN_clear_free(n);
        Libcrypto.BN_clear_free(e);
        if (blinding.IsInvalid)
        {
            // SafeHandle releases no invalid handle.
            blinding.FreeNumbers();
            blinding.Dispose();
            throw Failure();
        }

        return blinding;
    }

    /// <summary>Multiplies a number below the modulus by r^e, with a new r.</summary>
    /// <param name="number">Modulus-sized, big-endian; no secret.</param>
    /// <param name="blinded">Modulus-sized, big-endian.</param>
    /// <exception cref="OpenSslException">OpenSSL failed; the object is of no more use.</exception>
    public void Convert(ReadOnlySpan<byte> number, Span<byte> blinded)
    {
        if (ToNumber(number, _number) == 0 || Libcrypto.BN_BLINDING_convert_ex(_number, _inverse, handle, _context) != 1)
        {
            throw Failure();
        }

        Write(blinded);
    }

    /// <summary>Divides a result, in place, by the r of the <see cref="Convert"/> before; its time does not depend on what comes out.</summary>
    /// <exception cref="OpenSslException">OpenSSL failed; the object is of no more use.</exception>
    public void Invert(Span<byte> result)
    {
        // The number that is read here is random to everybody: only what is written below is secret.
        if (ToNumber(result, _number) == 0 || Libcrypto.BN_BLINDING_invert_ex(_number, _inverse, handle, _context) != 1)
        {
            throw Failure();
        }

        Write(result);
        Libcrypto.BN_clear(_number);
        Libcrypto.BN_clear(_inverse);
    }

    protected override bool ReleaseHandle()
    {
        Libcrypto.BN_BLINDING_free(handle);
        FreeNumbers();
        return true;
    }

    private static nint ToNumber(ReadOnlySpan<byte> bytes, nint number)
    {
        fixed (byte* input = bytes)
        {
            return Libcrypto.BN_bin2bn(input, bytes.Length, number);
        }
    }

    private static OpenSslException Failure() =>
        new(OpenSslError.Failed, $"OpenSSL failed to blind an RSA decryption: {Libcrypto.TakeErrors()}.");

    private void Write(Span<byte> bytes)
    {
        fixed (byte* output = bytes)
        {
            if (Libcrypto.BN_bn2binpad(_number, output, bytes.Length) != bytes.Length)
            {
                throw Failure();
            }
        }
    }

    private void FreeNumbers()
    {
        Libcrypto.BN_clear_free(_number);
        Libcrypto.BN_clear_free(_inverse);
        Libcrypto.BN_MONT_CTX_free(_montgomery);
        Libcrypto.BN_CTX_free(_context);
    }
}
