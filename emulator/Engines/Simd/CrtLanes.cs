using static WarpDrive.Engines.Simd.Digits;

namespace WarpDrive.Engines.Simd;

/// <summary>
/// RSA private-key operations of one size by the Chinese remainder theorem (RFC 8017 5.1.2, by Garner): one in each lane, modulo q and
/// then modulo p; or, in half the time, half as many, modulo p in the lower half of the lanes and modulo q in the upper one.
/// </summary>
internal sealed unsafe class CrtLanes<TLanes> : ICrtLanes
    where TLanes : struct, IDigitLanes
{
    // The parts of a key block, in their order.
    private const int Dq = 0;
    private const int Dp = 1;
    private const int Q = 2;
    private const int P = 3;
    private const int Qinv = 4;

    private readonly int _primeBytes;
    private readonly int _modulusBytes;
    private readonly int _count;
    private readonly MontgomeryLanes<TLanes> _montgomery;
    private readonly WindowTable<TLanes> _table;
    private readonly DigitConversion<TLanes> _conversion;
    private readonly double* _p;
    private readonly double* _q;
    private readonly double* _n;
    private readonly double* _power;
    private readonly double* _other;
    private readonly double* _m2;
    private readonly double* _result;
    private readonly byte* _windows;
    private readonly byte* _bytes;

    /// <summary>Lays what operations of this size need out in <paramref name="memory"/>, which holds zeros.</summary>
    public CrtLanes(int modulusBytes, DigitMemory memory)
    {
        _modulusBytes = modulusBytes;
        _primeBytes = modulusBytes / 2;
        _montgomery = new MontgomeryLanes<TLanes>(BlocksFor(_primeBytes * 8), memory);
        _count = _montgomery.Count;
        _table = new WindowTable<TLanes>(_count, memory);
        _conversion = new DigitConversion<TLanes>(modulusBytes, memory);
        _p = memory.Take(_count);
        _q = memory.Take(_count);
        _n = memory.Take(2 * _count);
        _power = memory.Take(_count);
        _other = memory.Take(_count);
        _m2 = memory.Take(2 * _count);
        _result = memory.Take(2 * _count);
        _windows = memory.TakeBytes(WindowCount * TLanes.Count);
        _bytes = memory.TakeBytes(modulusBytes);
    }

    private static int HalfLanes => TLanes.Count / 2;

    private int WindowCount => _primeBytes * 8 / WindowBits;

    /// <inheritdoc/>
    public void Compute(OperationBatch batch, ReadOnlySpan<int> operations)
    {
        bool half = operations.Length <= HalfLanes;
        foreach (int operation in operations)
        {
            batch[operation].Status = RsaStatus.None;
        }

        LoadPrimes(batch, operations, half);
        if (!Check(batch, operations))
        {
            // Other numbers take the place of those that are no key.
            LoadPrimes(batch, operations, half);
        }

        if (half)
        {
            Exponentiate(batch, operations, half, _p, Dp, Dq);
            FromMontgomery(_power, _other);
            TLanes.ExchangeHalves(_other, _m2, _count);
        }
        else
        {
            Exponentiate(batch, operations, half, _q, Dq, Dq);
            FromMontgomery(_power, _m2);
            Exponentiate(batch, operations, half, _p, Dp, Dp);
        }

        Recombine(batch, operations, half);
    }

    /// <summary>The operation whose numbers a lane computes, or -1.</summary>
    private static int OperationOf(int lane, OperationBatch batch, ReadOnlySpan<int> operations, bool half)
    {
        int slot = half ? lane % HalfLanes : lane;
        return slot < operations.Length && batch[operations[slot]].Status == RsaStatus.None ? operations[slot] : -1;
    }

    private void LoadPrimes(OperationBatch batch, ReadOnlySpan<int> operations, bool half)
    {
        LoadPart(batch, operations, half, P, Q, _p);
        if (half)
        {
            TLanes.ExchangeHalves(_p, _q, _count);
        }
        else
        {
            LoadPart(batch, operations, half, Q, Q, _q);
        }

        _montgomery.MultiplyAdd(_p, _q, null, _n);
    }

    /// <summary>Reads one part of the keys, in the upper lanes of a half batch the other one. A lane without operation gets 2^bits - 1, which is odd.</summary>
    private void LoadPart(
        OperationBatch batch, ReadOnlySpan<int> operations, bool half, int part, int otherPart, double* number)
    {
        var unused = new Span<byte>(_bytes, _primeBytes);
        unused.Fill(0xFF);
        for (int lane = 0; lane < TLanes.Count; lane++)
        {
            int operation = OperationOf(lane, batch, operations, half);
            int chosen = half && lane >= HalfLanes ? otherPart : part;
            ReadOnlySpan<byte> bytes = operation < 0 ? unused : KeyPart(batch, operation, chosen);
            _conversion.Read(bytes, number, lane, _count);
        }

        TLanes.Carry(number, _count);
    }

    private ReadOnlySpan<byte> KeyPart(OperationBatch batch, int operation, int part) =>
        batch.Key(operation).Slice(part * _primeBytes, _primeBytes);

    /// <summary>Gives operations that cannot be computed their status; returns whether there was none. All of this is public.</summary>
    private bool Check(OperationBatch batch, ReadOnlySpan<int> operations)
    {
        new Span<double>(_n, 2 * _count * TLanes.Count).CopyTo(new Span<double>(_result, 2 * _count * TLanes.Count));
        TLanes.Canonicalize(_result, _n, 2 * _count);
        var modulus = new Span<byte>(_bytes, _modulusBytes);
        bool good = true;
        for (int lane = 0; lane < operations.Length; lane++)
        {
            int operation = operations[lane];
            _conversion.Write(_result, lane, 2 * _count, modulus);
            bool odd = (KeyPart(batch, operation, P)[^1] & KeyPart(batch, operation, Q)[^1] & 1) != 0;

            // A product of full length says that p and q have at most 8 bits less than their place holds.
            RsaStatus status = !odd || modulus[0] == 0 ? RsaStatus.BadKey
                : batch.Input(operation).SequenceCompareTo(modulus) >= 0 ? RsaStatus.BadInput
                : RsaStatus.None;
            batch[operation].Status = status;
            good &= status == RsaStatus.None;
        }

        return good;
    }

    /// <summary>power = input^exponent modulo the primes, in Montgomery form.</summary>
    private void Exponentiate(
        OperationBatch batch, ReadOnlySpan<int> operations, bool half, double* primes, int exponent, int otherExponent)
    {
        new Span<double>(primes, _count * TLanes.Count).CopyTo(new Span<double>(_montgomery.Modulus, _count * TLanes.Count));
        _montgomery.Prepare();
        LoadInputs(batch, operations, half);
        LoadWindows(batch, operations, half, exponent, otherExponent);

        // c / R, c, c R.
        _montgomery.Reduce(_power);
        _montgomery.Multiply(_power, _montgomery.RSquared, _power);
        _montgomery.Multiply(_power, _montgomery.RSquared, _power);
        _table.Fill(_montgomery, _power);
        _table.Select(_windows, _power);
        for (int i = 1; i < WindowCount; i++)
        {
            for (int bit = 0; bit < WindowBits; bit++)
            {
                _montgomery.Square(_power, _power);
            }

            _table.Select(_windows + (i * TLanes.Count), _other);
            _montgomery.Multiply(_power, _other, _power);
        }
    }

    private void LoadInputs(OperationBatch batch, ReadOnlySpan<int> operations, bool half)
    {
        for (int lane = 0; lane < TLanes.Count; lane++)
        {
            int operation = OperationOf(lane, batch, operations, half);
            _conversion.Read(operation < 0 ? [] : batch.Input(operation), _montgomery.Product, lane, 2 * _count);
        }

        TLanes.Carry(_montgomery.Product, 2 * _count);
    }

    /// <summary>Lays the exponents out window by window, the highest first, a byte for each lane.</summary>
    private void LoadWindows(OperationBatch batch, ReadOnlySpan<int> operations, bool half, int part, int otherPart)
    {
        new Span<byte>(_windows, WindowCount * TLanes.Count).Clear();
        for (int lane = 0; lane < TLanes.Count; lane++)
        {
            int operation = OperationOf(lane, batch, operations, half);
            if (operation < 0)
            {
                continue;
            }

            ReadOnlySpan<byte> exponent = KeyPart(batch, operation, half && lane >= HalfLanes ? otherPart : part);
            byte* window = _windows + lane;
            foreach (byte two in exponent)
            {
                window[0] = (byte)(two >> WindowBits);
                window[TLanes.Count] = (byte)(two & ((1 << WindowBits) - 1));
                window += 2 * TLanes.Count;
            }
        }
    }

    private void FromMontgomery(double* number, double* result)
    {
        var product = new Span<double>(_montgomery.Product, 2 * _count * TLanes.Count);
        new Span<double>(number, _count * TLanes.Count).CopyTo(product);
        product[(_count * TLanes.Count)..].Clear();
        _montgomery.Reduce(result);
    }

    /// <summary>
    /// m2 + q (qinv (m1 - m2) mod p). The number in the brackets lies between -p and p and m2 between 0 and q, so that the sum lies between
    /// -n and n.
    /// </summary>
    private void Recombine(OperationBatch batch, ReadOnlySpan<int> operations, bool half)
    {
        // The remainder that is not negative: with a qinv that is not the inverse of q, m2 - q would give another number.
        TLanes.Canonicalize(_m2, _q, _count);
        DigitConversion<TLanes>.ToDigits(_m2, _count);
        TLanes.Carry(_m2, _count);
        _montgomery.Multiply(_m2, _montgomery.RSquared, _other);
        TLanes.Difference(_power, _other, _count);
        TLanes.Carry(_power, _count);
        LoadPart(batch, operations, half, Qinv, Qinv, _other);
        _montgomery.Multiply(_power, _other, _power);

        // Digits of m2 from n on are zero: never written.
        _montgomery.MultiplyAdd(_power, _q, _m2, _result);
        TLanes.Canonicalize(_result, _n, 2 * _count);
        for (int lane = 0; lane < operations.Length; lane++)
        {
            int operation = operations[lane];
            ref RsaStatus status = ref batch[operation].Status;
            if (status == RsaStatus.None)
            {
                _conversion.Write(_result, lane, 2 * _count, batch.Output(operation));
                status = RsaStatus.Done;
            }
            else
            {
                batch.Output(operation).Clear();
            }
        }
    }
}
