using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl;

/// <summary>
/// Raw RSA operations on the processor, by OpenSSL's default provider, which blinds private ones and checks its CRT results.
/// All numbers are modulus-sized and big-endian. Any thread may call any member; nothing managed is allocated per operation
/// once as many contexts exist as threads compute at the same time.
/// </summary>
public sealed unsafe class SoftwareRsaKey : IDisposable
{
    /// <summary>The largest modulus: OPENSSL_RSA_MAX_MODULUS_BITS.</summary>
    public const int MaxModulusBits = 16384;

    private const int MaxModulusBytes = MaxModulusBits / 8;
    private const int MaxIdleContexts = 256;   // the most lanes there may be

    private readonly SafeEvpPKeyHandle _key;
    private readonly IdlePool<RsaContext> _privateContexts = new(MaxIdleContexts);
    private readonly IdlePool<RsaContext> _publicContexts = new(MaxIdleContexts);
    private readonly byte[] _modulus;
    private readonly byte[] _exponent;

    /// <summary>Shares the key, which the caller may dispose afterwards.</summary>
    /// <exception cref="OpenSslException">It is no RSA key, too large, or its numbers do not fit each other.</exception>
    public SoftwareRsaKey(PrivateKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.Type != PrivateKeyType.Rsa || key.Bits is < 512 or > MaxModulusBits)
        {
            throw new OpenSslException(
                OpenSslError.UnsupportedKey,
                $"The private key is {key.Type} of {key.Bits} bits; RSA of 512 to {MaxModulusBits} bits is supported.");
        }

