using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static System.Runtime.Intrinsics.X86.Avx;
using static System.Runtime.Intrinsics.X86.Fma;
using static WarpDrive.Engines.Simd.Digits;

namespace WarpDrive.Engines.Simd;

/// <summary>Four lanes: vectors of 256 bits, of which AVX2 has 16, with the multiply-adds of FMA.</summary>
internal readonly unsafe struct Avx2Lanes : IDigitLanes
{
    private const int Lanes = 4;

    // Masks of eight entries fit in the registers.
    private const int SelectedTogether = 8;

    public static int Count => Lanes;

    public static bool IsSupported => Avx2.IsSupported && Fma.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(
        DigitProgram program, double* left, double* right, double* rightAgain, double* addend, double* carry, double* result) =>
        Avx2Kernel.Run(program, left, right, rightAgain, addend, carry, result);

    public static void Carry(double* number, int count)
    {
        var rounder = Vector256.Create(Rounder);
        var inverse = Vector256.Create(BaseInverse);
        var scale = Vector256.Create(Base);
        Vector256<double> carry = Vector256<double>.Zero;
        for (int i = 0; i < count - 1; i++)
        {
            Vector256<double> digit = LoadAlignedVector256(number + (i * Lanes));
            Vector256<double> next = Subtract(MultiplyAdd(digit, inverse, rounder), rounder);
            StoreAligned(number + (i * Lanes), Add(MultiplyAddNegated(next, scale, digit), carry));
            carry = next;
        }

        double* top = number + ((count - 1) * Lanes);
        StoreAligned(top, Add(LoadAlignedVector256(top), carry));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Double(double* number, double* result, int count)
    {
        for (int i = 0; i < count * Lanes; i += Lanes)
        {
            Vector256<double> digit = LoadAlignedVector256(number + i);
            StoreAligned(result + i, Add(digit, digit));
        }
    }

    public static void Difference(double* number, double* other, int count)
    {
        for (int i = 0; i < count * Lanes; i += Lanes)
        {
            StoreAligned(number + i, Subtract(LoadAlignedVector256(number + i), LoadAlignedVector256(other + i)));
        }
    }

    public static void EstimateMultiple(double* number, double factor, double* other, int count, double* multiple)
    {
        Vector256<double> divisor = Top(other, count);

        // 1 / divisor to 11 bits, then by Newton to 22 and to 44.
        Vector256<double> reciprocal = ConvertToVector256Double(Sse.Reciprocal(ConvertToVector128Single(divisor)));
        reciprocal *= MultiplyAddNegated(divisor, reciprocal, Vector256.Create(2.0));
        reciprocal *= MultiplyAddNegated(divisor, reciprocal, Vector256.Create(2.0));
        var rounder = Vector256.Create(Rounder);
        StoreAligned(multiple, MultiplyAdd(Top(number, count) * Vector256.Create(factor), reciprocal, rounder) - rounder);
    }

    public static void ScaleAndSubtract(double* number, double factor, double* multiple, double* other, int count)
    {
        var factors = Vector256.Create(factor);
        Vector256<double> multiples = LoadAlignedVector256(multiple);
        for (int i = 0; i < count * Lanes; i += Lanes)
        {
            Vector256<double> scaled = Multiply(LoadAlignedVector256(number + i), factors);
            StoreAligned(number + i, MultiplyAddNegated(multiples, LoadAlignedVector256(other + i), scaled));
        }
    }

    public static void ExchangeHalves(double* number, double* result, int count)
    {
        for (int i = 0; i < count * Lanes; i += Lanes)
        {
            Vector256<double> digit = LoadAlignedVector256(number + i);
            StoreAligned(result + i, Permute2x128(digit, digit, 1));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void EstimateCarry(double* left, double* right, int count, double* carry)
    {
        Vector256<double> even = Vector256<double>.Zero;
        Vector256<double> odd = Vector256<double>.Zero;
        double* r = right + ((count - 1) * Lanes);
        int i = 0;
        for (; i + 1 < count; i += 2, left += 2 * Lanes, r -= 2 * Lanes)
        {
            even = MultiplyAdd(LoadAlignedVector256(left), LoadAlignedVector256(r), even);
            odd = MultiplyAdd(LoadAlignedVector256(left + Lanes), LoadAlignedVector256(r - Lanes), odd);
        }

        if (i < count)
        {
            even = MultiplyAdd(LoadAlignedVector256(left), LoadAlignedVector256(r), even);
        }

        StoreAligned(carry, Multiply(Add(even, odd), Vector256.Create(BaseInverse)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Select(double* entries, int stride, byte* windows, double* result, int count)
    {
        Vector256<long> index = Avx2.ConvertToVector256Int64(Vector128.CreateScalar(*(uint*)windows).AsByte());
        SelectOf(entries, stride, index, result, count, isFirst: true);
        index = Avx2.Subtract(index, Vector256.Create((long)SelectedTogether));
        SelectOf(entries + (SelectedTogether * stride), stride, index, result, count, isFirst: false);
    }

    public static void Canonicalize(double* number, double* modulus, int count)
    {
        Vector256<long> negative = Vector256<long>.Zero;
        for (int i = 0; i < count; i++)
        {
            Vector256<long> digit = ToIntegers(LoadAlignedVector256(number + (i * Lanes)));
            negative = ShiftRightArithmetic(Avx2.Add(digit, negative));
        }

        // What is carried out of the highest digit is -1 or 0: a mask.
        var mask = Vector256.Create(Mask);
        Vector256<long> carry = Vector256<long>.Zero;
        for (int i = 0; i < count; i++)
        {
            Vector256<long> digit = ToIntegers(LoadAlignedVector256(number + (i * Lanes)));
            Vector256<long> added = ToIntegers(LoadAlignedVector256(modulus + (i * Lanes)));
            digit = Avx2.Add(Avx2.Add(digit, Avx2.And(added, negative)), carry);
            StoreAligned((long*)number + (i * Lanes), Avx2.And(digit, mask));
            carry = ShiftRightArithmetic(digit);
        }
    }

    /// <summary>Of eight entries the one that the index says; none where it is below 0 or above 7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SelectOf(double* entries, int s, Vector256<long> index, double* result, int count, bool isFirst)
    {
        Vector256<double> m0 = Avx2.CompareEqual(index, Vector256.Create(0L)).AsDouble();
        Vector256<double> m1 = Avx2.CompareEqual(index, Vector256.Create(1L)).AsDouble();
        Vector256<double> m2 = Avx2.CompareEqual(index, Vector256.Create(2L)).AsDouble();
        Vector256<double> m3 = Avx2.CompareEqual(index, Vector256.Create(3L)).AsDouble();
        Vector256<double> m4 = Avx2.CompareEqual(index, Vector256.Create(4L)).AsDouble();
        Vector256<double> m5 = Avx2.CompareEqual(index, Vector256.Create(5L)).AsDouble();
        Vector256<double> m6 = Avx2.CompareEqual(index, Vector256.Create(6L)).AsDouble();
        Vector256<double> m7 = Avx2.CompareEqual(index, Vector256.Create(7L)).AsDouble();
        for (int i = 0; i < count; i++, entries += Lanes, result += Lanes)
        {
            Vector256<double> r = And(m0, LoadAlignedVector256(entries));
            r = Or(r, And(m1, LoadAlignedVector256(entries + (1 * s))));
            r = Or(r, And(m2, LoadAlignedVector256(entries + (2 * s))));
            r = Or(r, And(m3, LoadAlignedVector256(entries + (3 * s))));
            r = Or(r, And(m4, LoadAlignedVector256(entries + (4 * s))));
            r = Or(r, And(m5, LoadAlignedVector256(entries + (5 * s))));
            r = Or(r, And(m6, LoadAlignedVector256(entries + (6 * s))));
            r = Or(r, And(m7, LoadAlignedVector256(entries + (7 * s))));
            StoreAligned(result, isFirst ? r : Or(r, LoadAlignedVector256(result)));
        }
    }

    /// <summary>Integers below 2^51 in magnitude, which AVX2 converts by no instruction: added to 1.5 * 2^52 they are its lowest bits.</summary>
    private static Vector256<long> ToIntegers(Vector256<double> numbers)
    {
        var rounder = Vector256.Create(Rounder);
        return Avx2.Subtract(Add(numbers, rounder).AsInt64(), rounder.AsInt64());
    }

    /// <summary>A shift by a digit with the sign, which AVX2 lacks: of what 2^62 was added to, no sign is seen.</summary>
    private static Vector256<long> ShiftRightArithmetic(Vector256<long> integers)
    {
        const int Bias = 62;
        Vector256<long> shifted = Avx2.ShiftRightLogical(Avx2.Add(integers, Vector256.Create(1L << Bias)), Bits);
        return Avx2.Subtract(shifted, Vector256.Create(1L << (Bias - Bits)));
    }

    /// <summary>The two highest digits as one number.</summary>
    private static Vector256<double> Top(double* number, int count) => MultiplyAdd(
        LoadAlignedVector256(number + ((count - 2) * Lanes)),
        Vector256.Create(BaseInverse),
        LoadAlignedVector256(number + ((count - 1) * Lanes)));
}
