using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static System.Runtime.Intrinsics.X86.Avx512F;
using static WarpDrive.Engines.Simd.Digits;

namespace WarpDrive.Engines.Simd;

/// <summary>
/// The powers 0 to 15 of a number in each lane. A look-up reads all sixteen and keeps one by masks, so that neither the addresses nor
/// the time tell which: a look-up by index would leave the index in the cache (Percival, "Cache missing for fun and profit", 2005).
/// </summary>
internal sealed unsafe class WindowTable
{
    /// <summary>Bits of one window of the exponent.</summary>
    public const int WindowBits = 4;

    private const int Size = 1 << WindowBits;

    // A | (B & C), as the truth table of vpternlog.
    private const byte OrAnd = 0xF8;

    private readonly int _count;
    private readonly int _stride;
    private readonly double* _entries;

    /// <summary>Lays a table for numbers of <paramref name="count"/> digits out in <paramref name="memory"/>.</summary>
    public WindowTable(int count, DigitMemory memory)
    {
        _count = count;
        _entries = memory.Take(count);
        double* second = memory.Take(count);
        _stride = (int)(second - _entries);
        for (int i = 2; i < Size; i++)
        {
            memory.Take(count);
        }
    }

    /// <summary>Fills the table with the powers of <paramref name="number"/>, all in Montgomery form.</summary>
    public void Fill(MontgomeryLanes montgomery, double* number)
    {
        new Span<double>(montgomery.One, _count * Lanes).CopyTo(new Span<double>(_entries, _count * Lanes));
        new Span<double>(number, _count * Lanes).CopyTo(new Span<double>(_entries + _stride, _count * Lanes));
        for (int i = 2; i < Size; i++)
        {
            double* entry = _entries + (i * _stride);
            if (i % 2 == 0)
            {
                montgomery.Square(_entries + (i / 2 * _stride), entry);
            }
            else
            {
                montgomery.Multiply(entry - _stride, number, entry);
            }
        }
    }

    /// <summary>result = in each lane the power that the byte of <paramref name="windows"/> for this lane (0 to 15) says.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Select(byte* windows, double* result)
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
        double* from = _entries;
        int s = _stride;
        for (int i = 0; i < _count; i++, from += Lanes, result += Lanes)
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
}
