using System.Runtime.InteropServices;
using static WarpDrive.Engines.LibCrypto;

namespace WarpDrive.Engines;

/// <summary>
/// Computes one operation after the other with OpenSSL's numbers, for moduli of 1024, 2048, 3072 and 4096 bits.
/// What it keeps between batches is cleared memory only.
/// </summary>
/// <remarks>
/// Constant time in intermediate numbers, exponents and result: reduction of the input, exponentiation (fixed windows, every table entry
/// read), recombination, conversion to bytes. No branch and no address here depends on the value of a secret.
/// What OpenSSL does not promise: (1) Its public functions drop leading zero words of a number, and BN_bin2bn leading zero bytes, so
/// the word length of an exponent or of an intermediate number may show (one word less: about one operation in 2^64).
/// (2) BN_MONT_CTX_set, needed for each operation since no key is kept, divides by p and q and inverts their lowest word by Euclid's
/// algorithm: its time differs by tenths of a microsecond from key to key, but is the same for every input of one key.
/// (3) Numbers are not blinded: this answers timing, not power or radiation. (4) Registers and the stack are not cleared.
/// The modulus p*q and the input are public: the comparison of the two may stop early.
/// </remarks>
public sealed unsafe class ScalarEngine : ISelectiveEngine
{
    private readonly List<nint> _numbers = [];
    private readonly nint _p;
    private readonly nint _q;
    private readonly nint _dp;
    private readonly nint _dq;
    private readonly nint _qinv;
    private readonly nint _modulus;
    private readonly nint _input;
    private readonly nint _result;
    private readonly nint _m1;
    private readonly nint _m2;
    private readonly nint _difference;
    private readonly KeyGeneration? _generation;

    // Hold copies of a modulus or multiples of it. They are renewed for every batch, since OpenSSL clears them only by freeing.
    private nint _context;
    private nint _montgomeryP;
    private nint _montgomeryQ;
    private bool _disposed;

    /// <summary>Takes the memory that an engine needs.</summary>
    /// <exception cref="DllNotFoundException">There is no libcrypto.so.3.</exception>
    /// <exception cref="InvalidOperationException">OpenSSL refused to start or had no memory.</exception>
    public ScalarEngine()
    {
        // Whoever initialises first decides on the exit handler. It must not be installed: it would free the library's tables
        // while engine threads compute. .NET passes the same flag, and whatever else it asks for is added to this, not lost.
        if (OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, 0) != 1)
        {
            throw new InvalidOperationException("libcrypto.so.3 refused to initialise.");
        }

        Name = $"scalar (OpenSSL {Marshal.PtrToStringUTF8((nint)OpenSSL_version(OPENSSL_VERSION_STRING))})";
        _p = NewSecret();
        _q = NewSecret();
        _dp = NewSecret();
        _dq = NewSecret();
        _qinv = NewSecret();
        _modulus = NewSecret();
        _input = NewSecret();
        _result = NewSecret();
        _m1 = NewSecret();
        _m2 = NewSecret();
        _difference = NewSecret();
        if (_numbers.Contains(0))
        {
            Dispose();
            throw new InvalidOperationException("OpenSSL had no memory for the numbers of an engine.");
        }

        _generation = KeyGeneration.TryCreate();
        if (_generation is null)
        {
            Dispose();
            throw new InvalidOperationException("OpenSSL had no memory for the numbers of an engine.");
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Lanes => 1;

    /// <inheritdoc/>
    public void Execute(OperationBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Execute(batch, [], batch.Count);
    }

    /// <summary>Computes these operations of the batch, by their indices, and leaves the others alone.</summary>
    public void Execute(OperationBatch batch, ReadOnlySpan<int> operations)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Execute(batch, operations, operations.Length);
    }

