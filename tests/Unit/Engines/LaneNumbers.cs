using System.Numerics;
using System.Runtime.InteropServices;
using WarpDrive.Engines.Simd;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>Memory for numbers in digits, filled with rubbish at first, and what the digits of a lane are worth.</summary>
internal sealed unsafe class LaneNumbers : IDisposable
{
    /// <summary>The most lanes of any width.</summary>
    public const int MaxLanes = 8;

    public const int Bits = WarpDrive.Engines.Simd.Digits.Bits;

    /// <summary>The most that a digit may be: emulator/Engines/README.md, "Bounds".</summary>
    public const long MaxDigit = (1L << 46) + (1L << 6);

    private const int Length = 256 * 1024;

    private byte* _start;

    public LaneNumbers(bool zero = false)
    {
        _start = (byte*)NativeMemory.AlignedAlloc(Length, 64);
        new Span<byte>(_start, Length).Fill(zero ? (byte)0 : (byte)0xA5);
        Memory = new DigitMemory(_start, Length, MaxLanes);
    }

    /// <summary>Lanes of the numbers here.</summary>
    public int Lanes { get; private set; } = MaxLanes;

    /// <summary>Deals the memory out.</summary>
    public DigitMemory Memory { get; private set; }

    /// <summary>All of it.</summary>
    public Span<byte> Bytes => new(_start, Length);

    /// <summary>Begins with numbers of one width; to be called before any memory is dealt out.</summary>
    public void Use<TLanes>(TLanes width)
        where TLanes : struct, IDigitLanes
    {
        _ = width;
        Use(TLanes.Count);
    }

    public void Use(int lanes)
    {
        Lanes = lanes;
        Memory = new DigitMemory(_start, Length, lanes);
    }

    public long Digit(double* number, int lane, int index)
    {
        double digit = number[(index * Lanes) + lane];
        Assert.Equal(Math.Truncate(digit), digit);
        return (long)digit;
    }

    public BigInteger Value(double* number, int lane, int count)
    {
        BigInteger value = 0;
        for (int i = count - 1; i >= 0; i--)
        {
            value = (value << Bits) + Digit(number, lane, i);
        }

        return value;
    }

    public void SetDigits(double* number, int lane, ReadOnlySpan<long> digits)
    {
        for (int i = 0; i < digits.Length; i++)
        {
            number[(i * Lanes) + lane] = digits[i];
        }
    }

    /// <summary>Writes a number, of either sign, in digits between -2^46 and 2^46 - 1; the highest holds all that is left.</summary>
    public void Set(double* number, int lane, int count, BigInteger value)
    {
        for (int i = 0; i < count - 1; i++)
        {
            long digit = (long)(value & ((1L << Bits) - 1));
            digit -= digit >= 1L << (Bits - 1) ? 1L << Bits : 0;
            number[(i * Lanes) + lane] = digit;
            value = (value - digit) >> Bits;
        }

        Assert.InRange(value, -MaxDigit, MaxDigit);
        number[((count - 1) * Lanes) + lane] = (double)value;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_start);
        _start = null;
    }
}
