using System.Numerics;
using System.Runtime.Intrinsics;
using WarpDrive.Engines.Simd;

namespace WarpProxy.Tests.Unit.Engines;

public sealed unsafe class DigitArithmeticTests : IDisposable
{
    private const int Seed = 20260121;
    private const int Lanes = LaneNumbers.Lanes;
    private const int Count = 33;
    private const int Rounds = 100;

    private readonly Random _random = new(Seed);
    private readonly LaneNumbers _memory = new();
    private readonly double* _number;
    private readonly double* _other;

    public DigitArithmeticTests()
    {
        _number = _memory.Memory.Take(Count);
        _other = _memory.Memory.Take(Count);
    }

    public void Dispose() => _memory.Dispose();

    [SimdFact]
    public void Carry_keeps_the_number_and_makes_its_digits_small()
    {
        for (int round = 0; round < Rounds; round++)
        {
            // The first rounds at the bound of 2^52, all of one sign, then of any.
            Fill(_number, 1L << 52, round < 2 ? (round * 2) - 1 : 0);
            BigInteger[] before = Values(_number);
            DigitArithmetic.Carry(_number, Count);
            Assert.Equal(before, Values(_number));
            for (int i = 0; i < (Count - 1) * Lanes; i++)
            {
                Assert.InRange(_number[i], -((1L << 46) + (1L << 5)), (1L << 46) + (1L << 5));
            }
        }
    }

    [SimdFact]
    public void Double_and_difference_are_those_of_each_lane()
    {
        Fill(_number, LaneNumbers.MaxDigit);
        Fill(_other, LaneNumbers.MaxDigit);
        BigInteger[] number = Values(_number);
        BigInteger[] other = Values(_other);
        DigitArithmetic.Difference(_number, _other, Count);
        Assert.Equal(number.Zip(other, (a, b) => a - b), Values(_number));
        DigitArithmetic.Double(_other, _number, Count);
        Assert.Equal(other.Select(each => 2 * each), Values(_number));
    }

    [SimdFact]
    public void Scaled_number_less_a_multiple_is_exact_at_the_largest_factors()
    {
        long[] factors = [32, 32, -32, -32, 1, 0, 31, 17];
        long[] multiples = [32, -32, 32, -32, 0, 1, -31, 5];
        for (int round = 0; round < Rounds; round++)
        {
            Fill(_number, LaneNumbers.MaxDigit, round < 2 ? (round * 2) - 1 : 0);
            Fill(_other, LaneNumbers.MaxDigit, round is 0 or 1 ? 1 : 0);
            BigInteger[] number = Values(_number);
            BigInteger[] other = Values(_other);
            DigitArithmetic.ScaleAndSubtract(
                _number,
                Vector512.Create([.. factors.Select(each => (double)each)]),
                Vector512.Create([.. multiples.Select(each => (double)each)]),
                _other,
                Count);
            Assert.Equal(Enumerable.Range(0, Lanes).Select(lane => (number[lane] * factors[lane]) - (other[lane] * multiples[lane])), Values(_number));
        }
    }

    [SimdFact]
    public void Exchanged_halves_are_the_lanes_four_apart()
    {
        Fill(_number, LaneNumbers.MaxDigit);
        BigInteger[] number = Values(_number);
        DigitArithmetic.ExchangeHalves(_number, _other, Count);
        Assert.Equal([.. number[4..], .. number[..4]], Values(_other));
    }

    [SimdTheory, InlineData(1), InlineData(2), InlineData(21), InlineData(32), InlineData(33)]
    public void Estimated_column_is_near_the_column(int count)
    {
        for (int round = 0; round < Rounds; round++)
        {
            Fill(_number, LaneNumbers.MaxDigit, round < 2 ? (round * 2) - 1 : 0);
            Fill(_other, LaneNumbers.MaxDigit, round < 2 ? 1 : 0);
            Vector512<double> estimate = DigitArithmetic.EstimateColumn(_number, _other, count);
            for (int lane = 0; lane < Lanes; lane++)
            {
                Int128 column = 0;
                for (int i = 0; i < count; i++)
                {
                    column += (Int128)LaneNumbers.Digit(_number, lane, i) * LaneNumbers.Digit(_other, lane, count - 1 - i);
                }

                // One rounding to 53 bits for each product, of a sum below 2^98.
                Assert.True(Int128.Abs((Int128)estimate[lane] - column) <= (Int128)(count + 1) << 45, $"lane {lane}, seed {Seed}");
            }
        }
    }

    private static BigInteger[] Values(double* number) => [.. Enumerable.Range(0, Lanes).Select(lane => LaneNumbers.Value(number, lane, Count))];

    /// <summary>Fills with digits up to a limit; with a sign, with the limit itself of that sign.</summary>
    private void Fill(double* number, long limit, int sign = 0)
    {
        for (int i = 0; i < Count * Lanes; i++)
        {
            number[i] = sign == 0 ? _random.NextInt64(-limit, limit + 1) : sign * limit;
        }
    }
}
