// Written by emulator/KernelGenerator; a test compares the two. To change it, change the generator and run
// dotnet run --project emulator/KernelGenerator -- emulator/Engines/Simd
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static System.Runtime.Intrinsics.X86.Avx;
using static System.Runtime.Intrinsics.X86.Fma;
using static WarpDrive.Engines.Simd.Digits;

namespace WarpDrive.Engines.Simd;

/// <summary>
/// The inner loop of the SIMD engine with vectors of 256 bits: adds the products that a <see cref="DigitProgram"/> names, column by
/// column, and carries.
/// </summary>
/// <remarks>
/// A product of two digits has up to 92 bits, a double holds 53. Two fused multiply-adds and two additions keep all of them:
/// <code>
///     t  = a * v + h          rounded to a multiple of 2^47, since h began at 1.5 * 2^99: the high part of the column grows
///     l += a * v + (h - t)    what the rounding took away, exactly: the low part of the column, below 2^53
/// </code>
/// A column is then worth h - start + l, and the carry into the next column is h / 2^47 without any rounding. So many columns that no
/// addition waits for the one before are worked on at a time, in two registers each: of a block 6, then 5.
/// Time and addresses depend on the program alone.
/// </remarks>
internal static unsafe class Avx2Kernel
{
    private const int Lanes = 4;

