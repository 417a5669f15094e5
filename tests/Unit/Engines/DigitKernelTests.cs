using System.Numerics;
using WarpDrive.Engines.Simd;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>The kernel against BigInteger, lane by lane, with digits that no engine need ever meet but all that it may.</summary>
public sealed unsafe class DigitKernelTests : IDisposable
{
    private const int Seed = 20260117;
    private const int RandomRuns = 150;
    private const long HalfBase = 1L << 46;
    private const long MaxDigit = LaneNumbers.MaxDigit;

    /// <summary>Digit i of the numbers that stress bounds, roundings and signs.</summary>
    private static readonly Func<int, long>[] Patterns =
    [
        _ => HalfBase,
        _ => -HalfBase,
        i => i % 2 == 0 ? HalfBase : -HalfBase,
        i => i % 2 == 0 ? -HalfBase : HalfBase,
        _ => MaxDigit,
        _ => -MaxDigit,
        i => i % 2 == 0 ? MaxDigit : -MaxDigit,
        i => i / 2 % 2 == 0 ? MaxDigit : -MaxDigit,
        i => i % 11 == 10 ? -MaxDigit : MaxDigit,
        i => i == 0 ? 1 : 0,
        i => i == 0 ? -1 : 0,
        _ => 0,
        _ => 1,
        _ => -1,
        i => i == 0 ? HalfBase - 1 : -HalfBase,
        i => i % 2 == 0 ? -HalfBase : 1,
        i => i == 21 ? MaxDigit : HalfBase - 1,
    ];

    private readonly Random _random = new(Seed);
    private readonly LaneNumbers _memory = new();
    private readonly long[][] _left = new long[LaneNumbers.MaxLanes][];
    private readonly long[][] _right = new long[LaneNumbers.MaxLanes][];
    private readonly long[][] _addend = new long[LaneNumbers.MaxLanes][];
    private readonly long[] _carry = new long[LaneNumbers.MaxLanes];

    public enum Kind
    {
        Multiply,
        Square,
        LowHalf,
        HighHalf,
    }

    public static IEnumerable<object[]> Programs =>
        from lanes in LanesDataAttribute.All
        from kind in Enum.GetValues<Kind>()
        from blocks in (int[])[2, 3, 4]
        select (object[])[lanes, kind, blocks];

    private int Lanes => _memory.Lanes;

    public void Dispose() => _memory.Dispose();

    [SimdTheory, MemberData(nameof(Programs))]
    internal void Random_digits_give_the_product_in_every_lane<TLanes>(TLanes width, Kind kind, int blocks)
        where TLanes : struct, IDigitLanes
    {
        _memory.Use(width);
        int digits = 11 * blocks;
        var run = new KernelRun<TLanes>(kind, blocks, _memory);
        for (int i = 0; i < RandomRuns; i++)
        {
            // Runs of half the bound, of the bound, and of digits of any length.
            long limit = (i % 3) switch { 0 => HalfBase, 1 => MaxDigit, _ => 1L << _random.Next(1, 46) };
            FillLanes(_ => Random(digits, limit), _ => Random(digits, limit), _ => Random(run.Columns + 1, limit));
            AssertRight(run, withAddend: i % 2 == 0);
        }
    }

    [SimdTheory, MemberData(nameof(Programs))]
    internal void Digits_of_extreme_size_and_sign_give_the_product_in_every_lane<TLanes>(TLanes width, Kind kind, int blocks)
        where TLanes : struct, IDigitLanes
    {
        _memory.Use(width);
        int digits = 11 * blocks;
        var run = new KernelRun<TLanes>(kind, blocks, _memory);
        int next = 0;
        for (int left = 0; left < Patterns.Length; left++)
        {
            for (int right = 0; right < Patterns.Length; right += Lanes)
            {
                int firstLeft = left;
                int firstRight = right;
                FillLanes(
                    _ => Pattern(firstLeft, digits),
                    lane => Pattern((firstRight + lane) % Patterns.Length, digits),
                    lane => Pattern((next + lane) % Patterns.Length, run.Columns + 1));
                next++;
                AssertRight(run, withAddend: true);
                AssertRight(run, withAddend: false);
            }
        }
    }

    /// <summary>All columns at exactly half of the base, where rounding is a matter of a single unit, and one unit more or less.</summary>
    [SimdTheory, LanesData(2), LanesData(3), LanesData(4)]
    internal void Digits_at_exactly_half_of_the_base_carry_right<TLanes>(TLanes width, int blocks)
        where TLanes : struct, IDigitLanes
    {
        _memory.Use(width);
        int digits = 11 * blocks;
        var run = new KernelRun<TLanes>(Kind.Multiply, blocks, _memory);
        long[] units = [1, -1, 1, -1, 1, -1, 1, -1];
        long[] addends = [0, 0, 1, -1, -1, 1, HalfBase, -HalfBase];
        FillLanes(
            lane => [units[lane], .. new long[digits - 1]],
            _ => Pattern(0, digits),
            lane => [.. Enumerable.Repeat(addends[lane], run.Columns + 1)]);
        Array.Clear(_carry);
        AssertRight(run, withAddend: true);
        AssertRight(run, withAddend: false);
    }

