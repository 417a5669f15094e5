using System.Numerics;
using WarpDrive.Engines.Simd;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>Arithmetic modulo different numbers against BigInteger, for moduli of the lengths that <see cref="MontgomeryLanes{TLanes}"/> allows.</summary>
public sealed unsafe class MontgomeryLanesTests : IDisposable
{
    private const int Seed = 20260118;
    private const int Moduli = 40;
    private const int Factors = 6;

    private readonly Random _random = new(Seed);
    private readonly LaneNumbers _memory = new(zero: true);
    private readonly BigInteger[] _moduli = new BigInteger[LaneNumbers.MaxLanes];
    private readonly BigInteger[] _left = new BigInteger[LaneNumbers.MaxLanes];
    private readonly BigInteger[] _right = new BigInteger[LaneNumbers.MaxLanes];

    private int Lanes => _memory.Lanes;

    public void Dispose() => _memory.Dispose();

    [SimdTheory, LanesData(2), LanesData(3), LanesData(4)]
    internal void Prepare_finds_R_and_its_square_for_every_length_of_modulus<TLanes>(TLanes width, int blocks)
        where TLanes : struct, IDigitLanes
    {
        _memory.Use(width);
        var lanes = new MontgomeryLanes<TLanes>(blocks, _memory.Memory);
        BigInteger r = BigInteger.One << (lanes.Count * LaneNumbers.Bits);
        for (int i = 0; i < Moduli; i++)
        {
            DrawModuli(lanes, blocks, edges: i < 2, i);
            for (int lane = 0; lane < Lanes; lane++)
            {
                AssertCongruent(lanes, lanes.One, lane, 1, r);
                AssertCongruent(lanes, lanes.RSquared, lane, 1, r * r);
            }
        }
    }

    [SimdTheory, LanesData(2), LanesData(3), LanesData(4)]
    internal void Products_and_squares_are_right_and_between_minus_N_and_N<TLanes>(TLanes width, int blocks)
        where TLanes : struct, IDigitLanes
    {
        _memory.Use(width);
        var lanes = new MontgomeryLanes<TLanes>(blocks, _memory.Memory);
        double* left = _memory.Memory.Take(lanes.Count);
        double* right = _memory.Memory.Take(lanes.Count);
        double* result = _memory.Memory.Take(lanes.Count);
        BigInteger r = BigInteger.One << (lanes.Count * LaneNumbers.Bits);
        for (int i = 0; i < Moduli; i++)
        {
            DrawModuli(lanes, blocks, edges: i % 4 == 0, i / 4);
            for (int j = 0; j < Factors; j++)
            {
                DrawFactors(lanes, left, right, (i * Factors) + j);
                lanes.Multiply(left, right, result);
                for (int lane = 0; lane < Lanes; lane++)
                {
                    AssertCongruent(lanes, result, lane, r, _left[lane] * _right[lane]);
                }

                lanes.Square(left, result);
                for (int lane = 0; lane < Lanes; lane++)
                {
                    AssertCongruent(lanes, result, lane, r, _left[lane] * _left[lane]);
                }

                // A result may take the place of a factor: the engine computes so.
                lanes.Multiply(left, right, left);
                lanes.Square(right, right);
                for (int lane = 0; lane < Lanes; lane++)
                {
                    AssertCongruent(lanes, left, lane, r, _left[lane] * _right[lane]);
                    AssertCongruent(lanes, right, lane, r, _right[lane] * _right[lane]);
                }
            }
        }
    }

    [SimdTheory, LanesData(2), LanesData(3), LanesData(4)]
    internal void Reduction_takes_products_up_to_2_to_the_8_N_squared_and_inputs_of_the_engine<TLanes>(TLanes width, int blocks)
        where TLanes : struct, IDigitLanes
    {
        _memory.Use(width);
        var lanes = new MontgomeryLanes<TLanes>(blocks, _memory.Memory);
        double* result = _memory.Memory.Take(lanes.Count);
        BigInteger r = BigInteger.One << (lanes.Count * LaneNumbers.Bits);
        for (int i = 0; i < Moduli; i++)
        {
            DrawModuli(lanes, blocks, edges: i % 4 == 0, i / 4);
            for (int lane = 0; lane < Lanes; lane++)
            {
                BigInteger n = _moduli[lane];
                BigInteger limit = (n * n) << 8;

                // The other prime may fill its place when this one does not: an input is below N 2^bits.
                BigInteger input = n * ((BigInteger.One << (512 * blocks)) - 1);
                BigInteger product = ((i + lane) % 8) switch
                {
                    0 => limit,
                    1 => -limit,
                    2 => input - 1,
                    3 => 0,
                    4 => n,
                    5 => 1 - r,
                    6 => -1,
                    _ => EngineKey.Below((2 * limit) + 1, blocks * 128, _random) - limit,
                };
                _left[lane] = product;
                _memory.Set(lanes.Product, lane, 2 * lanes.Count, product);
            }

            lanes.Reduce(result);
            for (int lane = 0; lane < Lanes; lane++)
            {
                AssertCongruent(lanes, result, lane, r, _left[lane]);
            }
        }
    }

