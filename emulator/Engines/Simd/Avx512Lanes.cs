using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static System.Runtime.Intrinsics.X86.Avx512F;
using static WarpDrive.Engines.Simd.Digits;

namespace WarpDrive.Engines.Simd;

/// <summary>Eight lanes: vectors of 512 bits, of which AVX-512F and AVX-512DQ have 32.</summary>
internal readonly unsafe struct Avx512Lanes : IDigitLanes
{
    private const int Lanes = 8;

    // A | (B & C), as the truth table of vpternlog.
    private const byte OrAnd = 0xF8;

    public static int Count => Lanes;

    public static bool IsSupported => Avx512F.IsSupported && Avx512DQ.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(
        DigitProgram program, double* left, double* right, double* rightAgain, double* addend, double* carry, double* result) =>
        Avx512Kernel.Run(program, left, right, rightAgain, addend, carry, result);

    public static void Carry(double* number, int count)
    {
        var rounder = Vector512.Create(Rounder);
        var inverse = Vector512.Create(BaseInverse);
        var scale = Vector512.Create(Base);
        Vector512<double> carry = Vector512<double>.Zero;
        for (int i = 0; i < count - 1; i++)
        {
            Vector512<double> digit = LoadAlignedVector512(number + (i * Lanes));
            Vector512<double> next = Subtract(FusedMultiplyAdd(digit, inverse, rounder), rounder);
            StoreAligned(number + (i * Lanes), Add(FusedMultiplyAddNegated(next, scale, digit), carry));
            carry = next;
        }

        double* top = number + ((count - 1) * Lanes);
        StoreAligned(top, Add(LoadAlignedVector512(top), carry));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Double(double* number, double* result, int count)
    {
        for (int i = 0; i < count * Lanes; i += Lanes)
        {
            Vector512<double> digit = LoadAlignedVector512(number + i);
            StoreAligned(result + i, Add(digit, digit));
        }
    }

    public static void Difference(double* number, double* other, int count)
    {
        for (int i = 0; i < count * Lanes; i += Lanes)
        {
            StoreAligned(number + i, Subtract(LoadAlignedVector512(number + i), LoadAlignedVector512(other + i)));
        }
    }

    public static void EstimateMultiple(double* number, double factor, double* other, int count, double* multiple)
    {
        Vector512<double> divisor = Top(other, count);

        // 1 / divisor to 14 bits, then by Newton to 28.
        Vector512<double> reciprocal = Reciprocal14(divisor);
        reciprocal *= FusedMultiplyAddNegated(divisor, reciprocal, Vector512.Create(2.0));
        var rounder = Vector512.Create(Rounder);
        StoreAligned(multiple, FusedMultiplyAdd(Top(number, count) * Vector512.Create(factor), reciprocal, rounder) - rounder);
    }

    public static void ScaleAndSubtract(double* number, double factor, double* multiple, double* other, int count)
    {
        var factors = Vector512.Create(factor);
        Vector512<double> multiples = LoadAlignedVector512(multiple);
        for (int i = 0; i < count * Lanes; i += Lanes)
        {
            Vector512<double> scaled = Multiply(LoadAlignedVector512(number + i), factors);
            StoreAligned(number + i, FusedMultiplyAddNegated(multiples, LoadAlignedVector512(other + i), scaled));
        }
    }

    public static void ExchangeHalves(double* number, double* result, int count)
    {
        for (int i = 0; i < count * Lanes; i += Lanes)
        {
            Vector512<double> digit = LoadAlignedVector512(number + i);
            StoreAligned(result + i, Shuffle4x128(digit, digit, 0b01_00_11_10));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void EstimateCarry(double* left, double* right, int count, double* carry)
    {
        Vector512<double> even = Vector512<double>.Zero;
        Vector512<double> odd = Vector512<double>.Zero;
        double* r = right + ((count - 1) * Lanes);
        int i = 0;
        for (; i + 1 < count; i += 2, left += 2 * Lanes, r -= 2 * Lanes)
        {
            even = FusedMultiplyAdd(LoadAlignedVector512(left), LoadAlignedVector512(r), even);
            odd = FusedMultiplyAdd(LoadAlignedVector512(left + Lanes), LoadAlignedVector512(r - Lanes), odd);
        }

        if (i < count)
        {
            even = FusedMultiplyAdd(LoadAlignedVector512(left), LoadAlignedVector512(r), even);
        }

        StoreAligned(carry, Multiply(Add(even, odd), Vector512.Create(BaseInverse)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Select(double* entries, int stride, byte* windows, double* result, int count)
    {
        Vector512<long> index = ConvertToVector512Int64(Vector128.CreateScalar(*(ulong*)windows).AsByte());
        Vector512<double> m0 = CompareEqual(index, Vector512.Create(0L)).AsDouble();
        Vector512<double> m1 = CompareEqual(index, Vector512.Create(1L)).AsDouble();
        Vector512<double> m2 = CompareEqual(index, Vector512.Create(2L)).AsDouble();
        Vector512<double> m3 = CompareEqual(index, Vector512.Create(3L)).AsDouble();
        Vector512<double> m4 = CompareEqual(index, Vector512.Create(4L)).AsDouble();
        Vector512<double> m5 = CompareEqual(index, Vector512.Create(5L)).AsDouble();
        Vector512<double> m6 = CompareEqual(index, Vector512.Create(6L)).AsDouble();
        Vector512<double> m7 = CompareEqual(index, Vector512.Create(7L)).AsDouble();
        Vector512<double> m8 = CompareEqual(index, Vector512.Create(8L)).AsDouble();
        Vector512<double> m9 = CompareEqual(index, Vector512.Create(9L)).AsDouble();
        Vector512<double> m10 = CompareEqual(index, Vector512.Create(10L)).AsDouble();
        Vector512<double> m11 = CompareEqual(index, Vector512.Create(11L)).AsDouble();
        Vector512<double> m12 = CompareEqual(index, Vector512.Create(12L)).AsDouble();
        Vector512<double> m13 = CompareEqual(index, Vector512.Create(13L)).AsDouble();
        Vector512<double> m14 = CompareEqual(index, Vector512.Create(14L)).AsDouble();
        Vector512<double> m15 = CompareEqual(index, Vector512.Create(15L)).AsDouble();
        double* from = entries;
        int s = stride;
        for (int i = 0; i < count; i++, from += Lanes, result += Lanes)
        {
            Vector512<double> r = And(m0.AsInt64(), LoadAlignedVector512((long*)from)).AsDouble();
            r = TernaryLogic(r, m1, LoadAlignedVector512(from + (1 * s)), OrAnd);
            r = TernaryLogic(r, m2, LoadAlignedVector512(from + (2 * s)), OrAnd);
            r = TernaryLogic(r, m3, LoadAlignedVector512(from + (3 * s)), OrAnd);
            r = TernaryLogic(r, m4, LoadAlignedVector512(from + (4 * s)), OrAnd);
            r = TernaryLogic(r, m5, LoadAlignedVector512(from + (5 * s)), OrAnd);
            r = TernaryLogic(r, m6, LoadAlignedVector512(from + (6 * s)), OrAnd);
            r = TernaryLogic(r, m7, LoadAlignedVector512(from + (7 * s)), OrAnd);
            r = TernaryLogic(r, m8, LoadAlignedVector512(from + (8 * s)), OrAnd);
            r = TernaryLogic(r, m9, LoadAlignedVector512(from + (9 * s)), OrAnd);
            r = TernaryLogic(r, m10, LoadAlignedVector512(from + (10 * s)), OrAnd);
            r = TernaryLogic(r, m11, LoadAlignedVector512(from + (11 * s)), OrAnd);
            r = TernaryLogic(r, m12, LoadAlignedVector512(from + (12 * s)), OrAnd);
            r = TernaryLogic(r, m13, LoadAlignedVector512(from + (13 * s)), OrAnd);
            r = TernaryLogic(r, m14, LoadAlignedVector512(from + (14 * s)), OrAnd);
            r = TernaryLogic(r, m15, LoadAlignedVector512(from + (15 * s)), OrAnd);
            StoreAligned(result, r);
        }
    }

    public static void Canonicalize(double* number, double* modulus, int count)
    {
        Vector512<long> negative = Vector512<long>.Zero;
        for (int i = 0; i < count; i++)
        {
            Vector512<long> digit = Avx512DQ.ConvertToVector512Int64(LoadAlignedVector512(number + (i * Lanes)));
            negative = ShiftRightArithmetic(Add(digit, negative), Bits);
        }

        // What is carried out of the highest digit is -1 or 0: a mask.
        var mask = Vector512.Create(Mask);
        Vector512<long> carry = Vector512<long>.Zero;
        for (int i = 0; i < count; i++)
        {
            Vector512<long> digit = Avx512DQ.ConvertToVector512Int64(LoadAlignedVector512(number + (i * Lanes)));
            Vector512<long> added = Avx512DQ.ConvertToVector512Int64(LoadAlignedVector512(modulus + (i * Lanes)));
            digit = Add(Add(digit, And(added, negative)), carry);
            StoreAligned((long*)number + (i * Lanes), And(digit, mask));
            carry = ShiftRightArithmetic(digit, Bits);
        }
    }

    /// <summary>The two highest digits as one number.</summary>
    private static Vector512<double> Top(double* number, int count) => FusedMultiplyAdd(
        LoadAlignedVector512(number + ((count - 2) * Lanes)),
        Vector512.Create(BaseInverse),
        LoadAlignedVector512(number + ((count - 1) * Lanes)));
}
