using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static System.Runtime.Intrinsics.X86.Avx512F;
using static WarpDrive.Engines.Simd.Digits;

namespace WarpDrive.Engines.Simd;

/// <summary>Big-endian bytes to digits of one lane and back. Time and addresses depend on lengths alone.</summary>
internal sealed unsafe class DigitConversion
{
    private const int WordBytes = sizeof(ulong);
    private const ulong DigitMask = (1UL << Bits) - 1;

    private readonly byte* _bytes;
    private readonly int _length;

    /// <summary>Takes room for one number of up to <paramref name="maxBytes"/> bytes from <paramref name="memory"/>.</summary>
    public DigitConversion(int maxBytes, DigitMemory memory)
    {
        // A digit is read as a whole word, which may reach behind the number.
        _length = maxBytes + (3 * WordBytes);
        _bytes = memory.TakeBytes(_length);
    }

    /// <summary>Writes one lane of a number. Digits are 0 to 2^47 - 1 and want <see cref="DigitArithmetic.Carry"/>.</summary>
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
            number[(i * Lanes) + lane] = (long)((word >> (bit % 8)) & DigitMask);
        }
    }

    /// <summary>
    /// Replaces the digits by those between 0 and 2^47 - 1 of the same number, as integers of 64 bits, after adding
    /// <paramref name="modulus"/> in the lanes where the number is below zero. It must be at least 0 then.
    /// </summary>
    public static void Canonicalize(double* number, double* modulus, int count)
    {
        Vector512<long> negative = Vector512<long>.Zero;
        for (int i = 0; i < count; i++)
        {
            Vector512<long> digit = Avx512DQ.ConvertToVector512Int64(LoadAlignedVector512(number + (i * Lanes)));
            negative = ShiftRightArithmetic(Add(digit, negative), Bits);
        }

        // What is carried out of the highest digit is -1 or 0: a mask.
        var mask = Vector512.Create((long)DigitMask);
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

    /// <summary>Writes one lane of a canonical number.</summary>
    public void Write(double* canonical, int lane, int count, Span<byte> bigEndian)
    {
        var little = new Span<byte>(_bytes, _length);
        var digits = (ulong*)canonical + lane;
        ulong word = 0;
        int bits = 0;
        int at = 0;
        for (int i = 0; i < count && at < bigEndian.Length; i++)
        {
            ulong digit = digits[i * Lanes];
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
