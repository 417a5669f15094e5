using System.Numerics;
using WarpDrive.Engines.Simd;

namespace WarpProxy.Tests.Unit.Engines;

public sealed unsafe class DigitConversionTests : IDisposable
{
    private const int Seed = 20260120;
    private const int Bits = LaneNumbers.Bits;
    private const int MaxBytes = 512;

    private static readonly int[] Lengths = [.. Enumerable.Range(1, 64), 127, 128, 129, 192, 255, 256, 384, 511, 512];

    private readonly Random _random = new(Seed);
    private readonly LaneNumbers _memory = new();

    private int Lanes => _memory.Lanes;

    public void Dispose() => _memory.Dispose();

    [SimdTheory, LanesData]
    internal void Bytes_of_any_length_become_the_digits_of_one_lane_and_bytes_again<TLanes>(TLanes width)
        where TLanes : struct, IDigitLanes
    {
        _memory.Use(width);
        var conversion = new DigitConversion<TLanes>(MaxBytes, _memory.Memory);
        double* number = _memory.Memory.Take((MaxBytes * 8 / Bits) + 1);
        double* zero = Zeros((MaxBytes * 8 / Bits) + 1);
        foreach (int length in Lengths)
        {
            AssertConverted(conversion, length, number, zero);
        }
    }

    [SimdTheory, LanesData]
    internal void Short_bytes_fill_a_long_number_up_with_zeros_whatever_was_read_before<TLanes>(TLanes width)
        where TLanes : struct, IDigitLanes
    {
        _memory.Use(width);
        var conversion = new DigitConversion<TLanes>(MaxBytes, _memory.Memory);
        int count = 88;
        double* number = _memory.Memory.Take(count);
        byte[] ones = new byte[MaxBytes];
        ones.AsSpan().Fill(0xFF);
        for (int length = 0; length <= MaxBytes; length += 1 + (length / 16))
        {
            conversion.Read(ones, number, 3, count);
            conversion.Read(ones.AsSpan(0, length), number, 3, count);
            Assert.Equal((BigInteger.One << (8 * length)) - 1, _memory.Value(number, 3, count));
        }
    }

    [SimdTheory, LanesData(128), LanesData(192), LanesData(256), LanesData(384), LanesData(512)]
    internal void Numbers_between_minus_N_and_N_are_written_modulo_N<TLanes>(TLanes width, int length)
        where TLanes : struct, IDigitLanes
    {
        _memory.Use(width);
        var conversion = new DigitConversion<TLanes>(MaxBytes, _memory.Memory);

        // As the engine holds them: 11 digits for each 512 bits.
        int count = length * 8 / 512 * 11;
        double* number = _memory.Memory.Take(count);
        double* modulus = _memory.Memory.Take(count);
        BigInteger top = BigInteger.One << (8 * length);
        for (int round = 0; round < 64; round++)
        {
            var values = new BigInteger[Lanes];
            var moduli = new BigInteger[Lanes];
            for (int lane = 0; lane < Lanes; lane++)
            {
                BigInteger n = moduli[lane] = lane == round % Lanes ? top - 1 : (top >> 8) + EngineKey.Below(top - (top >> 8), length, _random);
                values[lane] = ((round + lane) % 11) switch
                {
                    0 => 0,
                    1 => 1,
                    2 => -1,
                    3 => n - 1,
                    4 => 1 - n,
                    5 => -(BigInteger.One << Bits),
                    6 => -(BigInteger.One << (8 * (length - 2))),
                    _ => EngineKey.Below((2 * n) - 1, length + 1, _random) - n + 1,
                };
                _memory.Set(number, lane, count, values[lane]);
                _memory.Set(modulus, lane, count, n);
            }

            // The same numbers in other digits, as large as digits are.
            if (round % 2 != 0)
            {
                Disturb(number, count);
                Disturb(modulus, count);
            }

            TLanes.Canonicalize(number, modulus, count);
            for (int lane = 0; lane < Lanes; lane++)
            {
                byte[] written = new byte[length];
                conversion.Write(number, lane, count, written);
                BigInteger expected = values[lane] < 0 ? values[lane] + moduli[lane] : values[lane];
                Assert.True(expected == EngineKey.Number(written), $"{values[lane]:x} modulo {moduli[lane]:x}, lane {lane}, seed {Seed}");
            }
        }
    }

    private void AssertConverted<TLanes>(DigitConversion<TLanes> conversion, int length, double* number, double* zero)
        where TLanes : struct, IDigitLanes
    {
        int count = ((8 * length) + Bits - 1) / Bits;
        for (int round = 0; round < 4; round++)
        {
            byte[][] bytes = [.. Enumerable.Range(0, Lanes).Select(lane => Bytes(length, round, lane))];
            for (int lane = 0; lane < Lanes; lane++)
            {
                conversion.Read(bytes[lane], number, lane, count);
            }

            for (int lane = 0; lane < Lanes; lane++)
            {
                Assert.Equal(EngineKey.Number(bytes[lane]), _memory.Value(number, lane, count));
                for (int i = 0; i < count; i++)
                {
                    Assert.InRange(_memory.Digit(number, lane, i), 0, (1L << Bits) - 1);
                }
            }

            TLanes.Carry(number, count);
            for (int lane = 0; lane < Lanes; lane++)
            {
                Assert.Equal(EngineKey.Number(bytes[lane]), _memory.Value(number, lane, count));
                for (int i = 0; i < count - 1; i++)
                {
                    Assert.InRange(_memory.Digit(number, lane, i), -(1L << 46), (1L << 46) + 1);
                }
            }

            TLanes.Canonicalize(number, zero, count);
            for (int lane = 0; lane < Lanes; lane++)
            {
                byte[] written = new byte[length];
                conversion.Write(number, lane, count, written);
                Assert.Equal(bytes[lane], written);
            }
        }
    }

    /// <summary>Takes 2^47 from some digits that are positive and gives 1 to the digit above, and the other way round.</summary>
    private void Disturb(double* number, int count)
    {
        for (int i = 0; i < (count - 1) * Lanes; i++)
        {
            if (_random.Next(2) == 0)
            {
                int sign = number[i] >= 0 ? 1 : -1;
                number[i] -= sign * WarpDrive.Engines.Simd.Digits.Base;
                number[i + Lanes] += sign;
            }
        }
    }

    private double* Zeros(int count)
    {
        double* zero = _memory.Memory.Take(count);
        new Span<double>(zero, count * Lanes).Clear();
        return zero;
    }

    private byte[] Bytes(int length, int round, int lane)
    {
        byte[] bytes = new byte[length];
        switch ((round + lane) % 5)
        {
            case 0:
                break;
            case 1:
                bytes.AsSpan().Fill(0xFF);
                break;
            case 2:
                bytes[_random.Next(length)] = 0x80;
                break;
            default:
                _random.NextBytes(bytes);
                break;
        }

        return bytes;
    }
}
