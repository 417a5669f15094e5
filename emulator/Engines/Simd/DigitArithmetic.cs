using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static System.Runtime.Intrinsics.X86.Avx512F;
using static WarpDrive.Engines.Simd.Digits;

namespace WarpDrive.Engines.Simd;

/// <summary>What is done to numbers digit by digit, outside of products.</summary>
internal static unsafe class DigitArithmetic
{
    /// <summary>
    /// Brings digits below 2^52 back to at most 2^46 + 2^5: each is rounded to a multiple of the base, which its neighbour above gets.
    /// The highest keeps all it has.
    /// </summary>
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

    /// <summary>result = 2 number; digits double and are not carried.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Double(double* number, double* result, int count)
    {
        for (int i = 0; i < count * Lanes; i += Lanes)
        {
            Vector512<double> digit = LoadAlignedVector512(number + i);
            StoreAligned(result + i, Add(digit, digit));
        }
    }

    /// <summary>number -= other; digits are not carried.</summary>
    public static void Difference(double* number, double* other, int count)
    {
        for (int i = 0; i < count * Lanes; i += Lanes)
        {
            StoreAligned(number + i, Subtract(LoadAlignedVector512(number + i), LoadAlignedVector512(other + i)));
        }
    }

    /// <summary>number = number * factor - multiple * other, lane by lane, digits below 2^52 as long as factor and multiple are below 2^5; not carried.</summary>
    public static void ScaleAndSubtract(
        double* number, Vector512<double> factor, Vector512<double> multiple, double* other, int count)
    {
        for (int i = 0; i < count * Lanes; i += Lanes)
        {
            Vector512<double> scaled = Multiply(LoadAlignedVector512(number + i), factor);
            StoreAligned(number + i, FusedMultiplyAddNegated(multiple, LoadAlignedVector512(other + i), scaled));
        }
    }

    /// <summary>result = number with lanes 0 to 3 and 4 to 7 exchanged.</summary>
    public static void ExchangeHalves(double* number, double* result, int count)
    {
        for (int i = 0; i < count * Lanes; i += Lanes)
        {
            Vector512<double> digit = LoadAlignedVector512(number + i);
            StoreAligned(result + i, Shuffle4x128(digit, digit, 0b01_00_11_10));
        }
    }

    /// <summary>Sum of left[i] * right[count - 1 - i], rounded as it comes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Vector512<double> EstimateColumn(double* left, double* right, int count)
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

        return Add(even, odd);
    }
}
