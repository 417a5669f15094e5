using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static System.Runtime.Intrinsics.X86.Avx512F;
using static WarpDrive.Engines.Simd.Digits;

namespace WarpDrive.Engines.Simd;

/// <summary>
/// The inner loop of the SIMD engine: adds the products that a <see cref="DigitProgram"/> names, column by column, and carries.
/// </summary>
/// <remarks>
/// A product of two digits has up to 92 bits, a double holds 53. Two fused multiply-adds and two additions keep all of them:
/// <code>
///     t  = a * v + h          rounded to a multiple of 2^47, since h began at 1.5 * 2^99: the high part of the column grows
///     l += a * v + (h - t)    what the rounding took away, exactly: the low part of the column, below 2^53
/// </code>
/// A column is then worth h - start + l, and the carry into the next column is h / 2^47 without any rounding. Eleven columns
/// (22 registers) are worked on at a time, so that the adders never wait for each other.
/// Time and addresses depend on the program alone. Unrolled by hand, one line a column: the compiler keeps everything in registers.
/// </remarks>
internal static unsafe class DigitKernel
{
    /// <summary>Runs a program and writes one digit for each of its columns and one more above them.</summary>
    /// <param name="program">What to multiply.</param>
    /// <param name="left">The left factor; like all numbers here aligned to 64 bytes.</param>
    /// <param name="right">The right factor.</param>
    /// <param name="addend">One digit for each column and the one above, added to it; or null.</param>
    /// <param name="carry">What the column below the first one carries into it.</param>
    /// <param name="result">As many digits as the program has columns, and one. May be a factor only if the program has one block.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(
        DigitProgram program, double* left, double* right, double* addend, Vector512<double> carry, double* result)
    {
        var start = Vector512.Create(-HighStart);
        var rounder = Vector512.Create(Rounder);
        var scale = Vector512.Create(Base);
        var inverse = Vector512.Create(BaseInverse);
        Vector512<double> high = carry;                 // h / 2^47 of the column before the block
        Vector512<double> low = Vector512<double>.Zero; // what rounding its digit carries
        DigitStep* step = (DigitStep*)Unsafe.AsPointer(ref program.Steps[0]);
        int* count = (int*)Unsafe.AsPointer(ref program.StepCounts[0]);
        for (int block = program.StepCounts.Length; block > 0; block--, count++)
        {
            Vector512<double> a, t, v;
            Vector512<double> h0 = start, h1 = start, h2 = start, h3 = start, h4 = start, h5 = start,
                h6 = start, h7 = start, h8 = start, h9 = start, h10 = start;
            Vector512<double> l0 = Vector512<double>.Zero, l1 = Vector512<double>.Zero, l2 = Vector512<double>.Zero,
                l3 = Vector512<double>.Zero, l4 = Vector512<double>.Zero, l5 = Vector512<double>.Zero,
                l6 = Vector512<double>.Zero, l7 = Vector512<double>.Zero, l8 = Vector512<double>.Zero,
                l9 = Vector512<double>.Zero, l10 = Vector512<double>.Zero;
            if (addend != null)
            {
                l0 = LoadAlignedVector512(addend);
                l1 = LoadAlignedVector512(addend + 1 * Lanes);
                l2 = LoadAlignedVector512(addend + 2 * Lanes);
                l3 = LoadAlignedVector512(addend + 3 * Lanes);
                l4 = LoadAlignedVector512(addend + 4 * Lanes);
                l5 = LoadAlignedVector512(addend + 5 * Lanes);
                l6 = LoadAlignedVector512(addend + 6 * Lanes);
                l7 = LoadAlignedVector512(addend + 7 * Lanes);
                l8 = LoadAlignedVector512(addend + 8 * Lanes);
                l9 = LoadAlignedVector512(addend + 9 * Lanes);
                l10 = LoadAlignedVector512(addend + 10 * Lanes);
                addend += Block * Lanes;
            }

            for (DigitStep* end = step + *count; step < end; step++)
            {
                double* p = left + (step->Left * Lanes);
                double* b = right + (step->Right * Lanes);
                int rows = step->Rows;
                int edge = step->Edge;
                switch (step->Kind)
                {
                    case DigitRows.Whole:
                        for (; rows > 0; rows--, p += Lanes, b -= Lanes)
                        {
                            a = LoadAlignedVector512(p);
                            v = LoadAlignedVector512(b); t = FusedMultiplyAdd(a, v, h0); l0 = Add(l0, FusedMultiplyAdd(a, v, Subtract(h0, t))); h0 = t;
                            v = LoadAlignedVector512(b + 1 * Lanes); t = FusedMultiplyAdd(a, v, h1); l1 = Add(l1, FusedMultiplyAdd(a, v, Subtract(h1, t))); h1 = t;
                            v = LoadAlignedVector512(b + 2 * Lanes); t = FusedMultiplyAdd(a, v, h2); l2 = Add(l2, FusedMultiplyAdd(a, v, Subtract(h2, t))); h2 = t;
                            v = LoadAlignedVector512(b + 3 * Lanes); t = FusedMultiplyAdd(a, v, h3); l3 = Add(l3, FusedMultiplyAdd(a, v, Subtract(h3, t))); h3 = t;
                            v = LoadAlignedVector512(b + 4 * Lanes); t = FusedMultiplyAdd(a, v, h4); l4 = Add(l4, FusedMultiplyAdd(a, v, Subtract(h4, t))); h4 = t;
                            v = LoadAlignedVector512(b + 5 * Lanes); t = FusedMultiplyAdd(a, v, h5); l5 = Add(l5, FusedMultiplyAdd(a, v, Subtract(h5, t))); h5 = t;
                            v = LoadAlignedVector512(b + 6 * Lanes); t = FusedMultiplyAdd(a, v, h6); l6 = Add(l6, FusedMultiplyAdd(a, v, Subtract(h6, t))); h6 = t;
                            v = LoadAlignedVector512(b + 7 * Lanes); t = FusedMultiplyAdd(a, v, h7); l7 = Add(l7, FusedMultiplyAdd(a, v, Subtract(h7, t))); h7 = t;
                            v = LoadAlignedVector512(b + 8 * Lanes); t = FusedMultiplyAdd(a, v, h8); l8 = Add(l8, FusedMultiplyAdd(a, v, Subtract(h8, t))); h8 = t;
                            v = LoadAlignedVector512(b + 9 * Lanes); t = FusedMultiplyAdd(a, v, h9); l9 = Add(l9, FusedMultiplyAdd(a, v, Subtract(h9, t))); h9 = t;
                            v = LoadAlignedVector512(b + 10 * Lanes); t = FusedMultiplyAdd(a, v, h10); l10 = Add(l10, FusedMultiplyAdd(a, v, Subtract(h10, t))); h10 = t;
                        }

                        break;
                    case DigitRows.From:
                        for (; rows > 0; rows--, p += Lanes, b -= Lanes, edge += step->EdgeStep)
                        {
                            a = LoadAlignedVector512(p);
                            switch (edge)
                            {
                                case 0: v = LoadAlignedVector512(b); t = FusedMultiplyAdd(a, v, h0); l0 = Add(l0, FusedMultiplyAdd(a, v, Subtract(h0, t))); h0 = t; goto case 1;
                                case 1: v = LoadAlignedVector512(b + 1 * Lanes); t = FusedMultiplyAdd(a, v, h1); l1 = Add(l1, FusedMultiplyAdd(a, v, Subtract(h1, t))); h1 = t; goto case 2;
                                case 2: v = LoadAlignedVector512(b + 2 * Lanes); t = FusedMultiplyAdd(a, v, h2); l2 = Add(l2, FusedMultiplyAdd(a, v, Subtract(h2, t))); h2 = t; goto case 3;
                                case 3: v = LoadAlignedVector512(b + 3 * Lanes); t = FusedMultiplyAdd(a, v, h3); l3 = Add(l3, FusedMultiplyAdd(a, v, Subtract(h3, t))); h3 = t; goto case 4;
                                case 4: v = LoadAlignedVector512(b + 4 * Lanes); t = FusedMultiplyAdd(a, v, h4); l4 = Add(l4, FusedMultiplyAdd(a, v, Subtract(h4, t))); h4 = t; goto case 5;
                                case 5: v = LoadAlignedVector512(b + 5 * Lanes); t = FusedMultiplyAdd(a, v, h5); l5 = Add(l5, FusedMultiplyAdd(a, v, Subtract(h5, t))); h5 = t; goto case 6;
                                case 6: v = LoadAlignedVector512(b + 6 * Lanes); t = FusedMultiplyAdd(a, v, h6); l6 = Add(l6, FusedMultiplyAdd(a, v, Subtract(h6, t))); h6 = t; goto case 7;
                                case 7: v = LoadAlignedVector512(b + 7 * Lanes); t = FusedMultiplyAdd(a, v, h7); l7 = Add(l7, FusedMultiplyAdd(a, v, Subtract(h7, t))); h7 = t; goto case 8;
                                case 8: v = LoadAlignedVector512(b + 8 * Lanes); t = FusedMultiplyAdd(a, v, h8); l8 = Add(l8, FusedMultiplyAdd(a, v, Subtract(h8, t))); h8 = t; goto case 9;
                                case 9: v = LoadAlignedVector512(b + 9 * Lanes); t = FusedMultiplyAdd(a, v, h9); l9 = Add(l9, FusedMultiplyAdd(a, v, Subtract(h9, t))); h9 = t; goto case 10;
                                case 10: v = LoadAlignedVector512(b + 10 * Lanes); t = FusedMultiplyAdd(a, v, h10); l10 = Add(l10, FusedMultiplyAdd(a, v, Subtract(h10, t))); h10 = t; break;
                            }
                        }

                        break;
                    case DigitRows.UpTo:
                        for (; rows > 0; rows--, p += Lanes, b -= Lanes, edge += step->EdgeStep)
                        {
                            a = LoadAlignedVector512(p);
                            switch (edge)
                            {
                                case 10: v = LoadAlignedVector512(b + 10 * Lanes); t = FusedMultiplyAdd(a, v, h10); l10 = Add(l10, FusedMultiplyAdd(a, v, Subtract(h10, t))); h10 = t; goto case 9;
                                case 9: v = LoadAlignedVector512(b + 9 * Lanes); t = FusedMultiplyAdd(a, v, h9); l9 = Add(l9, FusedMultiplyAdd(a, v, Subtract(h9, t))); h9 = t; goto case 8;
                                case 8: v = LoadAlignedVector512(b + 8 * Lanes); t = FusedMultiplyAdd(a, v, h8); l8 = Add(l8, FusedMultiplyAdd(a, v, Subtract(h8, t))); h8 = t; goto case 7;
                                case 7: v = LoadAlignedVector512(b + 7 * Lanes); t = FusedMultiplyAdd(a, v, h7); l7 = Add(l7, FusedMultiplyAdd(a, v, Subtract(h7, t))); h7 = t; goto case 6;
                                case 6: v = LoadAlignedVector512(b + 6 * Lanes); t = FusedMultiplyAdd(a, v, h6); l6 = Add(l6, FusedMultiplyAdd(a, v, Subtract(h6, t))); h6 = t; goto case 5;
                                case 5: v = LoadAlignedVector512(b + 5 * Lanes); t = FusedMultiplyAdd(a, v, h5); l5 = Add(l5, FusedMultiplyAdd(a, v, Subtract(h5, t))); h5 = t; goto case 4;
                                case 4: v = LoadAlignedVector512(b + 4 * Lanes); t = FusedMultiplyAdd(a, v, h4); l4 = Add(l4, FusedMultiplyAdd(a, v, Subtract(h4, t))); h4 = t; goto case 3;
                                case 3: v = LoadAlignedVector512(b + 3 * Lanes); t = FusedMultiplyAdd(a, v, h3); l3 = Add(l3, FusedMultiplyAdd(a, v, Subtract(h3, t))); h3 = t; goto case 2;
                                case 2: v = LoadAlignedVector512(b + 2 * Lanes); t = FusedMultiplyAdd(a, v, h2); l2 = Add(l2, FusedMultiplyAdd(a, v, Subtract(h2, t))); h2 = t; goto case 1;
                                case 1: v = LoadAlignedVector512(b + 1 * Lanes); t = FusedMultiplyAdd(a, v, h1); l1 = Add(l1, FusedMultiplyAdd(a, v, Subtract(h1, t))); h1 = t; goto case 0;
                                case 0: v = LoadAlignedVector512(b); t = FusedMultiplyAdd(a, v, h0); l0 = Add(l0, FusedMultiplyAdd(a, v, Subtract(h0, t))); h0 = t; break;
                            }
                        }

                        break;
                    case DigitRows.Squares when edge == 0:
                        v = LoadAlignedVector512(b); t = FusedMultiplyAdd(v, v, h0); l0 = Add(l0, FusedMultiplyAdd(v, v, Subtract(h0, t))); h0 = t;
                        v = LoadAlignedVector512(b + 1 * Lanes); t = FusedMultiplyAdd(v, v, h2); l2 = Add(l2, FusedMultiplyAdd(v, v, Subtract(h2, t))); h2 = t;
                        v = LoadAlignedVector512(b + 2 * Lanes); t = FusedMultiplyAdd(v, v, h4); l4 = Add(l4, FusedMultiplyAdd(v, v, Subtract(h4, t))); h4 = t;
                        v = LoadAlignedVector512(b + 3 * Lanes); t = FusedMultiplyAdd(v, v, h6); l6 = Add(l6, FusedMultiplyAdd(v, v, Subtract(h6, t))); h6 = t;
                        v = LoadAlignedVector512(b + 4 * Lanes); t = FusedMultiplyAdd(v, v, h8); l8 = Add(l8, FusedMultiplyAdd(v, v, Subtract(h8, t))); h8 = t;
                        v = LoadAlignedVector512(b + 5 * Lanes); t = FusedMultiplyAdd(v, v, h10); l10 = Add(l10, FusedMultiplyAdd(v, v, Subtract(h10, t))); h10 = t;
                        break;
                    case DigitRows.Squares:
                        v = LoadAlignedVector512(b); t = FusedMultiplyAdd(v, v, h1); l1 = Add(l1, FusedMultiplyAdd(v, v, Subtract(h1, t))); h1 = t;
                        v = LoadAlignedVector512(b + 1 * Lanes); t = FusedMultiplyAdd(v, v, h3); l3 = Add(l3, FusedMultiplyAdd(v, v, Subtract(h3, t))); h3 = t;
                        v = LoadAlignedVector512(b + 2 * Lanes); t = FusedMultiplyAdd(v, v, h5); l5 = Add(l5, FusedMultiplyAdd(v, v, Subtract(h5, t))); h5 = t;
                        v = LoadAlignedVector512(b + 3 * Lanes); t = FusedMultiplyAdd(v, v, h7); l7 = Add(l7, FusedMultiplyAdd(v, v, Subtract(h7, t))); h7 = t;
                        v = LoadAlignedVector512(b + 4 * Lanes); t = FusedMultiplyAdd(v, v, h9); l9 = Add(l9, FusedMultiplyAdd(v, v, Subtract(h9, t))); h9 = t;
                        break;
                }
            }

            // The column's value is l plus the high part of the one below; what exceeds a digit is carried by rounding, once:
            // it is at most 2^7, so that the digit it reaches stays small enough without another carry.
            h0 = FusedMultiplyAdd(h0, inverse, rounder); // without the start
            h1 = FusedMultiplyAdd(h1, inverse, rounder); // without the start
            h2 = FusedMultiplyAdd(h2, inverse, rounder); // without the start
            h3 = FusedMultiplyAdd(h3, inverse, rounder); // without the start
            h4 = FusedMultiplyAdd(h4, inverse, rounder); // without the start
            h5 = FusedMultiplyAdd(h5, inverse, rounder); // without the start
            h6 = FusedMultiplyAdd(h6, inverse, rounder); // without the start
            h7 = FusedMultiplyAdd(h7, inverse, rounder); // without the start
            h8 = FusedMultiplyAdd(h8, inverse, rounder); // without the start
            h9 = FusedMultiplyAdd(h9, inverse, rounder); // without the start
            h10 = FusedMultiplyAdd(h10, inverse, rounder); // without the start
            l0 = Add(l0, high);
            l1 = Add(l1, h0);
            l2 = Add(l2, h1);
            l3 = Add(l3, h2);
            l4 = Add(l4, h3);
            l5 = Add(l5, h4);
            l6 = Add(l6, h5);
            l7 = Add(l7, h6);
            l8 = Add(l8, h7);
            l9 = Add(l9, h8);
            l10 = Add(l10, h9);
            high = h10;
            h0 = Subtract(FusedMultiplyAdd(l0, inverse, rounder), rounder); l0 = FusedMultiplyAddNegated(h0, scale, l0);
            h1 = Subtract(FusedMultiplyAdd(l1, inverse, rounder), rounder); l1 = FusedMultiplyAddNegated(h1, scale, l1);
            h2 = Subtract(FusedMultiplyAdd(l2, inverse, rounder), rounder); l2 = FusedMultiplyAddNegated(h2, scale, l2);
            h3 = Subtract(FusedMultiplyAdd(l3, inverse, rounder), rounder); l3 = FusedMultiplyAddNegated(h3, scale, l3);
            h4 = Subtract(FusedMultiplyAdd(l4, inverse, rounder), rounder); l4 = FusedMultiplyAddNegated(h4, scale, l4);
            h5 = Subtract(FusedMultiplyAdd(l5, inverse, rounder), rounder); l5 = FusedMultiplyAddNegated(h5, scale, l5);
            h6 = Subtract(FusedMultiplyAdd(l6, inverse, rounder), rounder); l6 = FusedMultiplyAddNegated(h6, scale, l6);
            h7 = Subtract(FusedMultiplyAdd(l7, inverse, rounder), rounder); l7 = FusedMultiplyAddNegated(h7, scale, l7);
            h8 = Subtract(FusedMultiplyAdd(l8, inverse, rounder), rounder); l8 = FusedMultiplyAddNegated(h8, scale, l8);
            h9 = Subtract(FusedMultiplyAdd(l9, inverse, rounder), rounder); l9 = FusedMultiplyAddNegated(h9, scale, l9);
            h10 = Subtract(FusedMultiplyAdd(l10, inverse, rounder), rounder); l10 = FusedMultiplyAddNegated(h10, scale, l10);
            StoreAligned(result, Add(l0, low));
            StoreAligned(result + 1 * Lanes, Add(l1, h0));
            StoreAligned(result + 2 * Lanes, Add(l2, h1));
            StoreAligned(result + 3 * Lanes, Add(l3, h2));
            StoreAligned(result + 4 * Lanes, Add(l4, h3));
            StoreAligned(result + 5 * Lanes, Add(l5, h4));
            StoreAligned(result + 6 * Lanes, Add(l6, h5));
            StoreAligned(result + 7 * Lanes, Add(l7, h6));
            StoreAligned(result + 8 * Lanes, Add(l8, h7));
            StoreAligned(result + 9 * Lanes, Add(l9, h8));
            StoreAligned(result + 10 * Lanes, Add(l10, h9));
            low = h10;
            result += Block * Lanes;
        }

        low = Add(low, high);
        StoreAligned(result, addend == null ? low : Add(low, LoadAlignedVector512(addend)));
    }
}