    /// <summary>Runs a program and writes one digit for each of its columns and one more above them.</summary>
    /// <param name="program">What to multiply.</param>
    /// <param name="left">The left factor; like all numbers here aligned to vectors.</param>
    /// <param name="right">The right factor.</param>
    /// <param name="rightAgain">
    /// The right factor once more. The compiler does not know that it is the same, so it reads the digit twice as an operand, which
    /// is free, instead of keeping it in a register that would have to be copied.
    /// </param>
    /// <param name="addend">One digit for each column and the one above, added to it; or null.</param>
    /// <param name="carry">What the column below the first one carries into it; or null.</param>
    /// <param name="result">As many digits as the program has columns, and one; no factor of a program of several blocks.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(
        DigitProgram program,
        double* left,
        double* right,
        double* rightAgain,
        double* addend,
        double* carry,
        double* result)
    {
        var start = Vector256.Create(-HighStart);
        var rounder = Vector256.Create(Rounder);
        var scale = Vector256.Create(Base);
        var inverse = Vector256.Create(BaseInverse);
        Vector256<double> high = carry == null ? Vector256<double>.Zero : LoadAlignedVector256(carry); // h / 2^47 of the column before
        Vector256<double> low = Vector256<double>.Zero; // what rounding its digit carries
        DigitStep* first = (DigitStep*)Unsafe.AsPointer(ref program.Steps[0]);
        int* count = (int*)Unsafe.AsPointer(ref program.StepCounts[0]);
        for (int block = program.StepCounts.Length; block > 0; block--, count++)
        {
            DigitStep* end = first + *count;
            Vector256<double> a, e, t, u;

            // Columns 0 to 5.
            Vector256<double> h0 = start, l0 = Vector256<double>.Zero;
            Vector256<double> h1 = start, l1 = Vector256<double>.Zero;
            Vector256<double> h2 = start, l2 = Vector256<double>.Zero;
            Vector256<double> h3 = start, l3 = Vector256<double>.Zero;
            Vector256<double> h4 = start, l4 = Vector256<double>.Zero;
            Vector256<double> h5 = start, l5 = Vector256<double>.Zero;
            if (addend != null)
            {
                l0 = LoadAlignedVector256(addend);
                l1 = LoadAlignedVector256(addend + (1 * Lanes));
                l2 = LoadAlignedVector256(addend + (2 * Lanes));
                l3 = LoadAlignedVector256(addend + (3 * Lanes));
                l4 = LoadAlignedVector256(addend + (4 * Lanes));
                l5 = LoadAlignedVector256(addend + (5 * Lanes));
            }

            for (DigitStep* step = first; step < end; step++)
            {
                double* p = left + (step->Left * Lanes);
                double* b = right + (step->Right * Lanes);
                double* d = rightAgain + (step->Right * Lanes);
                switch (step->Kind)
                {
                    case DigitRows.Whole:
                        for (int rows = step->Rows; rows > 0; rows--, p += Lanes, b -= Lanes, d -= Lanes)
                        {
                            a = LoadAlignedVector256(p);
                            t = LoadAlignedVector256(b);
                            t = MultiplyAdd(t, a, h0);
                            h0 = Subtract(h0, t);
                            u = LoadAlignedVector256(b + (1 * Lanes)); h0 = MultiplyAdd(a, LoadAlignedVector256(d), h0);
                            u = MultiplyAdd(u, a, h1); l0 = Add(l0, h0);
                            h1 = Subtract(h1, u); h0 = t;
                            t = LoadAlignedVector256(b + (2 * Lanes)); h1 = MultiplyAdd(a, LoadAlignedVector256(d + (1 * Lanes)), h1);
                            t = MultiplyAdd(t, a, h2); l1 = Add(l1, h1);
                            h2 = Subtract(h2, t); h1 = u;
                            u = LoadAlignedVector256(b + (3 * Lanes)); h2 = MultiplyAdd(a, LoadAlignedVector256(d + (2 * Lanes)), h2);
                            u = MultiplyAdd(u, a, h3); l2 = Add(l2, h2);
                            h3 = Subtract(h3, u); h2 = t;
                            t = LoadAlignedVector256(b + (4 * Lanes)); h3 = MultiplyAdd(a, LoadAlignedVector256(d + (3 * Lanes)), h3);
                            t = MultiplyAdd(t, a, h4); l3 = Add(l3, h3);
                            h4 = Subtract(h4, t); h3 = u;
                            u = LoadAlignedVector256(b + (5 * Lanes)); h4 = MultiplyAdd(a, LoadAlignedVector256(d + (4 * Lanes)), h4);
                            u = MultiplyAdd(u, a, h5); l4 = Add(l4, h4);
                            h5 = Subtract(h5, u); h4 = t;
                            h5 = MultiplyAdd(a, LoadAlignedVector256(d + (5 * Lanes)), h5); l5 = Add(l5, h5); h5 = u;
                        }

                        break;
                    case DigitRows.From:
                        a = LoadAlignedVector256(p);
                        t = LoadAlignedVector256(b + (1 * Lanes));
                        t = MultiplyAdd(t, a, h1);
                        h1 = Subtract(h1, t);
                        u = LoadAlignedVector256(b + (2 * Lanes)); h1 = MultiplyAdd(a, LoadAlignedVector256(d + (1 * Lanes)), h1);
                        u = MultiplyAdd(u, a, h2); l1 = Add(l1, h1);
                        h2 = Subtract(h2, u); h1 = t;
                        t = LoadAlignedVector256(b + (3 * Lanes)); h2 = MultiplyAdd(a, LoadAlignedVector256(d + (2 * Lanes)), h2);
                        t = MultiplyAdd(t, a, h3); l2 = Add(l2, h2);
                        h3 = Subtract(h3, t); h2 = u;
                        u = LoadAlignedVector256(b + (4 * Lanes)); h3 = MultiplyAdd(a, LoadAlignedVector256(d + (3 * Lanes)), h3);
                        u = MultiplyAdd(u, a, h4); l3 = Add(l3, h3);
                        h4 = Subtract(h4, u); h3 = t;
                        t = LoadAlignedVector256(b + (5 * Lanes)); h4 = MultiplyAdd(a, LoadAlignedVector256(d + (4 * Lanes)), h4);
                        t = MultiplyAdd(t, a, h5); l4 = Add(l4, h4);
                        h5 = Subtract(h5, t); h4 = u;
                        e = LoadAlignedVector256(p + (4 * Lanes));
                        h5 = MultiplyAdd(a, LoadAlignedVector256(d + (5 * Lanes)), h5); l5 = Add(l5, h5); h5 = t;
                        u = LoadAlignedVector256(b + (1 * Lanes));
                        u = MultiplyAdd(u, e, h5);
                        h5 = Subtract(h5, u);
                        a = LoadAlignedVector256(p + (1 * Lanes));
                        t = LoadAlignedVector256(b + (1 * Lanes)); h5 = MultiplyAdd(e, LoadAlignedVector256(d + (1 * Lanes)), h5);
                        t = MultiplyAdd(t, a, h2); l5 = Add(l5, h5);
                        h2 = Subtract(h2, t); h5 = u;
                        u = LoadAlignedVector256(b + (2 * Lanes)); h2 = MultiplyAdd(a, LoadAlignedVector256(d + (1 * Lanes)), h2);
                        u = MultiplyAdd(u, a, h3); l2 = Add(l2, h2);
                        h3 = Subtract(h3, u); h2 = t;
                        t = LoadAlignedVector256(b + (3 * Lanes)); h3 = MultiplyAdd(a, LoadAlignedVector256(d + (2 * Lanes)), h3);
                        t = MultiplyAdd(t, a, h4); l3 = Add(l3, h3);
                        h4 = Subtract(h4, t); h3 = u;
                        u = LoadAlignedVector256(b + (4 * Lanes)); h4 = MultiplyAdd(a, LoadAlignedVector256(d + (3 * Lanes)), h4);
                        u = MultiplyAdd(u, a, h5); l4 = Add(l4, h4);
                        h5 = Subtract(h5, u); h4 = t;
                        e = LoadAlignedVector256(p + (3 * Lanes));
                        t = LoadAlignedVector256(b + (1 * Lanes)); h5 = MultiplyAdd(a, LoadAlignedVector256(d + (4 * Lanes)), h5);
                        t = MultiplyAdd(t, e, h4); l5 = Add(l5, h5);
                        h4 = Subtract(h4, t); h5 = u;
                        u = LoadAlignedVector256(b + (2 * Lanes)); h4 = MultiplyAdd(e, LoadAlignedVector256(d + (1 * Lanes)), h4);
                        u = MultiplyAdd(u, e, h5); l4 = Add(l4, h4);
                        h5 = Subtract(h5, u); h4 = t;
                        a = LoadAlignedVector256(p + (2 * Lanes));
                        t = LoadAlignedVector256(b + (1 * Lanes)); h5 = MultiplyAdd(e, LoadAlignedVector256(d + (2 * Lanes)), h5);
                        t = MultiplyAdd(t, a, h3); l5 = Add(l5, h5);
                        h3 = Subtract(h3, t); h5 = u;
                        u = LoadAlignedVector256(b + (2 * Lanes)); h3 = MultiplyAdd(a, LoadAlignedVector256(d + (1 * Lanes)), h3);
                        u = MultiplyAdd(u, a, h4); l3 = Add(l3, h3);
                        h4 = Subtract(h4, u); h3 = t;
                        t = LoadAlignedVector256(b + (3 * Lanes)); h4 = MultiplyAdd(a, LoadAlignedVector256(d + (2 * Lanes)), h4);
                        t = MultiplyAdd(t, a, h5); l4 = Add(l4, h4);
                        h5 = Subtract(h5, t); h4 = u;
                        h5 = MultiplyAdd(a, LoadAlignedVector256(d + (3 * Lanes)), h5); l5 = Add(l5, h5); h5 = t;
                        break;
                    case DigitRows.UpTo:
                        a = LoadAlignedVector256(p + (5 * Lanes));
                        t = LoadAlignedVector256(b - (5 * Lanes));
                        t = MultiplyAdd(t, a, h0);
                        h0 = Subtract(h0, t);
                        u = LoadAlignedVector256(b - (4 * Lanes)); h0 = MultiplyAdd(a, LoadAlignedVector256(d - (5 * Lanes)), h0);
                        u = MultiplyAdd(u, a, h1); l0 = Add(l0, h0);
                        h1 = Subtract(h1, u); h0 = t;
                        t = LoadAlignedVector256(b - (3 * Lanes)); h1 = MultiplyAdd(a, LoadAlignedVector256(d - (4 * Lanes)), h1);
                        t = MultiplyAdd(t, a, h2); l1 = Add(l1, h1);
                        h2 = Subtract(h2, t); h1 = u;
                        u = LoadAlignedVector256(b - (2 * Lanes)); h2 = MultiplyAdd(a, LoadAlignedVector256(d - (3 * Lanes)), h2);
                        u = MultiplyAdd(u, a, h3); l2 = Add(l2, h2);
                        h3 = Subtract(h3, u); h2 = t;
                        t = LoadAlignedVector256(b - (1 * Lanes)); h3 = MultiplyAdd(a, LoadAlignedVector256(d - (2 * Lanes)), h3);
                        t = MultiplyAdd(t, a, h4); l3 = Add(l3, h3);
                        h4 = Subtract(h4, t); h3 = u;
                        u = LoadAlignedVector256(b); h4 = MultiplyAdd(a, LoadAlignedVector256(d - (1 * Lanes)), h4);
                        u = MultiplyAdd(u, a, h5); l4 = Add(l4, h4);
                        h5 = Subtract(h5, u); h4 = t;
                        e = LoadAlignedVector256(p);
                        t = LoadAlignedVector256(b); h5 = MultiplyAdd(a, LoadAlignedVector256(d), h5);
                        t = MultiplyAdd(t, e, h0); l5 = Add(l5, h5);
                        h0 = Subtract(h0, t); h5 = u;
                        a = LoadAlignedVector256(p + (6 * Lanes));
                        h0 = MultiplyAdd(e, LoadAlignedVector256(d), h0); l0 = Add(l0, h0); h0 = t;
                        u = LoadAlignedVector256(b - (6 * Lanes));
                        u = MultiplyAdd(u, a, h0);
                        h0 = Subtract(h0, u);
                        t = LoadAlignedVector256(b - (5 * Lanes)); h0 = MultiplyAdd(a, LoadAlignedVector256(d - (6 * Lanes)), h0);
                        t = MultiplyAdd(t, a, h1); l0 = Add(l0, h0);
                        h1 = Subtract(h1, t); h0 = u;
                        u = LoadAlignedVector256(b - (4 * Lanes)); h1 = MultiplyAdd(a, LoadAlignedVector256(d - (5 * Lanes)), h1);
                        u = MultiplyAdd(u, a, h2); l1 = Add(l1, h1);
                        h2 = Subtract(h2, u); h1 = t;
                        t = LoadAlignedVector256(b - (3 * Lanes)); h2 = MultiplyAdd(a, LoadAlignedVector256(d - (4 * Lanes)), h2);
                        t = MultiplyAdd(t, a, h3); l2 = Add(l2, h2);
                        h3 = Subtract(h3, t); h2 = u;
                        u = LoadAlignedVector256(b - (2 * Lanes)); h3 = MultiplyAdd(a, LoadAlignedVector256(d - (3 * Lanes)), h3);
                        u = MultiplyAdd(u, a, h4); l3 = Add(l3, h3);
                        h4 = Subtract(h4, u); h3 = t;
                        t = LoadAlignedVector256(b - (1 * Lanes)); h4 = MultiplyAdd(a, LoadAlignedVector256(d - (2 * Lanes)), h4);
                        t = MultiplyAdd(t, a, h5); l4 = Add(l4, h4);
                        h5 = Subtract(h5, t); h4 = u;
                        e = LoadAlignedVector256(p + (1 * Lanes));
                        u = LoadAlignedVector256(b - (1 * Lanes)); h5 = MultiplyAdd(a, LoadAlignedVector256(d - (1 * Lanes)), h5);
                        u = MultiplyAdd(u, e, h0); l5 = Add(l5, h5);
                        h0 = Subtract(h0, u); h5 = t;
                        t = LoadAlignedVector256(b); h0 = MultiplyAdd(e, LoadAlignedVector256(d - (1 * Lanes)), h0);
                        t = MultiplyAdd(t, e, h1); l0 = Add(l0, h0);
                        h1 = Subtract(h1, t); h0 = u;
                        a = LoadAlignedVector256(p + (7 * Lanes));
                        u = LoadAlignedVector256(b - (7 * Lanes)); h1 = MultiplyAdd(e, LoadAlignedVector256(d), h1);
                        u = MultiplyAdd(u, a, h0); l1 = Add(l1, h1);
                        h0 = Subtract(h0, u); h1 = t;
                        t = LoadAlignedVector256(b - (6 * Lanes)); h0 = MultiplyAdd(a, LoadAlignedVector256(d - (7 * Lanes)), h0);
                        t = MultiplyAdd(t, a, h1); l0 = Add(l0, h0);
                        h1 = Subtract(h1, t); h0 = u;
                        u = LoadAlignedVector256(b - (5 * Lanes)); h1 = MultiplyAdd(a, LoadAlignedVector256(d - (6 * Lanes)), h1);
                        u = MultiplyAdd(u, a, h2); l1 = Add(l1, h1);
                        h2 = Subtract(h2, u); h1 = t;
                        t = LoadAlignedVector256(b - (4 * Lanes)); h2 = MultiplyAdd(a, LoadAlignedVector256(d - (5 * Lanes)), h2);
                        t = MultiplyAdd(t, a, h3); l2 = Add(l2, h2);
                        h3 = Subtract(h3, t); h2 = u;
                        u = LoadAlignedVector256(b - (3 * Lanes)); h3 = MultiplyAdd(a, LoadAlignedVector256(d - (4 * Lanes)), h3);
                        u = MultiplyAdd(u, a, h4); l3 = Add(l3, h3);
                        h4 = Subtract(h4, u); h3 = t;
                        t = LoadAlignedVector256(b - (2 * Lanes)); h4 = MultiplyAdd(a, LoadAlignedVector256(d - (3 * Lanes)), h4);
                        t = MultiplyAdd(t, a, h5); l4 = Add(l4, h4);
                        h5 = Subtract(h5, t); h4 = u;
                        e = LoadAlignedVector256(p + (2 * Lanes));
                        u = LoadAlignedVector256(b - (2 * Lanes)); h5 = MultiplyAdd(a, LoadAlignedVector256(d - (2 * Lanes)), h5);
                        u = MultiplyAdd(u, e, h0); l5 = Add(l5, h5);
                        h0 = Subtract(h0, u); h5 = t;
                        t = LoadAlignedVector256(b - (1 * Lanes)); h0 = MultiplyAdd(e, LoadAlignedVector256(d - (2 * Lanes)), h0);
                        t = MultiplyAdd(t, e, h1); l0 = Add(l0, h0);
                        h1 = Subtract(h1, t); h0 = u;
                        u = LoadAlignedVector256(b); h1 = MultiplyAdd(e, LoadAlignedVector256(d - (1 * Lanes)), h1);
                        u = MultiplyAdd(u, e, h2); l1 = Add(l1, h1);
                        h2 = Subtract(h2, u); h1 = t;
                        a = LoadAlignedVector256(p + (8 * Lanes));
                        t = LoadAlignedVector256(b - (8 * Lanes)); h2 = MultiplyAdd(e, LoadAlignedVector256(d), h2);
                        t = MultiplyAdd(t, a, h0); l2 = Add(l2, h2);
                        h0 = Subtract(h0, t); h2 = u;
                        u = LoadAlignedVector256(b - (7 * Lanes)); h0 = MultiplyAdd(a, LoadAlignedVector256(d - (8 * Lanes)), h0);
                        u = MultiplyAdd(u, a, h1); l0 = Add(l0, h0);
                        h1 = Subtract(h1, u); h0 = t;
                        t = LoadAlignedVector256(b - (6 * Lanes)); h1 = MultiplyAdd(a, LoadAlignedVector256(d - (7 * Lanes)), h1);
                        t = MultiplyAdd(t, a, h2); l1 = Add(l1, h1);
                        h2 = Subtract(h2, t); h1 = u;
                        u = LoadAlignedVector256(b - (5 * Lanes)); h2 = MultiplyAdd(a, LoadAlignedVector256(d - (6 * Lanes)), h2);
                        u = MultiplyAdd(u, a, h3); l2 = Add(l2, h2);
                        h3 = Subtract(h3, u); h2 = t;
                        t = LoadAlignedVector256(b - (4 * Lanes)); h3 = MultiplyAdd(a, LoadAlignedVector256(d - (5 * Lanes)), h3);
                        t = MultiplyAdd(t, a, h4); l3 = Add(l3, h3);
                        h4 = Subtract(h4, t); h3 = u;
                        u = LoadAlignedVector256(b - (3 * Lanes)); h4 = MultiplyAdd(a, LoadAlignedVector256(d - (4 * Lanes)), h4);
                        u = MultiplyAdd(u, a, h5); l4 = Add(l4, h4);
                        h5 = Subtract(h5, u); h4 = t;
                        e = LoadAlignedVector256(p + (3 * Lanes));
                        t = LoadAlignedVector256(b - (3 * Lanes)); h5 = MultiplyAdd(a, LoadAlignedVector256(d - (3 * Lanes)), h5);
                        t = MultiplyAdd(t, e, h0); l5 = Add(l5, h5);
                        h0 = Subtract(h0, t); h5 = u;
                        u = LoadAlignedVector256(b - (2 * Lanes)); h0 = MultiplyAdd(e, LoadAlignedVector256(d - (3 * Lanes)), h0);
                        u = MultiplyAdd(u, e, h1); l0 = Add(l0, h0);
                        h1 = Subtract(h1, u); h0 = t;
                        t = LoadAlignedVector256(b - (1 * Lanes)); h1 = MultiplyAdd(e, LoadAlignedVector256(d - (2 * Lanes)), h1);
                        t = MultiplyAdd(t, e, h2); l1 = Add(l1, h1);
                        h2 = Subtract(h2, t); h1 = u;
                        u = LoadAlignedVector256(b); h2 = MultiplyAdd(e, LoadAlignedVector256(d - (1 * Lanes)), h2);
                        u = MultiplyAdd(u, e, h3); l2 = Add(l2, h2);
                        h3 = Subtract(h3, u); h2 = t;
                        a = LoadAlignedVector256(p + (9 * Lanes));
                        t = LoadAlignedVector256(b - (9 * Lanes)); h3 = MultiplyAdd(e, LoadAlignedVector256(d), h3);
                        t = MultiplyAdd(t, a, h0); l3 = Add(l3, h3);
                        h0 = Subtract(h0, t); h3 = u;
                        u = LoadAlignedVector256(b - (8 * Lanes)); h0 = MultiplyAdd(a, LoadAlignedVector256(d - (9 * Lanes)), h0);
                        u = MultiplyAdd(u, a, h1); l0 = Add(l0, h0);
                        h1 = Subtract(h1, u); h0 = t;
                        t = LoadAlignedVector256(b - (7 * Lanes)); h1 = MultiplyAdd(a, LoadAlignedVector256(d - (8 * Lanes)), h1);
                        t = MultiplyAdd(t, a, h2); l1 = Add(l1, h1);
                        h2 = Subtract(h2, t); h1 = u;
                        u = LoadAlignedVector256(b - (6 * Lanes)); h2 = MultiplyAdd(a, LoadAlignedVector256(d - (7 * Lanes)), h2);
                        u = MultiplyAdd(u, a, h3); l2 = Add(l2, h2);
                        h3 = Subtract(h3, u); h2 = t;
                        t = LoadAlignedVector256(b - (5 * Lanes)); h3 = MultiplyAdd(a, LoadAlignedVector256(d - (6 * Lanes)), h3);
                        t = MultiplyAdd(t, a, h4); l3 = Add(l3, h3);
                        h4 = Subtract(h4, t); h3 = u;
                        u = LoadAlignedVector256(b - (4 * Lanes)); h4 = MultiplyAdd(a, LoadAlignedVector256(d - (5 * Lanes)), h4);
                        u = MultiplyAdd(u, a, h5); l4 = Add(l4, h4);
                        h5 = Subtract(h5, u); h4 = t;
                        e = LoadAlignedVector256(p + (4 * Lanes));
                        t = LoadAlignedVector256(b - (4 * Lanes)); h5 = MultiplyAdd(a, LoadAlignedVector256(d - (4 * Lanes)), h5);
                        t = MultiplyAdd(t, e, h0); l5 = Add(l5, h5);
                        h0 = Subtract(h0, t); h5 = u;
                        u = LoadAlignedVector256(b - (3 * Lanes)); h0 = MultiplyAdd(e, LoadAlignedVector256(d - (4 * Lanes)), h0);
                        u = MultiplyAdd(u, e, h1); l0 = Add(l0, h0);
                        h1 = Subtract(h1, u); h0 = t;
                        t = LoadAlignedVector256(b - (2 * Lanes)); h1 = MultiplyAdd(e, LoadAlignedVector256(d - (3 * Lanes)), h1);
                        t = MultiplyAdd(t, e, h2); l1 = Add(l1, h1);
                        h2 = Subtract(h2, t); h1 = u;
                        u = LoadAlignedVector256(b - (1 * Lanes)); h2 = MultiplyAdd(e, LoadAlignedVector256(d - (2 * Lanes)), h2);
                        u = MultiplyAdd(u, e, h3); l2 = Add(l2, h2);
                        h3 = Subtract(h3, u); h2 = t;
                        t = LoadAlignedVector256(b); h3 = MultiplyAdd(e, LoadAlignedVector256(d - (1 * Lanes)), h3);
                        t = MultiplyAdd(t, e, h4); l3 = Add(l3, h3);
                        h4 = Subtract(h4, t); h3 = u;
                        h4 = MultiplyAdd(e, LoadAlignedVector256(d), h4); l4 = Add(l4, h4); h4 = t;
                        break;
                    case DigitRows.SquareFrom:
                        a = LoadAlignedVector256(p);
                        t = LoadAlignedVector256(b + (1 * Lanes));
                        t = MultiplyAdd(t, a, h1);
                        h1 = Subtract(h1, t);
                        u = LoadAlignedVector256(b + (2 * Lanes)); h1 = MultiplyAdd(a, LoadAlignedVector256(d + (1 * Lanes)), h1);
                        u = MultiplyAdd(u, a, h2); l1 = Add(l1, h1);
                        h2 = Subtract(h2, u); h1 = t;
                        t = LoadAlignedVector256(b + (3 * Lanes)); h2 = MultiplyAdd(a, LoadAlignedVector256(d + (2 * Lanes)), h2);
                        t = MultiplyAdd(t, a, h3); l2 = Add(l2, h2);
                        h3 = Subtract(h3, t); h2 = u;
                        u = LoadAlignedVector256(b + (4 * Lanes)); h3 = MultiplyAdd(a, LoadAlignedVector256(d + (3 * Lanes)), h3);
                        u = MultiplyAdd(u, a, h4); l3 = Add(l3, h3);
                        h4 = Subtract(h4, u); h3 = t;
                        t = LoadAlignedVector256(b + (5 * Lanes)); h4 = MultiplyAdd(a, LoadAlignedVector256(d + (4 * Lanes)), h4);
                        t = MultiplyAdd(t, a, h5); l4 = Add(l4, h4);
                        h5 = Subtract(h5, t); h4 = u;
                        e = LoadAlignedVector256(p + (2 * Lanes));
                        h5 = MultiplyAdd(a, LoadAlignedVector256(d + (5 * Lanes)), h5); l5 = Add(l5, h5); h5 = t;
                        u = LoadAlignedVector256(b + (3 * Lanes));
                        u = MultiplyAdd(u, e, h5);
                        h5 = Subtract(h5, u);
                        a = LoadAlignedVector256(p + (1 * Lanes));
                        t = LoadAlignedVector256(b + (2 * Lanes)); h5 = MultiplyAdd(e, LoadAlignedVector256(d + (3 * Lanes)), h5);
                        t = MultiplyAdd(t, a, h3); l5 = Add(l5, h5);
                        h3 = Subtract(h3, t); h5 = u;
                        u = LoadAlignedVector256(b + (3 * Lanes)); h3 = MultiplyAdd(a, LoadAlignedVector256(d + (2 * Lanes)), h3);
                        u = MultiplyAdd(u, a, h4); l3 = Add(l3, h3);
                        h4 = Subtract(h4, u); h3 = t;
                        t = LoadAlignedVector256(b + (4 * Lanes)); h4 = MultiplyAdd(a, LoadAlignedVector256(d + (3 * Lanes)), h4);
                        t = MultiplyAdd(t, a, h5); l4 = Add(l4, h4);
                        h5 = Subtract(h5, t); h4 = u;
                        h5 = MultiplyAdd(a, LoadAlignedVector256(d + (4 * Lanes)), h5); l5 = Add(l5, h5); h5 = t;
                        break;
                    case DigitRows.SquareUpTo:
                        a = LoadAlignedVector256(p + (3 * Lanes));
                        t = LoadAlignedVector256(b - (3 * Lanes));
                        t = MultiplyAdd(t, a, h0);
                        h0 = Subtract(h0, t);
                        u = LoadAlignedVector256(b - (2 * Lanes)); h0 = MultiplyAdd(a, LoadAlignedVector256(d - (3 * Lanes)), h0);
                        u = MultiplyAdd(u, a, h1); l0 = Add(l0, h0);
                        h1 = Subtract(h1, u); h0 = t;
                        t = LoadAlignedVector256(b - (1 * Lanes)); h1 = MultiplyAdd(a, LoadAlignedVector256(d - (2 * Lanes)), h1);
                        t = MultiplyAdd(t, a, h2); l1 = Add(l1, h1);
                        h2 = Subtract(h2, t); h1 = u;
                        u = LoadAlignedVector256(b); h2 = MultiplyAdd(a, LoadAlignedVector256(d - (1 * Lanes)), h2);
                        u = MultiplyAdd(u, a, h3); l2 = Add(l2, h2);
                        h3 = Subtract(h3, u); h2 = t;
                        t = LoadAlignedVector256(b + (1 * Lanes)); h3 = MultiplyAdd(a, LoadAlignedVector256(d), h3);
                        t = MultiplyAdd(t, a, h4); l3 = Add(l3, h3);
                        h4 = Subtract(h4, t); h3 = u;
                        u = LoadAlignedVector256(b + (2 * Lanes)); h4 = MultiplyAdd(a, LoadAlignedVector256(d + (1 * Lanes)), h4);
                        u = MultiplyAdd(u, a, h5); l4 = Add(l4, h4);
                        h5 = Subtract(h5, u); h4 = t;
                        e = LoadAlignedVector256(p);
                        t = LoadAlignedVector256(b); h5 = MultiplyAdd(a, LoadAlignedVector256(d + (2 * Lanes)), h5);
                        t = MultiplyAdd(t, e, h0); l5 = Add(l5, h5);
                        h0 = Subtract(h0, t); h5 = u;
                        a = LoadAlignedVector256(p + (4 * Lanes));
                        h0 = MultiplyAdd(e, LoadAlignedVector256(d), h0); l0 = Add(l0, h0); h0 = t;
                        u = LoadAlignedVector256(b - (4 * Lanes));
                        u = MultiplyAdd(u, a, h0);
                        h0 = Subtract(h0, u);
                        t = LoadAlignedVector256(b - (3 * Lanes)); h0 = MultiplyAdd(a, LoadAlignedVector256(d - (4 * Lanes)), h0);
                        t = MultiplyAdd(t, a, h1); l0 = Add(l0, h0);
                        h1 = Subtract(h1, t); h0 = u;
                        u = LoadAlignedVector256(b - (2 * Lanes)); h1 = MultiplyAdd(a, LoadAlignedVector256(d - (3 * Lanes)), h1);
                        u = MultiplyAdd(u, a, h2); l1 = Add(l1, h1);
                        h2 = Subtract(h2, u); h1 = t;
                        t = LoadAlignedVector256(b - (1 * Lanes)); h2 = MultiplyAdd(a, LoadAlignedVector256(d - (2 * Lanes)), h2);
                        t = MultiplyAdd(t, a, h3); l2 = Add(l2, h2);
                        h3 = Subtract(h3, t); h2 = u;
                        u = LoadAlignedVector256(b); h3 = MultiplyAdd(a, LoadAlignedVector256(d - (1 * Lanes)), h3);
                        u = MultiplyAdd(u, a, h4); l3 = Add(l3, h3);
                        h4 = Subtract(h4, u); h3 = t;
                        t = LoadAlignedVector256(b + (1 * Lanes)); h4 = MultiplyAdd(a, LoadAlignedVector256(d), h4);
                        t = MultiplyAdd(t, a, h5); l4 = Add(l4, h4);
                        h5 = Subtract(h5, t); h4 = u;
                        e = LoadAlignedVector256(p + (1 * Lanes));
                        u = LoadAlignedVector256(b - (1 * Lanes)); h5 = MultiplyAdd(a, LoadAlignedVector256(d + (1 * Lanes)), h5);
                        u = MultiplyAdd(u, e, h0); l5 = Add(l5, h5);
                        h0 = Subtract(h0, u); h5 = t;
                        t = LoadAlignedVector256(b); h0 = MultiplyAdd(e, LoadAlignedVector256(d - (1 * Lanes)), h0);
                        t = MultiplyAdd(t, e, h1); l0 = Add(l0, h0);
                        h1 = Subtract(h1, t); h0 = u;
                        u = LoadAlignedVector256(b + (1 * Lanes)); h1 = MultiplyAdd(e, LoadAlignedVector256(d), h1);
                        u = MultiplyAdd(u, e, h2); l1 = Add(l1, h1);
                        h2 = Subtract(h2, u); h1 = t;
                        a = LoadAlignedVector256(p + (2 * Lanes));
                        t = LoadAlignedVector256(b - (2 * Lanes)); h2 = MultiplyAdd(e, LoadAlignedVector256(d + (1 * Lanes)), h2);
                        t = MultiplyAdd(t, a, h0); l2 = Add(l2, h2);
                        h0 = Subtract(h0, t); h2 = u;
                        u = LoadAlignedVector256(b - (1 * Lanes)); h0 = MultiplyAdd(a, LoadAlignedVector256(d - (2 * Lanes)), h0);
                        u = MultiplyAdd(u, a, h1); l0 = Add(l0, h0);
                        h1 = Subtract(h1, u); h0 = t;
                        t = LoadAlignedVector256(b); h1 = MultiplyAdd(a, LoadAlignedVector256(d - (1 * Lanes)), h1);
                        t = MultiplyAdd(t, a, h2); l1 = Add(l1, h1);
                        h2 = Subtract(h2, t); h1 = u;
                        u = LoadAlignedVector256(b + (1 * Lanes)); h2 = MultiplyAdd(a, LoadAlignedVector256(d), h2);
                        u = MultiplyAdd(u, a, h3); l2 = Add(l2, h2);
                        h3 = Subtract(h3, u); h2 = t;
                        t = LoadAlignedVector256(b + (2 * Lanes)); h3 = MultiplyAdd(a, LoadAlignedVector256(d + (1 * Lanes)), h3);
                        t = MultiplyAdd(t, a, h4); l3 = Add(l3, h3);
                        h4 = Subtract(h4, t); h3 = u;
                        h4 = MultiplyAdd(a, LoadAlignedVector256(d + (2 * Lanes)), h4); l4 = Add(l4, h4); h4 = t;
                        break;
                    case DigitRows.EvenSquares:
                        a = LoadAlignedVector256(b); t = MultiplyAdd(a, a, h0);
                        l0 = Add(l0, MultiplyAdd(a, a, Subtract(h0, t))); h0 = t;
                        a = LoadAlignedVector256(b + (1 * Lanes)); t = MultiplyAdd(a, a, h2);
                        l2 = Add(l2, MultiplyAdd(a, a, Subtract(h2, t))); h2 = t;
                        a = LoadAlignedVector256(b + (2 * Lanes)); t = MultiplyAdd(a, a, h4);
                        l4 = Add(l4, MultiplyAdd(a, a, Subtract(h4, t))); h4 = t;
                        break;
                    case DigitRows.OddSquares:
                        a = LoadAlignedVector256(b); t = MultiplyAdd(a, a, h1);
                        l1 = Add(l1, MultiplyAdd(a, a, Subtract(h1, t))); h1 = t;
                        a = LoadAlignedVector256(b + (1 * Lanes)); t = MultiplyAdd(a, a, h3);
                        l3 = Add(l3, MultiplyAdd(a, a, Subtract(h3, t))); h3 = t;
                        a = LoadAlignedVector256(b + (2 * Lanes)); t = MultiplyAdd(a, a, h5);
                        l5 = Add(l5, MultiplyAdd(a, a, Subtract(h5, t))); h5 = t;
                        break;
                }
            }

            // The column's value is l plus the high part of the one below; what exceeds a digit is carried by rounding, once:
            // it is at most 2^6, so that the digit it reaches stays small enough without another carry.
            h0 = MultiplyAdd(h0, inverse, rounder);
            h1 = MultiplyAdd(h1, inverse, rounder);
            h2 = MultiplyAdd(h2, inverse, rounder);
            h3 = MultiplyAdd(h3, inverse, rounder);
            h4 = MultiplyAdd(h4, inverse, rounder);
            h5 = MultiplyAdd(h5, inverse, rounder);
            l0 = Add(l0, high);
            l1 = Add(l1, h0);
            l2 = Add(l2, h1);
            l3 = Add(l3, h2);
            l4 = Add(l4, h3);
            l5 = Add(l5, h4);
            high = h5;
            h0 = Subtract(MultiplyAdd(l0, inverse, rounder), rounder);
            h1 = Subtract(MultiplyAdd(l1, inverse, rounder), rounder);
            h2 = Subtract(MultiplyAdd(l2, inverse, rounder), rounder);
            h3 = Subtract(MultiplyAdd(l3, inverse, rounder), rounder);
            h4 = Subtract(MultiplyAdd(l4, inverse, rounder), rounder);
            h5 = Subtract(MultiplyAdd(l5, inverse, rounder), rounder);
            l0 = MultiplyAddNegated(h0, scale, l0);
            l1 = MultiplyAddNegated(h1, scale, l1);
            l2 = MultiplyAddNegated(h2, scale, l2);
            l3 = MultiplyAddNegated(h3, scale, l3);
            l4 = MultiplyAddNegated(h4, scale, l4);
            l5 = MultiplyAddNegated(h5, scale, l5);
            StoreAligned(result, Add(l0, low));
            StoreAligned(result + (1 * Lanes), Add(l1, h0));
            StoreAligned(result + (2 * Lanes), Add(l2, h1));
            StoreAligned(result + (3 * Lanes), Add(l3, h2));
            StoreAligned(result + (4 * Lanes), Add(l4, h3));
            StoreAligned(result + (5 * Lanes), Add(l5, h4));
            low = h5;

            // Columns 6 to 10.
            Vector256<double> h6 = start, l6 = Vector256<double>.Zero;
            Vector256<double> h7 = start, l7 = Vector256<double>.Zero;
            Vector256<double> h8 = start, l8 = Vector256<double>.Zero;
            Vector256<double> h9 = start, l9 = Vector256<double>.Zero;
            Vector256<double> h10 = start, l10 = Vector256<double>.Zero;
            if (addend != null)
            {
                l6 = LoadAlignedVector256(addend + (6 * Lanes));
                l7 = LoadAlignedVector256(addend + (7 * Lanes));
                l8 = LoadAlignedVector256(addend + (8 * Lanes));
                l9 = LoadAlignedVector256(addend + (9 * Lanes));
                l10 = LoadAlignedVector256(addend + (10 * Lanes));
            }

            for (DigitStep* step = first; step < end; step++)
            {
                double* p = left + (step->Left * Lanes);
                double* b = right + (step->Right * Lanes);
                double* d = rightAgain + (step->Right * Lanes);
                switch (step->Kind)
                {
                    case DigitRows.Whole:
                        for (int rows = step->Rows; rows > 0; rows--, p += Lanes, b -= Lanes, d -= Lanes)
                        {
                            a = LoadAlignedVector256(p);
                            t = LoadAlignedVector256(b + (6 * Lanes));
                            t = MultiplyAdd(t, a, h6);
                            h6 = Subtract(h6, t);
                            u = LoadAlignedVector256(b + (7 * Lanes)); h6 = MultiplyAdd(a, LoadAlignedVector256(d + (6 * Lanes)), h6);
                            u = MultiplyAdd(u, a, h7); l6 = Add(l6, h6);
                            h7 = Subtract(h7, u); h6 = t;
                            t = LoadAlignedVector256(b + (8 * Lanes)); h7 = MultiplyAdd(a, LoadAlignedVector256(d + (7 * Lanes)), h7);
                            t = MultiplyAdd(t, a, h8); l7 = Add(l7, h7);
                            h8 = Subtract(h8, t); h7 = u;
                            u = LoadAlignedVector256(b + (9 * Lanes)); h8 = MultiplyAdd(a, LoadAlignedVector256(d + (8 * Lanes)), h8);
                            u = MultiplyAdd(u, a, h9); l8 = Add(l8, h8);
                            h9 = Subtract(h9, u); h8 = t;
                            t = LoadAlignedVector256(b + (10 * Lanes)); h9 = MultiplyAdd(a, LoadAlignedVector256(d + (9 * Lanes)), h9);
                            t = MultiplyAdd(t, a, h10); l9 = Add(l9, h9);
                            h10 = Subtract(h10, t); h9 = u;
                            h10 = MultiplyAdd(a, LoadAlignedVector256(d + (10 * Lanes)), h10); l10 = Add(l10, h10); h10 = t;
                        }

                        break;
                    case DigitRows.From:
                        a = LoadAlignedVector256(p);
                        t = LoadAlignedVector256(b + (6 * Lanes));
                        t = MultiplyAdd(t, a, h6);
                        h6 = Subtract(h6, t);
                        u = LoadAlignedVector256(b + (7 * Lanes)); h6 = MultiplyAdd(a, LoadAlignedVector256(d + (6 * Lanes)), h6);
                        u = MultiplyAdd(u, a, h7); l6 = Add(l6, h6);
                        h7 = Subtract(h7, u); h6 = t;
                        t = LoadAlignedVector256(b + (8 * Lanes)); h7 = MultiplyAdd(a, LoadAlignedVector256(d + (7 * Lanes)), h7);
                        t = MultiplyAdd(t, a, h8); l7 = Add(l7, h7);
                        h8 = Subtract(h8, t); h7 = u;
                        u = LoadAlignedVector256(b + (9 * Lanes)); h8 = MultiplyAdd(a, LoadAlignedVector256(d + (8 * Lanes)), h8);
                        u = MultiplyAdd(u, a, h9); l8 = Add(l8, h8);
                        h9 = Subtract(h9, u); h8 = t;
                        t = LoadAlignedVector256(b + (10 * Lanes)); h9 = MultiplyAdd(a, LoadAlignedVector256(d + (9 * Lanes)), h9);
                        t = MultiplyAdd(t, a, h10); l9 = Add(l9, h9);
                        h10 = Subtract(h10, t); h9 = u;
                        e = LoadAlignedVector256(p + (9 * Lanes));
                        h10 = MultiplyAdd(a, LoadAlignedVector256(d + (10 * Lanes)), h10); l10 = Add(l10, h10); h10 = t;
                        u = LoadAlignedVector256(b + (1 * Lanes));
                        u = MultiplyAdd(u, e, h10);
                        h10 = Subtract(h10, u);
                        a = LoadAlignedVector256(p + (1 * Lanes));
                        t = LoadAlignedVector256(b + (5 * Lanes)); h10 = MultiplyAdd(e, LoadAlignedVector256(d + (1 * Lanes)), h10);
                        t = MultiplyAdd(t, a, h6); l10 = Add(l10, h10);
                        h6 = Subtract(h6, t); h10 = u;
                        u = LoadAlignedVector256(b + (6 * Lanes)); h6 = MultiplyAdd(a, LoadAlignedVector256(d + (5 * Lanes)), h6);
                        u = MultiplyAdd(u, a, h7); l6 = Add(l6, h6);
                        h7 = Subtract(h7, u); h6 = t;
                        t = LoadAlignedVector256(b + (7 * Lanes)); h7 = MultiplyAdd(a, LoadAlignedVector256(d + (6 * Lanes)), h7);
                        t = MultiplyAdd(t, a, h8); l7 = Add(l7, h7);
                        h8 = Subtract(h8, t); h7 = u;
                        u = LoadAlignedVector256(b + (8 * Lanes)); h8 = MultiplyAdd(a, LoadAlignedVector256(d + (7 * Lanes)), h8);
                        u = MultiplyAdd(u, a, h9); l8 = Add(l8, h8);
                        h9 = Subtract(h9, u); h8 = t;
                        t = LoadAlignedVector256(b + (9 * Lanes)); h9 = MultiplyAdd(a, LoadAlignedVector256(d + (8 * Lanes)), h9);
                        t = MultiplyAdd(t, a, h10); l9 = Add(l9, h9);
                        h10 = Subtract(h10, t); h9 = u;
                        e = LoadAlignedVector256(p + (8 * Lanes));
                        u = LoadAlignedVector256(b + (1 * Lanes)); h10 = MultiplyAdd(a, LoadAlignedVector256(d + (9 * Lanes)), h10);
                        u = MultiplyAdd(u, e, h9); l10 = Add(l10, h10);
                        h9 = Subtract(h9, u); h10 = t;
                        t = LoadAlignedVector256(b + (2 * Lanes)); h9 = MultiplyAdd(e, LoadAlignedVector256(d + (1 * Lanes)), h9);
                        t = MultiplyAdd(t, e, h10); l9 = Add(l9, h9);
                        h10 = Subtract(h10, t); h9 = u;
                        a = LoadAlignedVector256(p + (2 * Lanes));
                        u = LoadAlignedVector256(b + (4 * Lanes)); h10 = MultiplyAdd(e, LoadAlignedVector256(d + (2 * Lanes)), h10);
                        u = MultiplyAdd(u, a, h6); l10 = Add(l10, h10);
                        h6 = Subtract(h6, u); h10 = t;
                        t = LoadAlignedVector256(b + (5 * Lanes)); h6 = MultiplyAdd(a, LoadAlignedVector256(d + (4 * Lanes)), h6);
                        t = MultiplyAdd(t, a, h7); l6 = Add(l6, h6);
                        h7 = Subtract(h7, t); h6 = u;
                        u = LoadAlignedVector256(b + (6 * Lanes)); h7 = MultiplyAdd(a, LoadAlignedVector256(d + (5 * Lanes)), h7);
                        u = MultiplyAdd(u, a, h8); l7 = Add(l7, h7);
                        h8 = Subtract(h8, u); h7 = t;
                        t = LoadAlignedVector256(b + (7 * Lanes)); h8 = MultiplyAdd(a, LoadAlignedVector256(d + (6 * Lanes)), h8);
                        t = MultiplyAdd(t, a, h9); l8 = Add(l8, h8);
                        h9 = Subtract(h9, t); h8 = u;
                        u = LoadAlignedVector256(b + (8 * Lanes)); h9 = MultiplyAdd(a, LoadAlignedVector256(d + (7 * Lanes)), h9);
                        u = MultiplyAdd(u, a, h10); l9 = Add(l9, h9);
                        h10 = Subtract(h10, u); h9 = t;
                        e = LoadAlignedVector256(p + (7 * Lanes));
                        t = LoadAlignedVector256(b + (1 * Lanes)); h10 = MultiplyAdd(a, LoadAlignedVector256(d + (8 * Lanes)), h10);
                        t = MultiplyAdd(t, e, h8); l10 = Add(l10, h10);
                        h8 = Subtract(h8, t); h10 = u;
                        u = LoadAlignedVector256(b + (2 * Lanes)); h8 = MultiplyAdd(e, LoadAlignedVector256(d + (1 * Lanes)), h8);
                        u = MultiplyAdd(u, e, h9); l8 = Add(l8, h8);
                        h9 = Subtract(h9, u); h8 = t;
                        t = LoadAlignedVector256(b + (3 * Lanes)); h9 = MultiplyAdd(e, LoadAlignedVector256(d + (2 * Lanes)), h9);
                        t = MultiplyAdd(t, e, h10); l9 = Add(l9, h9);
                        h10 = Subtract(h10, t); h9 = u;
                        a = LoadAlignedVector256(p + (3 * Lanes));
                        u = LoadAlignedVector256(b + (3 * Lanes)); h10 = MultiplyAdd(e, LoadAlignedVector256(d + (3 * Lanes)), h10);
                        u = MultiplyAdd(u, a, h6); l10 = Add(l10, h10);
                        h6 = Subtract(h6, u); h10 = t;
                        t = LoadAlignedVector256(b + (4 * Lanes)); h6 = MultiplyAdd(a, LoadAlignedVector256(d + (3 * Lanes)), h6);
                        t = MultiplyAdd(t, a, h7); l6 = Add(l6, h6);
                        h7 = Subtract(h7, t); h6 = u;
                        u = LoadAlignedVector256(b + (5 * Lanes)); h7 = MultiplyAdd(a, LoadAlignedVector256(d + (4 * Lanes)), h7);
                        u = MultiplyAdd(u, a, h8); l7 = Add(l7, h7);
                        h8 = Subtract(h8, u); h7 = t;
                        t = LoadAlignedVector256(b + (6 * Lanes)); h8 = MultiplyAdd(a, LoadAlignedVector256(d + (5 * Lanes)), h8);
                        t = MultiplyAdd(t, a, h9); l8 = Add(l8, h8);
                        h9 = Subtract(h9, t); h8 = u;
                        u = LoadAlignedVector256(b + (7 * Lanes)); h9 = MultiplyAdd(a, LoadAlignedVector256(d + (6 * Lanes)), h9);
                        u = MultiplyAdd(u, a, h10); l9 = Add(l9, h9);
                        h10 = Subtract(h10, u); h9 = t;
                        e = LoadAlignedVector256(p + (6 * Lanes));
                        t = LoadAlignedVector256(b + (1 * Lanes)); h10 = MultiplyAdd(a, LoadAlignedVector256(d + (7 * Lanes)), h10);
                        t = MultiplyAdd(t, e, h7); l10 = Add(l10, h10);
                        h7 = Subtract(h7, t); h10 = u;
                        u = LoadAlignedVector256(b + (2 * Lanes)); h7 = MultiplyAdd(e, LoadAlignedVector256(d + (1 * Lanes)), h7);
                        u = MultiplyAdd(u, e, h8); l7 = Add(l7, h7);
                        h8 = Subtract(h8, u); h7 = t;
                        t = LoadAlignedVector256(b + (3 * Lanes)); h8 = MultiplyAdd(e, LoadAlignedVector256(d + (2 * Lanes)), h8);
                        t = MultiplyAdd(t, e, h9); l8 = Add(l8, h8);
                        h9 = Subtract(h9, t); h8 = u;
                        u = LoadAlignedVector256(b + (4 * Lanes)); h9 = MultiplyAdd(e, LoadAlignedVector256(d + (3 * Lanes)), h9);
                        u = MultiplyAdd(u, e, h10); l9 = Add(l9, h9);
                        h10 = Subtract(h10, u); h9 = t;
                        a = LoadAlignedVector256(p + (4 * Lanes));
                        t = LoadAlignedVector256(b + (2 * Lanes)); h10 = MultiplyAdd(e, LoadAlignedVector256(d + (4 * Lanes)), h10);
                        t = MultiplyAdd(t, a, h6); l10 = Add(l10, h10);
                        h6 = Subtract(h6, t); h10 = u;
                        u = LoadAlignedVector256(b + (3 * Lanes)); h6 = MultiplyAdd(a, LoadAlignedVector256(d + (2 * Lanes)), h6);
                        u = MultiplyAdd(u, a, h7); l6 = Add(l6, h6);
                        h7 = Subtract(h7, u); h6 = t;
                        t = LoadAlignedVector256(b + (4 * Lanes)); h7 = MultiplyAdd(a, LoadAlignedVector256(d + (3 * Lanes)), h7);
                        t = MultiplyAdd(t, a, h8); l7 = Add(l7, h7);
                        h8 = Subtract(h8, t); h7 = u;
                        u = LoadAlignedVector256(b + (5 * Lanes)); h8 = MultiplyAdd(a, LoadAlignedVector256(d + (4 * Lanes)), h8);
                        u = MultiplyAdd(u, a, h9); l8 = Add(l8, h8);
                        h9 = Subtract(h9, u); h8 = t;
                        t = LoadAlignedVector256(b + (6 * Lanes)); h9 = MultiplyAdd(a, LoadAlignedVector256(d + (5 * Lanes)), h9);
                        t = MultiplyAdd(t, a, h10); l9 = Add(l9, h9);
                        h10 = Subtract(h10, t); h9 = u;
                        e = LoadAlignedVector256(p + (5 * Lanes));
                        u = LoadAlignedVector256(b + (1 * Lanes)); h10 = MultiplyAdd(a, LoadAlignedVector256(d + (6 * Lanes)), h10);
                        u = MultiplyAdd(u, e, h6); l10 = Add(l10, h10);
                        h6 = Subtract(h6, u); h10 = t;
                        t = LoadAlignedVector256(b + (2 * Lanes)); h6 = MultiplyAdd(e, LoadAlignedVector256(d + (1 * Lanes)), h6);
                        t = MultiplyAdd(t, e, h7); l6 = Add(l6, h6);
                        h7 = Subtract(h7, t); h6 = u;
                        u = LoadAlignedVector256(b + (3 * Lanes)); h7 = MultiplyAdd(e, LoadAlignedVector256(d + (2 * Lanes)), h7);
                        u = MultiplyAdd(u, e, h8); l7 = Add(l7, h7);
                        h8 = Subtract(h8, u); h7 = t;
                        t = LoadAlignedVector256(b + (4 * Lanes)); h8 = MultiplyAdd(e, LoadAlignedVector256(d + (3 * Lanes)), h8);
                        t = MultiplyAdd(t, e, h9); l8 = Add(l8, h8);
                        h9 = Subtract(h9, t); h8 = u;
                        u = LoadAlignedVector256(b + (5 * Lanes)); h9 = MultiplyAdd(e, LoadAlignedVector256(d + (4 * Lanes)), h9);
                        u = MultiplyAdd(u, e, h10); l9 = Add(l9, h9);
                        h10 = Subtract(h10, u); h9 = t;
                        h10 = MultiplyAdd(e, LoadAlignedVector256(d + (5 * Lanes)), h10); l10 = Add(l10, h10); h10 = u;
                        break;
                    case DigitRows.UpTo:
                        a = LoadAlignedVector256(p + (9 * Lanes));
                        t = LoadAlignedVector256(b - (3 * Lanes));
                        t = MultiplyAdd(t, a, h6);
                        h6 = Subtract(h6, t);
                        u = LoadAlignedVector256(b - (2 * Lanes)); h6 = MultiplyAdd(a, LoadAlignedVector256(d - (3 * Lanes)), h6);
                        u = MultiplyAdd(u, a, h7); l6 = Add(l6, h6);
                        h7 = Subtract(h7, u); h6 = t;
                        t = LoadAlignedVector256(b - (1 * Lanes)); h7 = MultiplyAdd(a, LoadAlignedVector256(d - (2 * Lanes)), h7);
                        t = MultiplyAdd(t, a, h8); l7 = Add(l7, h7);
                        h8 = Subtract(h8, t); h7 = u;
                        u = LoadAlignedVector256(b); h8 = MultiplyAdd(a, LoadAlignedVector256(d - (1 * Lanes)), h8);
                        u = MultiplyAdd(u, a, h9); l8 = Add(l8, h8);
                        h9 = Subtract(h9, u); h8 = t;
                        e = LoadAlignedVector256(p + (6 * Lanes));
                        t = LoadAlignedVector256(b); h9 = MultiplyAdd(a, LoadAlignedVector256(d), h9);
                        t = MultiplyAdd(t, e, h6); l9 = Add(l9, h9);
                        h6 = Subtract(h6, t); h9 = u;
                        a = LoadAlignedVector256(p + (8 * Lanes));
                        h6 = MultiplyAdd(e, LoadAlignedVector256(d), h6); l6 = Add(l6, h6); h6 = t;
                        u = LoadAlignedVector256(b - (2 * Lanes));
                        u = MultiplyAdd(u, a, h6);
                        h6 = Subtract(h6, u);
                        t = LoadAlignedVector256(b - (1 * Lanes)); h6 = MultiplyAdd(a, LoadAlignedVector256(d - (2 * Lanes)), h6);
                        t = MultiplyAdd(t, a, h7); l6 = Add(l6, h6);
                        h7 = Subtract(h7, t); h6 = u;
                        u = LoadAlignedVector256(b); h7 = MultiplyAdd(a, LoadAlignedVector256(d - (1 * Lanes)), h7);
                        u = MultiplyAdd(u, a, h8); l7 = Add(l7, h7);
                        h8 = Subtract(h8, u); h7 = t;
                        e = LoadAlignedVector256(p + (7 * Lanes));
                        t = LoadAlignedVector256(b - (1 * Lanes)); h8 = MultiplyAdd(a, LoadAlignedVector256(d), h8);
                        t = MultiplyAdd(t, e, h6); l8 = Add(l8, h8);
                        h6 = Subtract(h6, t); h8 = u;
                        u = LoadAlignedVector256(b); h6 = MultiplyAdd(e, LoadAlignedVector256(d - (1 * Lanes)), h6);
                        u = MultiplyAdd(u, e, h7); l6 = Add(l6, h6);
                        h7 = Subtract(h7, u); h6 = t;
                        h7 = MultiplyAdd(e, LoadAlignedVector256(d), h7); l7 = Add(l7, h7); h7 = u;
                        break;
                    case DigitRows.SquareFrom:
                        a = LoadAlignedVector256(p);
                        t = LoadAlignedVector256(b + (6 * Lanes));
                        t = MultiplyAdd(t, a, h6);
                        h6 = Subtract(h6, t);
                        u = LoadAlignedVector256(b + (7 * Lanes)); h6 = MultiplyAdd(a, LoadAlignedVector256(d + (6 * Lanes)), h6);
                        u = MultiplyAdd(u, a, h7); l6 = Add(l6, h6);
                        h7 = Subtract(h7, u); h6 = t;
                        t = LoadAlignedVector256(b + (8 * Lanes)); h7 = MultiplyAdd(a, LoadAlignedVector256(d + (7 * Lanes)), h7);
                        t = MultiplyAdd(t, a, h8); l7 = Add(l7, h7);
                        h8 = Subtract(h8, t); h7 = u;
                        u = LoadAlignedVector256(b + (9 * Lanes)); h8 = MultiplyAdd(a, LoadAlignedVector256(d + (8 * Lanes)), h8);
                        u = MultiplyAdd(u, a, h9); l8 = Add(l8, h8);
                        h9 = Subtract(h9, u); h8 = t;
                        t = LoadAlignedVector256(b + (10 * Lanes)); h9 = MultiplyAdd(a, LoadAlignedVector256(d + (9 * Lanes)), h9);
                        t = MultiplyAdd(t, a, h10); l9 = Add(l9, h9);
                        h10 = Subtract(h10, t); h9 = u;
                        e = LoadAlignedVector256(p + (4 * Lanes));
                        u = LoadAlignedVector256(b + (5 * Lanes)); h10 = MultiplyAdd(a, LoadAlignedVector256(d + (10 * Lanes)), h10);
                        u = MultiplyAdd(u, e, h9); l10 = Add(l10, h10);
                        h9 = Subtract(h9, u); h10 = t;
                        t = LoadAlignedVector256(b + (6 * Lanes)); h9 = MultiplyAdd(e, LoadAlignedVector256(d + (5 * Lanes)), h9);
                        t = MultiplyAdd(t, e, h10); l9 = Add(l9, h9);
                        h10 = Subtract(h10, t); h9 = u;
                        a = LoadAlignedVector256(p + (1 * Lanes));
                        u = LoadAlignedVector256(b + (5 * Lanes)); h10 = MultiplyAdd(e, LoadAlignedVector256(d + (6 * Lanes)), h10);
                        u = MultiplyAdd(u, a, h6); l10 = Add(l10, h10);
                        h6 = Subtract(h6, u); h10 = t;
                        t = LoadAlignedVector256(b + (6 * Lanes)); h6 = MultiplyAdd(a, LoadAlignedVector256(d + (5 * Lanes)), h6);
                        t = MultiplyAdd(t, a, h7); l6 = Add(l6, h6);
                        h7 = Subtract(h7, t); h6 = u;
                        u = LoadAlignedVector256(b + (7 * Lanes)); h7 = MultiplyAdd(a, LoadAlignedVector256(d + (6 * Lanes)), h7);
                        u = MultiplyAdd(u, a, h8); l7 = Add(l7, h7);
                        h8 = Subtract(h8, u); h7 = t;
                        t = LoadAlignedVector256(b + (8 * Lanes)); h8 = MultiplyAdd(a, LoadAlignedVector256(d + (7 * Lanes)), h8);
                        t = MultiplyAdd(t, a, h9); l8 = Add(l8, h8);
                        h9 = Subtract(h9, t); h8 = u;
                        u = LoadAlignedVector256(b + (9 * Lanes)); h9 = MultiplyAdd(a, LoadAlignedVector256(d + (8 * Lanes)), h9);
                        u = MultiplyAdd(u, a, h10); l9 = Add(l9, h9);
                        h10 = Subtract(h10, u); h9 = t;
                        e = LoadAlignedVector256(p + (3 * Lanes));
                        t = LoadAlignedVector256(b + (4 * Lanes)); h10 = MultiplyAdd(a, LoadAlignedVector256(d + (9 * Lanes)), h10);
                        t = MultiplyAdd(t, e, h7); l10 = Add(l10, h10);
                        h7 = Subtract(h7, t); h10 = u;
                        u = LoadAlignedVector256(b + (5 * Lanes)); h7 = MultiplyAdd(e, LoadAlignedVector256(d + (4 * Lanes)), h7);
                        u = MultiplyAdd(u, e, h8); l7 = Add(l7, h7);
                        h8 = Subtract(h8, u); h7 = t;
                        t = LoadAlignedVector256(b + (6 * Lanes)); h8 = MultiplyAdd(e, LoadAlignedVector256(d + (5 * Lanes)), h8);
                        t = MultiplyAdd(t, e, h9); l8 = Add(l8, h8);
                        h9 = Subtract(h9, t); h8 = u;
                        u = LoadAlignedVector256(b + (7 * Lanes)); h9 = MultiplyAdd(e, LoadAlignedVector256(d + (6 * Lanes)), h9);
                        u = MultiplyAdd(u, e, h10); l9 = Add(l9, h9);
                        h10 = Subtract(h10, u); h9 = t;
                        a = LoadAlignedVector256(p + (2 * Lanes));
                        t = LoadAlignedVector256(b + (4 * Lanes)); h10 = MultiplyAdd(e, LoadAlignedVector256(d + (7 * Lanes)), h10);
                        t = MultiplyAdd(t, a, h6); l10 = Add(l10, h10);
                        h6 = Subtract(h6, t); h10 = u;
                        u = LoadAlignedVector256(b + (5 * Lanes)); h6 = MultiplyAdd(a, LoadAlignedVector256(d + (4 * Lanes)), h6);
                        u = MultiplyAdd(u, a, h7); l6 = Add(l6, h6);
                        h7 = Subtract(h7, u); h6 = t;
                        t = LoadAlignedVector256(b + (6 * Lanes)); h7 = MultiplyAdd(a, LoadAlignedVector256(d + (5 * Lanes)), h7);
                        t = MultiplyAdd(t, a, h8); l7 = Add(l7, h7);
                        h8 = Subtract(h8, t); h7 = u;
                        u = LoadAlignedVector256(b + (7 * Lanes)); h8 = MultiplyAdd(a, LoadAlignedVector256(d + (6 * Lanes)), h8);
                        u = MultiplyAdd(u, a, h9); l8 = Add(l8, h8);
                        h9 = Subtract(h9, u); h8 = t;
                        t = LoadAlignedVector256(b + (8 * Lanes)); h9 = MultiplyAdd(a, LoadAlignedVector256(d + (7 * Lanes)), h9);
                        t = MultiplyAdd(t, a, h10); l9 = Add(l9, h9);
                        h10 = Subtract(h10, t); h9 = u;
                        h10 = MultiplyAdd(a, LoadAlignedVector256(d + (8 * Lanes)), h10); l10 = Add(l10, h10); h10 = t;
                        break;
                    case DigitRows.SquareUpTo:
                        a = LoadAlignedVector256(p + (4 * Lanes));
                        t = LoadAlignedVector256(b + (2 * Lanes));
                        t = MultiplyAdd(t, a, h6);
                        h6 = Subtract(h6, t);
                        u = LoadAlignedVector256(b + (3 * Lanes)); h6 = MultiplyAdd(a, LoadAlignedVector256(d + (2 * Lanes)), h6);
                        u = MultiplyAdd(u, a, h7); l6 = Add(l6, h6);
                        h7 = Subtract(h7, u); h6 = t;
                        t = LoadAlignedVector256(b + (4 * Lanes)); h7 = MultiplyAdd(a, LoadAlignedVector256(d + (3 * Lanes)), h7);
                        t = MultiplyAdd(t, a, h8); l7 = Add(l7, h7);
                        h8 = Subtract(h8, t); h7 = u;
                        e = LoadAlignedVector256(p + (3 * Lanes));
                        u = LoadAlignedVector256(b + (3 * Lanes)); h8 = MultiplyAdd(a, LoadAlignedVector256(d + (4 * Lanes)), h8);
                        u = MultiplyAdd(u, e, h6); l8 = Add(l8, h8);
                        h6 = Subtract(h6, u); h8 = t;
                        h6 = MultiplyAdd(e, LoadAlignedVector256(d + (3 * Lanes)), h6); l6 = Add(l6, h6); h6 = u;
                        break;
                    case DigitRows.EvenSquares:
                        a = LoadAlignedVector256(b + (3 * Lanes)); t = MultiplyAdd(a, a, h6);
                        l6 = Add(l6, MultiplyAdd(a, a, Subtract(h6, t))); h6 = t;
                        a = LoadAlignedVector256(b + (4 * Lanes)); t = MultiplyAdd(a, a, h8);
                        l8 = Add(l8, MultiplyAdd(a, a, Subtract(h8, t))); h8 = t;
                        a = LoadAlignedVector256(b + (5 * Lanes)); t = MultiplyAdd(a, a, h10);
                        l10 = Add(l10, MultiplyAdd(a, a, Subtract(h10, t))); h10 = t;
                        break;
                    case DigitRows.OddSquares:
                        a = LoadAlignedVector256(b + (3 * Lanes)); t = MultiplyAdd(a, a, h7);
                        l7 = Add(l7, MultiplyAdd(a, a, Subtract(h7, t))); h7 = t;
                        a = LoadAlignedVector256(b + (4 * Lanes)); t = MultiplyAdd(a, a, h9);
                        l9 = Add(l9, MultiplyAdd(a, a, Subtract(h9, t))); h9 = t;
                        break;
                }
            }

            // The column's value is l plus the high part of the one below; what exceeds a digit is carried by rounding, once:
            // it is at most 2^6, so that the digit it reaches stays small enough without another carry.
            h6 = MultiplyAdd(h6, inverse, rounder);
            h7 = MultiplyAdd(h7, inverse, rounder);
            h8 = MultiplyAdd(h8, inverse, rounder);
            h9 = MultiplyAdd(h9, inverse, rounder);
            h10 = MultiplyAdd(h10, inverse, rounder);
            l6 = Add(l6, high);
            l7 = Add(l7, h6);
            l8 = Add(l8, h7);
            l9 = Add(l9, h8);
            l10 = Add(l10, h9);
            high = h10;
            h6 = Subtract(MultiplyAdd(l6, inverse, rounder), rounder);
            h7 = Subtract(MultiplyAdd(l7, inverse, rounder), rounder);
            h8 = Subtract(MultiplyAdd(l8, inverse, rounder), rounder);
            h9 = Subtract(MultiplyAdd(l9, inverse, rounder), rounder);
            h10 = Subtract(MultiplyAdd(l10, inverse, rounder), rounder);
            l6 = MultiplyAddNegated(h6, scale, l6);
            l7 = MultiplyAddNegated(h7, scale, l7);
            l8 = MultiplyAddNegated(h8, scale, l8);
            l9 = MultiplyAddNegated(h9, scale, l9);
            l10 = MultiplyAddNegated(h10, scale, l10);
            StoreAligned(result + (6 * Lanes), Add(l6, low));
            StoreAligned(result + (7 * Lanes), Add(l7, h6));
            StoreAligned(result + (8 * Lanes), Add(l8, h7));
            StoreAligned(result + (9 * Lanes), Add(l9, h8));
            StoreAligned(result + (10 * Lanes), Add(l10, h9));
            low = h10;

            if (addend != null)
            {
                addend += Block * Lanes;
            }

            result += Block * Lanes;
            first = end;
        }

        low = Add(low, high);
        StoreAligned(result, addend == null ? low : Add(low, LoadAlignedVector256(addend)));
    }
}
