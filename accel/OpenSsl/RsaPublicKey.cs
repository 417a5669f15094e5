using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl;

/// <summary>
/// The public half of an RSA key, and raw operations with it by OpenSSL's default provider. All numbers are modulus-sized and big-endian. Any thread may
/// call any member; nothing managed is allocated per operation once as many contexts exist as threads compute at the same time.
/// </summary>
internal sealed unsafe class RsaPublicKey : IDisposable
{
    private const int MaxIdleContexts = 256;   // the most lanes there may be

    private readonly SafeEvpPKeyHandle _key;
    private readonly IdlePool<RsaContext> _contexts = new(MaxIdleContexts);
    private readonly byte[] _modulus;
    private readonly byte[] _exponent;

    /// <summary>Of these numbers, big-endian without leading zeros; kept as they are.</summary>
    /// <exception cref="OpenSslException">OpenSSL does not take them.</exception>
    public RsaPublicKey(byte[] modulus, byte[] exponent)
    {
        _modulus = modulus;
        _exponent = exponent;
        _key = CreateHandle(modulus, exponent, Libcrypto.EVP_PKEY_PUBLIC_KEY, []);
    }

    /// <summary>Bytes of the modulus.</summary>
    public int ModulusBytes => _modulus.Length;

    /// <summary>n.</summary>
    public ReadOnlyMemory<byte> Modulus => _modulus;

    /// <summary>e, without leading zeros.</summary>
    public ReadOnlyMemory<byte> Exponent => _exponent;

    /// <summary>An EVP_PKEY of the default provider.</summary>
    /// <param name="modulus">Big-endian.</param>
    /// <param name="exponent">Big-endian.</param>
    /// <param name="selection">What of a key it is.</param>
    /// <param name="more">Other numbers; no terminator.</param>
    /// <exception cref="OpenSslException">OpenSSL does not take them.</exception>
    public static SafeEvpPKeyHandle CreateHandle(byte[] modulus, byte[] exponent, int selection, ReadOnlySpan<OsslParam> more)
    {
        byte[] n = [.. Enumerable.Reverse(modulus)];
        byte[] e = [.. Enumerable.Reverse(exponent)];
        nint key = 0;
        Libcrypto.ERR_clear_error();
        nint context = Libcrypto.EVP_PKEY_CTX_new_from_name(0, "RSA", null);
        fixed (byte* modulusName = "n\0"u8, exponentName = "e\0"u8, modulusBytes = n, exponentBytes = e)
        {
            OsslParam* parameters = stackalloc OsslParam[more.Length + 3];
            parameters[0] = new() { Key = modulusName, Type = OsslParam.UnsignedInteger, Data = modulusBytes, DataSize = (nuint)n.Length };
            parameters[1] = new() { Key = exponentName, Type = OsslParam.UnsignedInteger, Data = exponentBytes, DataSize = (nuint)e.Length };
            more.CopyTo(new Span<OsslParam>(parameters + 2, more.Length));
            parameters[more.Length + 2] = default;
            if (context != 0 && Libcrypto.EVP_PKEY_fromdata_init(context) == 1)
            {
                _ = Libcrypto.EVP_PKEY_fromdata(context, &key, selection, parameters);
            }
        }

        Libcrypto.EVP_PKEY_CTX_free(context);
        return key != 0
            ? new SafeEvpPKeyHandle(key, ownsHandle: true)
            : throw new OpenSslException(OpenSslError.DamagedKey, $"OpenSSL does not take the numbers of an RSA key: {Libcrypto.TakeErrors()}.");
    }

    /// <summary>Computes input^e mod n. False when the input is not less than the modulus.</summary>
    public bool TryCompute(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (!IsBelowModulus(input))
        {
            return false;
        }

        RsaContext context = _contexts.Take() ?? RsaContext.CreatePublic(_key);
        try
        {
            nuint length = (nuint)output.Length;
            int result;
            fixed (byte* inputBytes = input, outputBytes = output)
            {
                result = Libcrypto.EVP_PKEY_encrypt(context, outputBytes, &length, inputBytes, (nuint)input.Length);
            }

            return result == 1 && length == (nuint)output.Length
                ? true
                : throw new OpenSslException(OpenSslError.Failed, $"OpenSSL failed an RSA public-key operation: {Libcrypto.TakeErrors()}.");
        }
        finally
        {
            _contexts.Give(context);
        }
    }

    /// <summary>Whether result^e mod n is the input. False for a result of wrong size or value.</summary>
    [SkipLocalsInit]
    public bool CheckResult(ReadOnlySpan<byte> input, ReadOnlySpan<byte> result)
    {
        if (input.Length != ModulusBytes || result.Length != ModulusBytes)
        {
            return false;
        }

        Span<byte> expected = stackalloc byte[SoftwareRsaKey.MaxModulusBits / 8];
        expected = expected[..ModulusBytes];
        return TryCompute(result, expected) && CryptographicOperations.FixedTimeEquals(expected, input);
    }

    /// <summary>Whether a modulus-sized number is less than the modulus. Takes the same time for every number.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    public bool IsBelowModulus(ReadOnlySpan<byte> number)
    {
        if (number.Length != _modulus.Length)
        {
            return false;
        }

        // number - n: the borrow out of the top byte says that the number is the smaller one.
        int borrow = 0;
        for (int i = number.Length - 1; i >= 0; i--)
        {
            borrow = (number[i] - _modulus[i] - borrow) >> 31 & 1;
        }

        return borrow != 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _contexts.Dispose();
        _key.Dispose();
    }
}