        _key = key.Handle.DuplicateHandle();
        ModulusBits = key.Bits;
        _modulus = ReadPublic("n");
        _exponent = ReadPublic("e");
        RequireConsistent();
    }

    /// <summary>Bits of the modulus.</summary>
    public int ModulusBits { get; }

    /// <summary>Bytes of the modulus.</summary>
    public int ModulusBytes => _modulus.Length;

    /// <summary>The modulus n.</summary>
    public ReadOnlyMemory<byte> Modulus => _modulus;

    /// <summary>The public exponent e, big-endian without leading zeros.</summary>
    public ReadOnlyMemory<byte> Exponent => _exponent;

    /// <summary>Computes input^d mod n.</summary>
    /// <exception cref="OpenSslException">The input is not less than the modulus, or OpenSSL failed.</exception>
    public void Private(ReadOnlySpan<byte> input, Span<byte> output)
    {
        RequireSizes(input, output);
        RsaContext context = _privateContexts.Take() ?? RsaContext.CreatePrivate(_key);
        try
        {
            nuint length = (nuint)output.Length;
            int result;
            fixed (byte* inputBytes = input, outputBytes = output)
            {
                result = Libcrypto.EVP_PKEY_sign(context, outputBytes, &length, inputBytes, (nuint)input.Length);
            }

            if (result != 1 || length != (nuint)output.Length)
            {
                CryptographicOperations.ZeroMemory(output);
                throw new OpenSslException(OpenSslError.Failed, $"OpenSSL failed an RSA private-key operation: {Libcrypto.TakeErrors()}.");
            }
        }
        finally
        {
            _privateContexts.Give(context);
        }
    }

    /// <summary>Computes input^e mod n. False when the input is not less than the modulus.</summary>
    public bool Public(ReadOnlySpan<byte> input, Span<byte> output)
    {
        RequireSizes(input, output);
        if (!IsBelowModulus(input))
        {
            return false;
        }

        RsaContext context = _publicContexts.Take() ?? RsaContext.CreatePublic(_key);
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
            _publicContexts.Give(context);
        }
    }

    /// <summary>
    /// Whether result^e mod n is the input: the fault check of <see cref="Driver.RsaFaultCheck"/>. False for a result of wrong size or
    /// value. Its time may depend on the result: that of a decryption comes here blinded (<see cref="OffloadedRsaKey.Decrypt"/>).
    /// </summary>
    [SkipLocalsInit]
    public bool CheckResult(ReadOnlySpan<byte> input, ReadOnlySpan<byte> result)
    {
        if (input.Length != ModulusBytes || result.Length != ModulusBytes)
        {
            return false;
        }

        Span<byte> expected = stackalloc byte[MaxModulusBytes];
        expected = expected[..ModulusBytes];
        return Public(result, expected) && CryptographicOperations.FixedTimeEquals(expected, input);
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

    /// <summary>
    /// Writes what a device needs to compute by the Chinese remainder theorem: dq, dp, q, p, qinv, each half the modulus,
    /// big-endian, left-padded. Secret: the caller zeroes it.
    /// </summary>
    /// <param name="block">5/2 of the modulus.</param>
    /// <returns>False when no device takes the key: a size other than 1024, 2048, 3072 and 4096 bits, other than two primes, primes of
    /// unequal size, or CRT numbers missing. The block is then zero.</returns>
    public bool TryWriteCrtBlock(Span<byte> block)
    {
        if (block.Length != CrtBlockBytes)
        {
            throw new ArgumentException($"The block is {block.Length} bytes; it must be {CrtBlockBytes}.", nameof(block));
        }

        block.Clear();
        if (ModulusBits is not (1024 or 2048 or 3072 or 4096))
        {
            return false;
        }

        // What is missing is no error of anybody.
        _ = Libcrypto.ERR_set_mark();
        int half = ModulusBytes / 2;
        bool isWritten = !HasThirdPrime()
            && TryWriteNumber("rsa-exponent2", block[..half])
            && TryWriteNumber("rsa-exponent1", block.Slice(half, half))
            && TryWriteNumber("rsa-factor2", block.Slice(2 * half, half))
            && TryWriteNumber("rsa-factor1", block.Slice(3 * half, half))
            && TryWriteNumber("rsa-coefficient1", block.Slice(4 * half, half));
        _ = Libcrypto.ERR_pop_to_mark();
        if (!isWritten)
        {
            CryptographicOperations.ZeroMemory(block);
        }

        return isWritten;
    }

    /// <summary>Bytes that <see cref="TryWriteCrtBlock"/> writes.</summary>
    public int CrtBlockBytes => 5 * ((ModulusBytes + 1) / 2);

    /// <summary>Drops the key; OpenSSL zeroes it when nothing made from it is left. Running operations end in peace.</summary>
    public void Dispose()
    {
        _privateContexts.Dispose();
        _publicContexts.Dispose();
        _key.Dispose();
    }

    private void RequireSizes(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.Length != ModulusBytes || output.Length != ModulusBytes)
        {
            throw new ArgumentException($"Input of {input.Length} and output of {output.Length} bytes; both must be {ModulusBytes}, as the modulus.");
        }
    }

    /// <summary>A key file with a wrong digit would otherwise be found out by the first client.</summary>
    private void RequireConsistent()
    {
        if (!TryUseCopy(out string reason))
        {
            Dispose();
            throw new OpenSslException(OpenSslError.DamagedKey, $"The RSA private key does not fit its own public key.{reason}");
        }

        if (!CrtNumbers.AreConsistent(_key))
        {
            Dispose();
            throw new OpenSslException(
                OpenSslError.DamagedKey,
                "The RSA private key's primes, prime exponents and coefficient (p, q, dp, dq, qinv) do not fit each other.");
        }
    }

    /// <summary>
    /// Signs and verifies with a copy: what OpenSSL keeps with a key once it was used (blinding, numbers in Montgomery form) is several times the
    /// key, and of many keys few are ever used.
    /// </summary>
    private bool TryUseCopy(out string reason)
    {
        byte[] input = new byte[ModulusBytes];
        byte[] result = new byte[ModulusBytes];
        byte[] verified = new byte[ModulusBytes];
        input[^1] = 2;
        Libcrypto.ERR_clear_error();
        using SafeEvpPKeyHandle copy = Libcrypto.Duplicate(_key);
        using RsaContext signing = RsaContext.CreatePrivate(copy);
        using RsaContext verifying = RsaContext.CreatePublic(copy);
        nuint signed = (nuint)ModulusBytes;
        nuint checkedBytes = signed;
        int isSigned;
        int isVerified = 0;
        fixed (byte* inputBytes = input, resultBytes = result, verifiedBytes = verified)
        {
            isSigned = Libcrypto.EVP_PKEY_sign(signing, resultBytes, &signed, inputBytes, (nuint)input.Length);
            if (isSigned == 1 && IsBelowModulus(result))
            {
                isVerified = Libcrypto.EVP_PKEY_encrypt(verifying, verifiedBytes, &checkedBytes, resultBytes, signed);
            }
        }

        reason = isSigned == 1 ? "" : $" OpenSSL failed an RSA private-key operation: {Libcrypto.TakeErrors()}.";
        Libcrypto.ERR_clear_error();
        return isVerified == 1 && verified.AsSpan().SequenceEqual(input);
    }

    private byte[] ReadPublic(string name)
    {
        nint number = 0;
        try
        {
            if (Libcrypto.EVP_PKEY_get_bn_param(_key, name, &number) != 1)
            {
                throw new OpenSslException(OpenSslError.DamagedKey, $"The RSA private key has no {name}: {Libcrypto.TakeErrors()}.");
            }

            byte[] bytes = new byte[(Libcrypto.BN_num_bits(number) + 7) / 8];
            fixed (byte* output = bytes)
            {
                _ = Libcrypto.BN_bn2binpad(number, output, bytes.Length);
            }

            return bytes;
        }
        finally
        {
            Libcrypto.BN_clear_free(number);
        }
    }

    private bool TryWriteNumber(string name, Span<byte> output)
    {
        nint number = 0;
        fixed (byte* bytes = output)
        {
            bool isWritten = Libcrypto.EVP_PKEY_get_bn_param(_key, name, &number) == 1
                && Libcrypto.BN_bn2binpad(number, bytes, output.Length) == output.Length;
            Libcrypto.BN_clear_free(number);
            return isWritten;
        }
    }

    private bool HasThirdPrime()
    {
        nint number = 0;
        bool isThere = Libcrypto.EVP_PKEY_get_bn_param(_key, "rsa-factor3", &number) == 1;
        Libcrypto.BN_clear_free(number);
        return isThere;
    }
}
