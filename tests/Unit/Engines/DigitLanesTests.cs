using System.Numerics;
using WarpDrive.Engines.Simd;

namespace WarpProxy.Tests.Unit.Engines;

public sealed unsafe class DigitLanesTests : IDisposable
{
    private const int Seed = 20260121;
    private const int Count = 33;
    private const int Rounds = 100;

    private readonly Random _random = new(Seed);
    private readonly LaneNumbers _memory = new();
    private double* _number;
    private double* _other;

    private int Lanes => _memory.Lanes;

    public void Dispose() => _memory.Dispose();

    [SimdTheory, LanesData]
    internal void Carry_keeps_the_number_and_makes_its_digits_small<TLanes>(TLanes width)
        where TLanes : struct, IDigitLanes
    {
        Use(width);
        for (int round = 0; round < Rounds; round++)
        {
            // The first rounds at the bound of 2^52, all of one sign, then of any.
            Fill(_number, 1L << 52, round < 2 ? (round * 2) - 1 : 0);
            BigInteger[] before = Values(_number);
            TLanes.Carry(_number, Count);
            Assert.Equal(before, Values(_number));
            for (int i = 0; i < (Count - 1) * Lanes; i++)
            {
                Assert.InRange(_number[i], -((1L << 46) + (1L << 5)), (1L << 46) + (1L << 5));
            }
        }
    }

    [SimdTheory, LanesData]
    internal void Double_and_difference_are_those_of_each_lane<TLanes>(TLanes width)
        where TLanes : struct, IDigitLanes
    {
        Use(width);
        Fill(_number, LaneNumbers.MaxDigit);
        Fill(_other, LaneNumbers.MaxDigit);
        BigInteger[] number = Values(_number);
        BigInteger[] other = Values(_other);
        TLanes.Difference(_number, _other, Count);
        Assert.Equal(number.Zip(other, (a, b) => a - b), Values(_number));
        TLanes.Double(_other, _number, Count);
        Assert.Equal(other.Select(each => 2 * each), Values(_number));
    }

    [SimdTheory, LanesData]
    internal void Scaled_number_less_a_multiple_is_exact_at_the_largest_factors<TLanes>(TLanes width)
        where TLanes : struct, IDigitLanes
    {
        Use(width);
        long[] factors = [32, -32, 1, 0, 31, 17];
        long[] multiples = [32, -32, 0, 1, -31, 5, -32, 32];
        double* multiple = _memory.Memory.Take(1);
        for (int round = 0; round < Rounds; round++)
        {
            Fill(_number, LaneNumbers.MaxDigit, round < 2 ? (round * 2) - 1 : 0);
            Fill(_other, LaneNumbers.MaxDigit, round is 0 or 1 ? 1 : 0);
            BigInteger[] number = Values(_number);
            BigInteger[] other = Values(_other);
            long factor = factors[round % factors.Length];
            for (int lane = 0; lane < Lanes; lane++)
            {
                multiple[lane] = multiples[(round + lane) % multiples.Length];
            }

            TLanes.ScaleAndSubtract(_number, factor, multiple, _other, Count);
            Assert.Equal(Enumerable.Range(0, Lanes).Select(lane => (number[lane] * factor) - (other[lane] * (long)multiple[lane])), Values(_number));
        }
    }

    [SimdTheory, LanesData]
    internal void Exchanged_halves_are_the_lanes_half_of_them_apart<TLanes>(TLanes width)
        where TLanes : struct, IDigitLanes
    {
        Use(width);
        Fill(_number, LaneNumbers.MaxDigit);
        BigInteger[] number = Values(_number);
        TLanes.ExchangeHalves(_number, _other, Count);
        Assert.Equal([.. number[(Lanes / 2)..], .. number[..(Lanes / 2)]], Values(_other));
    }

    [SimdTheory, LanesData(1), LanesData(2), LanesData(21), LanesData(32), LanesData(33)]
    internal void Estimated_carry_is_near_the_column_over_the_base<TLanes>(TLanes width, int count)
        where TLanes : struct, IDigitLanes
    {
        Use(width);
        double* estimate = _memory.Memory.Take(1);
        for (int round = 0; round < Rounds; round++)
        {
            Fill(_number, LaneNumbers.MaxDigit, round < 2 ? (round * 2) - 1 : 0);
            Fill(_other, LaneNumbers.MaxDigit, round < 2 ? 1 : 0);
            TLanes.EstimateCarry(_number, _other, count, estimate);
            for (int lane = 0; lane < Lanes; lane++)
            {
                Int128 column = 0;
                for (int i = 0; i < count; i++)
                {
                    column += (Int128)_memory.Digit(_number, lane, i) * _memory.Digit(_other, lane, count - 1 - i);
                }

                // One rounding to 53 bits for each product, of a sum below 2^98.
                var estimated = (Int128)(estimate[lane] * WarpDrive.Engines.Simd.Digits.Base);
                Assert.True(Int128.Abs(estimated - column) <= (Int128)(count + 1) << 45, $"lane {lane}, seed {Seed}");
            }
        }
    }

    [SimdTheory, LanesData]
    internal void Estimated_multiple_is_the_nearest_to_the_quotient_but_for_2_to_the_minus_20<TLanes>(TLanes width)
        where TLanes : struct, IDigitLanes
    {
        Use(width);
        double* multiple = _memory.Memory.Take(1);
        var numbers = new BigInteger[Lanes];
        var moduli = new BigInteger[Lanes];
        for (int round = 0; round < 10 * Rounds; round++)
        {
            int factor = 1 << (round % 6);
            for (int lane = 0; lane < Lanes; lane++)
            {
                // Of any length that a modulus may have, and a number between it and its negative.
                BigInteger low = BigInteger.One << (1536 - 8 + _random.Next(8));
                moduli[lane] = low + EngineKey.Below(low, 192, _random);
                numbers[lane] = EngineKey.Below((2 * moduli[lane]) + 1, 193, _random) - moduli[lane];
                _memory.Set(_number, lane, Count, numbers[lane]);
                _memory.Set(_other, lane, Count, moduli[lane]);
            }

            TLanes.EstimateMultiple(_number, factor, _other, Count, multiple);
            for (int lane = 0; lane < Lanes; lane++)
            {
                BigInteger rest = (numbers[lane] * factor) - (_memory.Digit(multiple, lane, 0) * moduli[lane]);
                Assert.True(
                    BigInteger.Abs(rest) <= (moduli[lane] / 2) + (moduli[lane] >> 20),
                    $"lane {lane}, seed {Seed}: {numbers[lane]:x} modulo {moduli[lane]:x}");
            }
        }
    }

    private void Use<TLanes>(TLanes width)
        where TLanes : struct, IDigitLanes
    {
        _memory.Use(width);
        _number = _memory.Memory.Take(Count);
        _other = _memory.Memory.Take(Count);
    }

    private BigInteger[] Values(double* number) => [.. Enumerable.Range(0, Lanes).Select(lane => _memory.Value(number, lane, Count))];

    /// <summary>Fills with digits up to a limit; with a sign, with the limit itself of that sign.</summary>
    private void Fill(double* number, long limit, int sign = 0)
    {
        for (int i = 0; i < Count * Lanes; i++)
        {
            number[i] = sign == 0 ? _random.NextInt64(-limit, limit + 1) : sign * limit;
        }
    }
}
