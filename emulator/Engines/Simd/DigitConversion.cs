using System.Buffers.Binary;
using static WarpDrive.Engines.Simd.Digits;

namespace WarpDrive.Engines.Simd;

/// <summary>Big-endian bytes to digits of one lane and back. Time and addresses depend on lengths alone.</summary>
internal sealed unsafe class DigitConversion<TLanes>
    where TLanes : struct, IDigitLanes
{
    private const int WordBytes = sizeof(ulong);

    private readonly byte* _bytes;
    private readonly int _length;

    /// <summary>Takes room for one number of up to <paramref name="maxBytes"/> bytes from <paramref name="memory"/>.</summary>
    public DigitConversion(int maxBytes, DigitMemory memory)
    {
        // A digit is read as a whole word, which may reach behind the number.
        _length = maxBytes + (3 * WordBytes);
        _bytes = memory.TakeBytes(_length);
    }

    /// <summary>The integers of a canonical number as doubles again; they want <see cref="IDigitLanes.Carry"/>.</summary>
    public static void ToDigits(double* canonical, int count)
    {
        for (int i = 0; i < count * TLanes.Count; i++)
        {
            canonical[i] = ((long*)canonical)[i];
        }
    }

    /// <summary>Writes one lane of a number. Digits are 0 to 2^47 - 1 and want <see cref="IDigitLanes.Carry"/>.</summary>
    public void Read(ReadOnlySpan<byte> bigEndian, double* number, int lane, int count)
    {
        var little = new Span<byte>(_bytes, _length);
        bigEndian.CopyTo(little);
        little[..bigEndian.Length].Reverse();
        little[bigEndian.Length..].Clear();
        for (int i = 0; i < count; i++)
        {
            int bit = i * Bits;
            ulong word = bit / 8 <= bigEndian.Length ? BinaryPrimitives.ReadUInt64LittleEndian(little[(bit / 8)..]) : 0;
            number[(i * TLanes.Count) + lane] = (long)((word >> (bit % 8)) & (ulong)Mask);
        }
    }

    /// <summary>Writes one lane of a number after <see cref="IDigitLanes.Canonicalize"/>.</summary>
    public void Write(double* canonical, int lane, int count, Span<byte> bigEndian)
    {
        var little = new Span<byte>(_bytes, _length);
        var digits = (ulong*)canonical + lane;
        ulong word = 0;
        int bits = 0;
        int at = 0;
        for (int i = 0; i < count && at < bigEndian.Length; i++)
        {
            ulong digit = digits[i * TLanes.Count];
            word |= digit << bits;
            bits += Bits;
            if (bits >= 64)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(little[at..], word);
                at += WordBytes;
                bits -= 64;
                word = digit >> (Bits - bits);
            }
        }

        BinaryPrimitives.WriteUInt64LittleEndian(little[at..], word);
        little[..bigEndian.Length].CopyTo(bigEndian);
        bigEndian.Reverse();
    }
}