    [SimdTheory, LanesData(2), LanesData(3), LanesData(4)]
    internal void Sum_of_a_product_and_a_number_is_exact<TLanes>(TLanes width, int blocks)
        where TLanes : struct, IDigitLanes
    {
        _memory.Use(width);
        var lanes = new MontgomeryLanes<TLanes>(blocks, _memory.Memory);
        double* left = _memory.Memory.Take(lanes.Count);
        double* right = _memory.Memory.Take(lanes.Count);
        double* addend = _memory.Memory.Take(2 * lanes.Count);
        double* sum = _memory.Memory.Take(2 * lanes.Count);
        for (int i = 0; i < Moduli; i++)
        {
            DrawModuli(lanes, blocks, edges: i % 4 == 0, i / 4);
            DrawFactors(lanes, left, right, i);
            for (int lane = 0; lane < Lanes; lane++)
            {
                _memory.Set(addend, lane, 2 * lanes.Count, _right[lane]);
                addend[(2 * lanes.Count * Lanes) + lane] = 0;
            }

            lanes.MultiplyAdd(left, right, addend, sum);
            for (int lane = 0; lane < Lanes; lane++)
            {
                Assert.Equal((_left[lane] * _right[lane]) + _right[lane], _memory.Value(sum, lane, 2 * lanes.Count));
            }
        }
    }

    /// <summary>Odd numbers between 2^(bits - 8) and 2^bits.</summary>
    private void DrawModuli<TLanes>(MontgomeryLanes<TLanes> lanes, int blocks, bool edges, int firstEdge)
        where TLanes : struct, IDigitLanes
    {
        int bits = 512 * blocks;
        BigInteger top = BigInteger.One << bits;
        BigInteger bottom = BigInteger.One << (bits - 8);
        BigInteger[] edgeModuli = [top - 1, bottom + 1, top - 3, bottom + 3, (top / 2) + 1, (top / 2) - 1, (3 * bottom) + 2, top - bottom + 1];
        for (int lane = 0; lane < Lanes; lane++)
        {
            // Any length, not only the longest: most random numbers of a range are long ones.
            BigInteger low = bottom << _random.Next(8);
            _moduli[lane] = edges ? edgeModuli[((firstEdge * Lanes) + lane) % edgeModuli.Length] | 1 : (low + EngineKey.Below(low, blocks * 64, _random)) | 1;
            _memory.Set(lanes.Modulus, lane, lanes.Count, _moduli[lane]);
        }

        lanes.Prepare();
    }

    private void DrawFactors<TLanes>(MontgomeryLanes<TLanes> lanes, double* left, double* right, int round)
        where TLanes : struct, IDigitLanes
    {
        for (int lane = 0; lane < Lanes; lane++)
        {
            BigInteger n = _moduli[lane];
            _left[lane] = Factor(n, round % 12);
            _right[lane] = Factor(n, (round + (5 * lane)) % 12);
            _memory.Set(left, lane, lanes.Count, _left[lane]);
            _memory.Set(right, lane, lanes.Count, _right[lane]);
        }
    }

    private BigInteger Factor(BigInteger n, int kind) => kind switch
    {
        0 => 0,
        1 => 1,
        2 => n - 1,
        3 => 1 - n,
        4 => -1,
        5 => n,
        6 => (n << 4) - 1,
        7 => 1 - (n << 4),
        _ => EngineKey.Below(32 * n, n.GetByteCount() + 1, _random) - (16 * n),
    };

    /// <summary>That result * factor = expected modulo the lane's number, and |result| below it.</summary>
    private void AssertCongruent<TLanes>(MontgomeryLanes<TLanes> lanes, double* result, int lane, BigInteger factor, BigInteger expected)
        where TLanes : struct, IDigitLanes
    {
        BigInteger value = _memory.Value(result, lane, lanes.Count);
        BigInteger n = _moduli[lane];
        Assert.True(
            ((value * factor) - expected) % n == 0 && BigInteger.Abs(value) < n,
            $"lane {lane}, seed {Seed}: {value:x} for {expected:x}, modulus {n:x}, factors {_left[lane]:x} and {_right[lane]:x}");
        for (int i = 0; i < lanes.Count; i++)
        {
            Assert.InRange(_memory.Digit(result, lane, i), -LaneNumbers.MaxDigit, LaneNumbers.MaxDigit);
        }
    }
}