    private static long[] Pattern(int pattern, int digits) => [.. Enumerable.Range(0, digits).Select(Patterns[pattern])];

    private long[] Random(int digits, long limit) => [.. Enumerable.Range(0, digits).Select(_ => _random.NextInt64(-limit, limit + 1))];

    private void FillLanes(Func<int, long[]> left, Func<int, long[]> right, Func<int, long[]> addend)
    {
        for (int lane = 0; lane < Lanes; lane++)
        {
            _left[lane] = left(lane);
            _right[lane] = right(lane);
            _addend[lane] = addend(lane);

            // As much as a whole column of products may carry.
            _carry[lane] = _random.Next(4) == 0 ? 0 : _random.NextInt64(-_left[lane].Length, _left[lane].Length + 1) << 45;
        }
    }

    private void AssertRight<TLanes>(KernelRun<TLanes> run, bool withAddend)
        where TLanes : struct, IDigitLanes
    {
        long[][] left = run.Kind == Kind.Square ? _right : _left;
        run.Execute(left, _right, withAddend ? _addend : null, _carry);
        for (int lane = 0; lane < Lanes; lane++)
        {
            BigInteger expected = run.Expected(left[lane], _right[lane]) + _carry[lane];
            if (withAddend)
            {
                expected += Sum(_addend[lane]);
            }

            Assert.True(
                expected == _memory.Value(run.Result, lane, run.Columns + 1),
                $"{run.Kind}, {left[lane].Length} digits, lane {lane}, seed {Seed}, carry {_carry[lane]}: "
                    + $"{string.Join(',', left[lane])} * {string.Join(',', _right[lane])} + {string.Join(',', withAddend ? _addend[lane] : [])}");
            for (int column = 0; column < run.Columns; column++)
            {
                Assert.InRange(_memory.Digit(run.Result, lane, column), -MaxDigit, MaxDigit);
            }
        }
    }

    private static BigInteger Sum(ReadOnlySpan<long> digits)
    {
        BigInteger sum = 0;
        for (int i = digits.Length - 1; i >= 0; i--)
        {
            sum = (sum << LaneNumbers.Bits) + digits[i];
        }

        return sum;
    }

    /// <summary>A program with its numbers in memory.</summary>
    private sealed class KernelRun<TLanes>
        where TLanes : struct, IDigitLanes
    {
        private readonly DigitProgram _program;
        private readonly int _digits;
        private readonly double* _left;
        private readonly double* _right;
        private readonly double* _addend;
        private readonly double* _carry;
        private readonly LaneNumbers _numbers;

        public KernelRun(Kind kind, int blocks, LaneNumbers numbers)
        {
            Kind = kind;
            _numbers = numbers;
            _digits = 11 * blocks;
            _program = kind switch
            {
                Kind.Multiply => DigitProgram.Multiply(blocks),
                Kind.Square => DigitProgram.Square(blocks),
                Kind.LowHalf => DigitProgram.LowHalf(blocks),
                _ => DigitProgram.HighHalf(blocks),
            };
            Columns = kind is Kind.Multiply or Kind.Square ? 2 * _digits : _digits;
            _left = numbers.Memory.Take(_digits);
            _right = numbers.Memory.Take(_digits);
            _carry = numbers.Memory.Take(1);
            _addend = numbers.Memory.Take(Columns + 1);
            Result = numbers.Memory.Take(Columns);
        }

        public Kind Kind { get; }

        public int Columns { get; }

        public double* Result { get; }

        public void Execute(long[][] left, long[][] right, long[][]? addend, long[] carry)
        {
            for (int lane = 0; lane < TLanes.Count; lane++)
            {
                // The program of a square takes the double of its factor as the left one.
                _numbers.SetDigits(_left, lane, Kind == Kind.Square ? [.. left[lane].Select(digit => 2 * digit)] : left[lane]);
                _numbers.SetDigits(_right, lane, right[lane]);
                _numbers.SetDigits(_addend, lane, addend?[lane] ?? []);
                _carry[lane] = carry[lane];
            }

            // No carry at all where it is zero in all lanes.
            bool isCarried = carry.AsSpan(0, TLanes.Count).ContainsAnyExcept(0);
            TLanes.Run(_program, _left, _right, _right, addend is null ? null : _addend, isCarried ? _carry : null, Result);
        }

        /// <summary>Whole products by BigInteger at once; halves column by column, since they are no product of numbers.</summary>
        public BigInteger Expected(long[] left, long[] right)
        {
            if (Kind is Kind.Multiply or Kind.Square)
            {
                return Sum(left) * Sum(right);
            }

            int first = Kind == Kind.LowHalf ? 0 : _digits - 1;
            BigInteger sum = 0;
            for (int column = first + _digits - 1; column >= first; column--)
            {
                Int128 products = 0;
                for (int i = Math.Max(0, column - _digits + 1); i <= Math.Min(column, _digits - 1); i++)
                {
                    products += (Int128)left[i] * right[column - i];
                }

                sum = (sum << LaneNumbers.Bits) + (BigInteger)products;
            }

            return sum;
        }
    }
}
