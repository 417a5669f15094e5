using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl;

/// <summary>
/// Raw RSA operations on the processor. A key that devices could take is kept in locked memory that is not dumped, and is brought to OpenSSL's arithmetic
/// for each operation, blinded and its result checked; of other shapes OpenSSL's default provider has the key and does the same itself. All numbers are
/// modulus-sized and big-endian. Any thread may call any member; nothing managed is allocated per operation once as many contexts exist as threads compute
/// at the same time.
/// </summary>
public sealed unsafe class SoftwareRsaKey : IDisposable
{
    /// <summary>The largest modulus: OPENSSL_RSA_MAX_MODULUS_BITS.</summary>
    public const int MaxModulusBits = 16384;

    private const int MaxModulusBytes = MaxModulusBits / 8;
    private const int MaxIdleContexts = 256;   // the most lanes there may be

    private readonly RsaPublicKey _public;
    private readonly SecretBlock? _crtBlock;        // the key; null: OpenSSL has it
    private readonly SafeEvpPKeyHandle? _pair;      // the key in OpenSSL; null: it is here
    private readonly IdlePool<RsaContext> _privateContexts = new(MaxIdleContexts);
    private readonly IdlePool<RsaBlinding> _blindings = new(MaxIdleContexts);
    private HolderCount _holders = new();           // the owner of this object, and operations that read the key
    private int _isDisposed;

    /// <summary>Takes what it needs of the key, which the caller may dispose afterwards.</summary>
    /// <exception cref="OpenSslException">It is no RSA key, too large, or its numbers do not fit each other.</exception>
    public SoftwareRsaKey(PrivateKey key)
        : this(key, isOpenSsls: false)
    {
    }

