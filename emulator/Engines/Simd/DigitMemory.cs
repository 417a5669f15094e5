namespace WarpDrive.Engines.Simd;

/// <summary>Deals out numbers from a range of memory that is aligned to 64 bytes, one behind the other.</summary>
internal sealed unsafe class DigitMemory
{
    private readonly byte* _start;
    private readonly long _length;
    private readonly int _lanes;
    private long _used;

    /// <summary>Deals out <paramref name="length"/> bytes from <paramref name="start"/> on, in numbers of so many lanes.</summary>
    public DigitMemory(byte* start, long length, int lanes)
    {
        _lanes = lanes;
        _start = start;
        _length = length;
    }

    /// <summary>
    /// Room for a number of <paramref name="digits"/> digits in each lane, with a digit before and a digit after it where
    /// the kernel may write what is not used.
    /// </summary>
    public double* Take(int digits) => (double*)TakeBytes((digits + 2) * _lanes * sizeof(double)) + _lanes;

    /// <summary>Room for bytes, aligned to 64.</summary>
    /// <exception cref="InvalidOperationException">The memory is used up.</exception>
    public byte* TakeBytes(int bytes)
    {
        byte* at = _start + _used;
        _used += (bytes + 63) & ~63;
        return _used <= _length ? at : throw new InvalidOperationException($"{_used} bytes are needed and {_length} are there.");
    }
}
