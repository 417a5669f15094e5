using System.Numerics;
using WarpDrive.Engines.Simd;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>
/// Proves that nothing is rounded that must not be, whatever the digits are: for each column the sum of the largest magnitudes of
/// all that is ever added, in whole numbers. Intermediate sums are bounded with it. What the kernel adds up is stated in its remarks.
/// </summary>
public sealed class DigitBoundsTests
{
    private const int Block = WarpDrive.Engines.Simd.Digits.Block;
    private const int Bits = WarpDrive.Engines.Simd.Digits.Bits;

    private static readonly BigInteger MaxDigit = LaneNumbers.MaxDigit;
    private static readonly BigInteger Base = BigInteger.One << Bits;

    // Rounding to a multiple of the base moves a sum by half of it at most.
    private static readonly BigInteger Half = Base / 2;

    [Theory, InlineData(2), InlineData(3), InlineData(4)]
    public void Columns_of_a_product_stay_below_the_bounds(int blocks) => AssertBounds(DigitProgram.Multiply(blocks), MaxDigit, 0);

    [Theory, InlineData(2), InlineData(3), InlineData(4)]
    public void Columns_of_a_square_stay_below_the_bounds(int blocks) => AssertBounds(DigitProgram.Square(blocks), 2 * MaxDigit, 0);

    [Theory, InlineData(2), InlineData(3), InlineData(4)]
    public void Columns_of_a_low_half_stay_below_the_bounds(int blocks) => AssertBounds(DigitProgram.LowHalf(blocks), MaxDigit, 0);

    [Theory, InlineData(2), InlineData(3), InlineData(4)]
    public void Columns_of_a_high_half_stay_below_the_bounds(int blocks) =>
        AssertBounds(DigitProgram.HighHalf(blocks), MaxDigit, Estimate(Block * blocks) / Base);

    /// <summary>
    /// A reduction rounds the topmost column of its lower half, which with all that is carried into it is a multiple of the base. It is
    /// the right multiple as long as the estimate of what is carried is wrong by less than half of the base.
    /// </summary>
    [Theory, InlineData(2), InlineData(3), InlineData(4)]
    public void Estimated_carry_of_a_reduction_is_wrong_by_much_less_than_half_of_the_base(int blocks)
    {
        int digits = Block * blocks;

        // In units of 1/base: digits of T and columns of q N below the estimated one, each a base smaller than the one above it.
        BigInteger omitted = MaxDigit;
        for (int column = digits - 3; column >= 0; column--)
        {
            int below = digits - 2 - column;
            omitted += ((((column + 1) * MaxDigit * MaxDigit) + MaxDigit) >> (Bits * below)) + 1;
        }

        // Each of its n multiply-adds and the addition of its halves round to 53 bits; adding it to the column rounds to 1 at most.
        BigInteger rounding = ((digits + 1) * Estimate(digits) >> 53) + 1 + Base;
        Assert.True(omitted + rounding < (Half * Base) >> 40, $"{omitted + rounding} of 1/2^47");
    }

    /// <summary>The largest that <see cref="IDigitLanes.Carry"/> gets, when R mod N is sought.</summary>
    [Fact]
    public void Carried_digits_are_within_the_bound_of_the_kernel()
    {
        // Digits of the kernel, shifted by 5 bits, less a multiple of up to 2^5 of a modulus with digits of the kernel.
        BigInteger digit = (MaxDigit << 5) + (MaxDigit << 5);
        Assert.True(digit < BigInteger.One << 53);
        Assert.True(Half + ((digit + Half) / Base) <= MaxDigit);
    }

    private static BigInteger Estimate(int digits) => (digits - 1) * MaxDigit * MaxDigit;

    private static void AssertBounds(DigitProgram program, BigInteger maxLeft, BigInteger carry)
    {
        ILookup<int, DigitProduct> columns = DigitProduct.Of(program).ToLookup(product => product.Column);
        BigInteger highBelow = carry;
        BigInteger roundedBelow = 0;
        for (int column = 0; column < Block * program.StepCounts.Length; column++)
        {
            BigInteger high = 0;
            BigInteger low = MaxDigit; // the addend
            foreach (DigitProduct product in columns[column])
            {
                high += ((product.IsSquare ? MaxDigit : maxLeft) * MaxDigit) + Half;
                low += Half;
            }

            low += highBelow;
            Assert.True(high < BigInteger.One << 98, $"column {column}: high {high}");
            Assert.True(low < BigInteger.One << 53, $"column {column}: low {low}");

            // What is written: the rest of this column, and what rounding the one below carries.
            Assert.True(Half + roundedBelow <= MaxDigit, $"column {column}: digit {Half + roundedBelow}");
            highBelow = high / Base;
            roundedBelow = (low + Half) / Base;
        }
    }
}
