using System.Numerics;
using System.Runtime.CompilerServices;
using static WarpDrive.Engines.Simd.Digits;

namespace WarpDrive.Engines.Simd;

/// <summary>
/// Multiplication modulo an odd number in each lane, after Montgomery (Mathematics of Computation 44, 1985), with the whole number as one
/// digit: R = 2^(47n), q = T * (-1/N) mod R, result = (T + q N) / R. Both products with q are taken half, and no carry runs
/// through the number. With R above 2^10 N and q between -R/2 and R/2 a result is between -N and N for factors below 2^4 N: nothing is ever
/// subtracted at the end.
/// </summary>
internal sealed unsafe class MontgomeryLanes<TLanes>
    where TLanes : struct, IDigitLanes
{
    // A multiple is estimated with 14 bits and more; a shift by 5 bits keeps digits below 2^52.
    private const int MaxShift = 5;

    // Where the modulus may begin: up to 8 bits below the top.
    private const int MissingBits = 8;

    private readonly int _blocks;
    private readonly int _count;
    private readonly DigitProgram _multiply;
    private readonly DigitProgram _square;
    private readonly DigitProgram _lowHalf;
    private readonly DigitProgram _highHalf;
    private readonly double* _negativeInverse;
    private readonly double* _twice;
    private readonly double* _quotient;
    private readonly double* _digit;

    /// <summary>Lays the numbers out in <paramref name="memory"/>.</summary>
    public MontgomeryLanes(int blocks, DigitMemory memory)
    {
        _blocks = blocks;
        _count = blocks * Block;
        _multiply = DigitProgram.Multiply(blocks);
        _square = DigitProgram.Square(blocks);
        _lowHalf = DigitProgram.LowHalf(blocks);
        _highHalf = DigitProgram.HighHalf(blocks);
        Modulus = memory.Take(_count);
        One = memory.Take(_count);
        RSquared = memory.Take(_count);
        Product = memory.Take(2 * _count);
        _negativeInverse = memory.Take(_count);
        _twice = memory.Take(_count);
        _quotient = memory.Take(_count);
        _digit = memory.Take(1);
    }

    /// <summary>Digits of a number.</summary>
    public int Count => _count;

    /// <summary>N, of at most 512 bits a block and at least 8 bits less; odd. Written by the caller before <see cref="Prepare"/>.</summary>
    public double* Modulus { get; }

    /// <summary>R mod N: the Montgomery form of 1.</summary>
    public double* One { get; }

    /// <summary>R^2 mod N: multiplying by it brings a number into Montgomery form.</summary>
    public double* RSquared { get; }

    /// <summary>A product of 2n digits, as <see cref="Reduce"/> takes it.</summary>
    public double* Product { get; }

    /// <summary>Computes what belongs to the modulus.</summary>
    public void Prepare()
    {
        InvertModulus();
        ComputeOne();
        ComputeRSquared();
    }

    /// <summary>result = left * right / R mod N.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Multiply(double* left, double* right, double* result)
    {
        TLanes.Run(_multiply, left, right, right, null, null, Product);
        Reduce(result);
    }

    /// <summary>result = number^2 / R mod N.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Square(double* number, double* result)
    {
        TLanes.Double(number, _twice, _count);
        TLanes.Run(_square, _twice, number, number, null, null, Product);
        Reduce(result);
    }

    /// <summary>result = left * right + addend, 2n digits, no modulus.</summary>
    public void MultiplyAdd(double* left, double* right, double* addend, double* result) =>
        TLanes.Run(_multiply, left, right, right, addend, null, result);

    /// <summary>result = <see cref="Product"/> / R mod N, for a product below 2^8 N R.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Reduce(double* result)
    {
        TLanes.Run(_lowHalf, Product, _negativeInverse, _negativeInverse, null, null, _quotient);

        // T + q N is a multiple of R: its lower half is zero but for what it carries into the upper one. That is found by the topmost
        // column below R alone, with an estimate of what is carried into this column: the sum must be a multiple of the base, and
        // the estimate is wrong by much less than half of it. The column's own digit falls in front of the result and is not used.
        TLanes.EstimateCarry(_quotient, Modulus, _count - 1, _digit);
        TLanes.Run(_highHalf, _quotient, Modulus, Modulus, Product + ((_count - 1) * TLanes.Count), _digit, result - TLanes.Count);
    }

    /// <summary>-1/N mod R by Newton's iteration: each round doubles the digits that are right.</summary>
    private void InvertModulus()
    {
        new Span<double>(_negativeInverse, _count * TLanes.Count).Clear();
        for (int lane = 0; lane < TLanes.Count; lane++)
        {
            // x = 1/N mod 2^64 from 3 right bits: 6, 12, 24, 48.
            ulong modulus = (ulong)(long)Modulus[lane];
            ulong x = modulus;
            for (int i = 0; i < 4; i++)
            {
                x *= 2 - (modulus * x);
            }

            // The lowest 47 bits of -x with the sign of the highest of them.
            _negativeInverse[lane] = (long)(0 - (x << (64 - Bits))) >> (64 - Bits);
        }

        for (int digits = 1; digits < _count; digits *= 2)
        {
            // If N x = -1 + e, then N (x (2 + N x)) = -1 + e^2.
            TLanes.Run(_lowHalf, Modulus, _negativeInverse, _negativeInverse, null, null, _quotient);
            for (int lane = 0; lane < TLanes.Count; lane++)
            {
                _quotient[lane] += 2;
            }

            TLanes.Run(_lowHalf, _quotient, _negativeInverse, _negativeInverse, null, null, Product);
            new Span<double>(Product, _count * TLanes.Count).CopyTo(new Span<double>(_negativeInverse, _count * TLanes.Count));
        }
    }

    /// <summary>R mod N, from a power of two below N by shifts.</summary>
    private void ComputeOne()
    {
        int bit = (_blocks * BlockBits) - MissingBits;
        new Span<double>(One, _count * TLanes.Count).Clear();
        new Span<double>(One + (bit / Bits * TLanes.Count), TLanes.Count).Fill(1L << (bit % Bits));
        for (int missing = (_count * Bits) - bit; missing > 0; missing -= MaxShift)
        {
            ShiftModulo(One, Math.Min(missing, MaxShift));
        }
    }

    /// <summary>R 2^(47n) mod N: squaring R 2^t gives R 2^2t, a shift R 2^(t+1).</summary>
    private void ComputeRSquared()
    {
        int exponent = _count * Bits;
        int bits = 32 - BitOperations.LeadingZeroCount((uint)exponent);
        new Span<double>(One, _count * TLanes.Count).CopyTo(new Span<double>(RSquared, _count * TLanes.Count));
        ShiftModulo(RSquared, exponent >> (bits - 2));
        for (int i = bits - 3; i >= 0; i--)
        {
            Square(RSquared, RSquared);
            if (((exponent >> i) & 1) != 0)
            {
                ShiftModulo(RSquared, 1);
            }
        }
    }

    /// <summary>number = number * 2^bits mod N, between -0.6 N and 0.6 N, for a number between -N and N.</summary>
    private void ShiftModulo(double* number, int bits)
    {
        double factor = 1 << bits;
        TLanes.EstimateMultiple(number, factor, Modulus, _count, _digit);
        TLanes.ScaleAndSubtract(number, factor, _digit, Modulus, _count);
        TLanes.Carry(number, _count);
    }
}