    /// <summary>Gives the memory back. Not to be called while it computes.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _generation?.Dispose();
        foreach (nint number in _numbers)
        {
            BN_clear_free(number);
        }
    }

    /// <summary>Without indices: the first <paramref name="count"/> operations.</summary>
    private void Execute(OperationBatch batch, ReadOnlySpan<int> operations, int count)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        try
        {
            bool ready = OpenContexts();
            for (int i = 0; i < count; i++)
            {
                int index = operations.IsEmpty ? i : operations[i];
                batch[index].Status = Compute(batch, index, ready);
            }
        }
        finally
        {
            CloseContexts();
            foreach (nint number in CollectionsMarshal.AsSpan(_numbers))
            {
                BN_clear(number);
            }
        }
    }

    private RsaStatus Compute(OperationBatch batch, int index, bool ready)
    {
        RsaOperation operation = batch[index];
        if (!OperationBatch.IsSupportedModulus(operation.ModulusBytes))
        {
            return RsaStatus.Unsupported;
        }

        RsaStatus status = operation.Algorithm switch
        {
            _ when !ready => RsaStatus.Failed,
            RsaAlgorithm.Crt => Crt(batch.Key(index), batch.Input(index), batch.Output(index)),
            RsaAlgorithm.Plain => Plain(batch.Key(index), batch.Input(index), batch.Output(index)),
            RsaAlgorithm.KeyGeneration or RsaAlgorithm.KeyGenerationCrt =>
                _generation!.Make(operation, batch.Key(index), batch.Output(index), _context),
            _ => RsaStatus.Unsupported,
        };
        if (status != RsaStatus.Done)
        {
            // Else the next user of OpenSSL on this thread may find our error in its queue.
            ERR_clear_error();
            batch.Output(index).Clear();
        }

        return status;
    }

    private RsaStatus Plain(ReadOnlySpan<byte> key, ReadOnlySpan<byte> input, Span<byte> output)
    {
        int k = output.Length;
        ReadOnlySpan<byte> modulus = key[k..];
        if (modulus[0] == 0 || (modulus[k - 1] & 1) == 0)
        {
            return RsaStatus.BadKey;
        }

        // Big-endian and of one length, so that the order of the bytes is the order of the numbers.
        if (input.SequenceCompareTo(modulus) >= 0)
        {
            return RsaStatus.BadInput;
        }

        bool done = Read(_dp, key[..k]) && Read(_modulus, modulus) && Read(_input, input)
            && BN_MONT_CTX_set(_montgomeryP, _modulus, _context) == 1
            && BN_mod_exp_mont_consttime(_result, _input, _dp, _modulus, _context, _montgomeryP) == 1
            && Write(_result, output);
        return done ? RsaStatus.Done : RsaStatus.Failed;
    }

    private RsaStatus Crt(ReadOnlySpan<byte> key, ReadOnlySpan<byte> input, Span<byte> output)
    {
        int half = output.Length / 2;
        ReadOnlySpan<byte> q = key.Slice(2 * half, half);
        ReadOnlySpan<byte> p = key.Slice(3 * half, half);
        if ((p[half - 1] & q[half - 1] & 1) == 0)
        {
            return RsaStatus.BadKey;
        }

        if (!Read(_q, q) || !Read(_p, p) || !Read(_input, input) || BN_mul(_modulus, _p, _q, _context) != 1)
        {
            return RsaStatus.Failed;
        }

        // A product of full byte length says that p and q fill their halves: R below is 2^(8 half) for both.
        if ((BN_num_bits(_modulus) + 7) / 8 != output.Length)
        {
            return RsaStatus.BadKey;
        }

        if (BN_ucmp(_input, _modulus) >= 0)
        {
            return RsaStatus.BadInput;
        }

        bool done = Read(_dq, key[..half]) && Read(_dp, key.Slice(half, half)) && Read(_qinv, key.Slice(4 * half, half))
            && BN_MONT_CTX_set(_montgomeryP, _p, _context) == 1 && BN_MONT_CTX_set(_montgomeryQ, _q, _context) == 1
            && Reduce(_m1, _input, _montgomeryP) && Reduce(_m2, _input, _montgomeryQ)
            && BN_mod_exp_mont_consttime_x2(_m1, _m1, _dp, _p, _montgomeryP, _m2, _m2, _dq, _q, _montgomeryQ, _context) == 1
            && Recombine()
            && Write(_result, output);
        return done ? RsaStatus.Done : RsaStatus.Failed;
    }

    /// <summary>
    /// result = a mod m, for a &lt; m R. Two Montgomery steps instead of BN_mod, whose division may take time by its operands:
    /// a/R is less than m already, and times R again it is what we look for.
    /// </summary>
    private bool Reduce(nint result, nint a, nint montgomery) =>
        BN_from_montgomery(result, a, montgomery, _context) == 1 && BN_to_montgomery(result, result, montgomery, _context) == 1;

    /// <summary>
    /// result = m2 + q (qinv (m1 - m2) mod p), by Garner. The difference is taken between Montgomery forms mod p, as m1 R + (p - m2 R):
    /// both are less than p whatever the order of p and q, nothing goes below zero, and BN_mod_add_quick subtracts p by a mask.
    /// The Montgomery product with plain qinv then takes the R away. It also holds for a qinv above p, so that the sum is always below p q.
    /// </summary>
    private bool Recombine() =>
        BN_to_montgomery(_m1, _m1, _montgomeryP, _context) == 1
            && BN_to_montgomery(_difference, _m2, _montgomeryP, _context) == 1
            && BN_usub(_difference, _p, _difference) == 1
            && BN_mod_add_quick(_difference, _m1, _difference, _p) == 1
            && BN_mod_mul_montgomery(_difference, _difference, _qinv, _montgomeryP, _context) == 1
            && BN_mul(_result, _difference, _q, _context) == 1
            && BN_add(_result, _result, _m2) == 1;

    private bool OpenContexts()
    {
        _context = BN_CTX_new();
        _montgomeryP = BN_MONT_CTX_new();
        _montgomeryQ = BN_MONT_CTX_new();
        return _context != 0 && _montgomeryP != 0 && _montgomeryQ != 0;
    }

    private void CloseContexts()
    {
        BN_MONT_CTX_free(_montgomeryQ);
        BN_MONT_CTX_free(_montgomeryP);
        BN_CTX_free(_context);
        _context = _montgomeryP = _montgomeryQ = 0;
    }

    private nint NewSecret()
    {
        nint number = BN_new();
        if (number != 0)
        {
            BN_set_flags(number, BN_FLG_CONSTTIME);
        }

        _numbers.Add(number);
        return number;
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