    private SoftwareRsaKey(PrivateKey key, bool isOpenSsls)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.Type != PrivateKeyType.Rsa || key.Bits is < 512 or > MaxModulusBits)
        {
            throw new OpenSslException(
                OpenSslError.UnsupportedKey,
                $"The private key is {key.Type} of {key.Bits} bits; RSA of 512 to {MaxModulusBits} bits is supported.");
        }

        ModulusBits = key.Bits;
        if (key.Numbers is { } numbers)
        {
            _public = new RsaPublicKey(numbers.Modulus, numbers.Exponent);
            _crtBlock = isOpenSsls ? null : TryTakeCrtBlock(numbers);
        }
        else
        {
            _public = new RsaPublicKey(ReadPublic(key.Handle, "n"), ReadPublic(key.Handle, "e"));
        }

        _pair = _crtBlock is null ? key.Handle.DuplicateHandle() : null;
        try
        {
            RequireConsistent(key.Numbers);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes of locked memory for each thread that computes at the same time as others; a page.</summary>
    public static long LockedBytesPerThread => Environment.SystemPageSize;

    /// <summary>Bits of the modulus.</summary>
    public int ModulusBits { get; }

    /// <summary>Bytes of the modulus.</summary>
    public int ModulusBytes => _public.ModulusBytes;

    /// <summary>The modulus n.</summary>
    public ReadOnlyMemory<byte> Modulus => _public.Modulus;

    /// <summary>The public exponent e, big-endian without leading zeros.</summary>
    public ReadOnlyMemory<byte> Exponent => _public.Exponent;

    /// <summary>Whether OpenSSL has the private key, in memory of its own that is neither locked nor kept out of core files.</summary>
    public bool IsHeldByOpenSsl => _pair is not null;

    /// <summary>With the key in OpenSSL's hands, whatever its shape: what others do, to be compared with.</summary>
    /// <inheritdoc cref="SoftwareRsaKey(PrivateKey)"/>
    public static SoftwareRsaKey CreateByOpenSsl(PrivateKey key) => new(key, isOpenSsls: true);

    /// <summary>With the key in locked memory, and a refusal where OpenSSL would have to have it.</summary>
    /// <inheritdoc cref="SoftwareRsaKey(PrivateKey)"/>
    public static SoftwareRsaKey CreateOutsideOpenSsl(PrivateKey key)
    {
        var created = new SoftwareRsaKey(key);
        if (created.IsHeldByOpenSsl)
        {
            created.Dispose();
            throw new OpenSslException(
                OpenSslError.UnsupportedKey,
                $"It is an RSA key of {key.Bits} bits; to be kept out of OpenSSL's memory it must have 1024, 2048, 3072 or 4096, and two primes of half as many.");
        }

        return created;
    }

    /// <summary>Computes input^d mod n.</summary>
    /// <exception cref="OpenSslException">The input is not less than the modulus, or OpenSSL failed.</exception>
    public void Private(ReadOnlySpan<byte> input, Span<byte> output)
    {
        RequireSizes(input, output);
        ObjectDisposedException.ThrowIf(!_holders.TryEnter(), this);
        try
        {
            if (_crtBlock is not null)
            {
                ComputeBlinded(_crtBlock, input, output);
            }
            else
            {
                ComputeByOpenSsl(input, output);
            }
        }
        catch
        {
            CryptographicOperations.ZeroMemory(output);
            throw;
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Computes input^e mod n. False when the input is not less than the modulus.</summary>
    public bool Public(ReadOnlySpan<byte> input, Span<byte> output)
    {
        RequireSizes(input, output);
        return _public.TryCompute(input, output);
    }

    /// <summary>
    /// Whether result^e mod n is the input: the fault check of <see cref="Driver.RsaFaultCheck"/>. False for a result of wrong size or
    /// value. Its time may depend on the result: that of a decryption comes here blinded (<see cref="OffloadedRsaKey.Decrypt"/>).
    /// </summary>
    public bool CheckResult(ReadOnlySpan<byte> input, ReadOnlySpan<byte> result) => _public.CheckResult(input, result);

    /// <summary>Whether a modulus-sized number is less than the modulus. Takes the same time for every number.</summary>
    public bool IsBelowModulus(ReadOnlySpan<byte> number) => _public.IsBelowModulus(number);

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
        if (_crtBlock is not null)
        {
            _crtBlock.GetSpan().CopyTo(block);
            VectorRegisters.Clear();
            return true;
        }

        if (!IsDeviceSize(ModulusBits))
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

    /// <summary>Drops the key. It is zeroed when the operations that run now have ended; what OpenSSL has, when nothing made from it is left.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Leave();
        }
    }

    private static bool IsDeviceSize(int modulusBits) => modulusBits is 1024 or 2048 or 3072 or 4096;

    private static SecretBlock? TryTakeCrtBlock(RsaPrivateNumbers numbers)
    {
        if (!IsDeviceSize(numbers.ModulusBits))
        {
            return null;
        }

        SecretBlock block = RsaPrivateNumbers.Secrets.Take(numbers.Modulus.Length / 2 * 5);
        if (numbers.TryWriteCrtBlock(block.GetSpan()))
        {
            return block;
        }

        block.Dispose();
        return null;
    }

    private void Leave()
    {
        if (_holders.Leave())
        {
            _privateContexts.Dispose();
            _blindings.Dispose();
            _pair?.Dispose();
            _crtBlock?.Dispose();
            _public.Dispose();
        }
    }

    /// <summary>
    /// A random number is computed instead of the input, so that what the time of the computation might tell is about nothing; and no result leaves that a
    /// fault of the processor made wrong, since it reveals the primes.
    /// </summary>
    [SkipLocalsInit]
    private void ComputeBlinded(SecretBlock crtBlock, ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (!IsBelowModulus(input))
        {
            throw new OpenSslException(OpenSslError.Failed, $"The input of an RSA private-key operation of {ModulusBits} bits is not less than the modulus.");
        }

        Span<byte> blinded = stackalloc byte[MaxModulusBytes];
        blinded = blinded[..ModulusBytes];
        RsaBlinding blinding = _blindings.Take() ?? RsaBlinding.Create(Modulus.Span, Exponent.Span);
        try
        {
            blinding.Convert(input, blinded);
            if (!RsaComputation.TryRun(crtBlock.GetSpan(), blinded, output) || !CheckResult(blinded, output))
            {
                throw new OpenSslException(OpenSslError.Failed, $"An RSA private-key operation of {ModulusBits} bits gave a wrong result.");
            }

            blinding.Invert(output);
        }
        catch
        {
            // It may have been left with an r and an inverse that do not belong together.
            blinding.Dispose();
            throw;
        }

        _blindings.Give(blinding);
    }

    private void ComputeByOpenSsl(ReadOnlySpan<byte> input, Span<byte> output)
    {
        RsaContext context = _privateContexts.Take() ?? RsaContext.CreatePrivate(_pair!);
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
                throw new OpenSslException(OpenSslError.Failed, $"OpenSSL failed an RSA private-key operation: {Libcrypto.TakeErrors()}.");
            }
        }
        finally
        {
            _privateContexts.Give(context);
            VectorRegisters.Clear();
        }
    }

    private void RequireSizes(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.Length != ModulusBytes || output.Length != ModulusBytes)
        {
            throw new ArgumentException($"Input of {input.Length} and output of {output.Length} bytes; both must be {ModulusBytes}, as the modulus.");
        }
    }

    /// <summary>A key file with a wrong digit would otherwise be found out by the first client.</summary>
    private void RequireConsistent(RsaPrivateNumbers? numbers)
    {
        // What OpenSSL has it also computes with wrong numbers, by d alone.
        string reason = "";
        if (!(_pair is not null ? TryUseCopy(_pair, out reason) : numbers!.AreConsistent() ? TryUse() : throw InconsistentNumbers()))
        {
            throw new OpenSslException(OpenSslError.DamagedKey, $"The RSA private key does not fit its own public key.{reason}");
        }

        if (_pair is not null && !CrtNumbers.AreConsistent(_pair))
        {
            throw InconsistentNumbers();
        }
    }

    private static OpenSslException InconsistentNumbers() => new(
        OpenSslError.DamagedKey, "The RSA private key's primes, prime exponents and coefficient (p, q, dp, dq, qinv) do not fit each other.");

    private bool TryUse()
    {
        byte[] input = new byte[ModulusBytes];
        byte[] result = new byte[ModulusBytes];
        input[^1] = 2;
        return RsaComputation.TryRun(_crtBlock!.GetSpan(), input, result) && CheckResult(input, result);
    }

    /// <summary>
    /// Signs and verifies with a copy: what OpenSSL keeps with a key once it was used (blinding, numbers in Montgomery form) is several times the
    /// key, and of many keys few are ever used.
    /// </summary>
    private bool TryUseCopy(SafeEvpPKeyHandle pair, out string reason)
    {
        byte[] input = new byte[ModulusBytes];
        byte[] result = new byte[ModulusBytes];
        byte[] verified = new byte[ModulusBytes];
        input[^1] = 2;
        Libcrypto.ERR_clear_error();
        using SafeEvpPKeyHandle copy = Libcrypto.Duplicate(pair);
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

    private static byte[] ReadPublic(SafeEvpPKeyHandle pair, string name)
    {
        nint number = 0;
        try
        {
            if (Libcrypto.EVP_PKEY_get_bn_param(pair, name, &number) != 1)
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
            bool isWritten = Libcrypto.EVP_PKEY_get_bn_param(_pair!, name, &number) == 1
                && Libcrypto.BN_bn2binpad(number, bytes, output.Length) == output.Length;
            Libcrypto.BN_clear_free(number);
            return isWritten;
        }
    }

    private bool HasThirdPrime()
    {
        nint number = 0;
        bool isThere = Libcrypto.EVP_PKEY_get_bn_param(_pair!, "rsa-factor3", &number) == 1;
        Libcrypto.BN_clear_free(number);
        return isThere;
    }
}
