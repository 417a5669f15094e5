using static WarpDrive.Engines.Simd.Digits;

namespace WarpDrive.Engines.Simd;

/// <summary>
/// The powers 0 to 15 of a number in each lane. A look-up reads all sixteen and keeps one by masks, so that neither the addresses nor
/// the time tell which: a look-up by index would leave the index in the cache (Percival, "Cache missing for fun and profit", 2005).
/// </summary>
internal sealed unsafe class WindowTable<TLanes>
    where TLanes : struct, IDigitLanes
{
    private const int Size = 1 << WindowBits;

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
    public void Fill(MontgomeryLanes<TLanes> montgomery, double* number)
    {
        new Span<double>(montgomery.One, _count * TLanes.Count).CopyTo(new Span<double>(_entries, _count * TLanes.Count));
        new Span<double>(number, _count * TLanes.Count).CopyTo(new Span<double>(_entries + _stride, _count * TLanes.Count));
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
    public void Select(byte* windows, double* result) => TLanes.Select(_entries, _stride, windows, result, _count);
}
