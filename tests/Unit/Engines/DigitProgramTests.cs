using WarpDrive.Engines.Simd;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>That the programs add each product once, where it belongs.</summary>
public sealed class DigitProgramTests
{
    private const int Block = WarpDrive.Engines.Simd.Digits.Block;

    [Theory, InlineData(2), InlineData(3), InlineData(4)]
    public void Multiply_adds_each_product_once_to_its_column(int blocks) =>
        AssertProducts(DigitProgram.Multiply(blocks), blocks, (_, _) => true, firstColumn: 0, 2 * blocks);

    [Theory, InlineData(2), InlineData(3), InlineData(4)]
    public void Low_half_adds_each_product_below_column_n_once(int blocks) =>
        AssertProducts(DigitProgram.LowHalf(blocks), blocks, (i, j) => i + j < Block * blocks, firstColumn: 0, blocks);

    [Theory, InlineData(2), InlineData(3), InlineData(4)]
    public void High_half_adds_each_product_from_column_n_minus_1_on_once(int blocks)
    {
        int first = (Block * blocks) - 1;
        AssertProducts(DigitProgram.HighHalf(blocks), blocks, (i, j) => i + j >= first, first, blocks);
    }

    [Theory, InlineData(2), InlineData(3), InlineData(4)]
    public void Square_adds_each_pair_of_digits_once_and_each_square_once(int blocks)
    {
        List<DigitProduct> products = DigitProduct.Of(DigitProgram.Square(blocks));
        int digits = Block * blocks;
        var pairs = products.Select(product => (Math.Min(product.Left, product.Right), Math.Max(product.Left, product.Right))).ToHashSet();
        Assert.Equal(products.Count, pairs.Count);
        Assert.Equal(digits * (digits + 1) / 2, pairs.Count);
        Assert.All(products, product =>
        {
            Assert.Equal(product.Left == product.Right, product.IsSquare);
            AssertIn(product, digits, firstColumn: 0);
        });
        Assert.Equal(2 * blocks, DigitProgram.Square(blocks).StepCounts.Length);
    }

    [Theory, InlineData(1024, 2), InlineData(1536, 3), InlineData(2048, 4)]
    public void Digits_hold_a_prime_and_leave_ten_bits_and_more(int primeBits, int blocks)
    {
        Assert.Equal(blocks, WarpDrive.Engines.Simd.Digits.BlocksFor(primeBits));
        Assert.True((blocks * Block * WarpDrive.Engines.Simd.Digits.Bits) - primeBits >= 10);
    }

    private static void AssertProducts(DigitProgram program, int blocks, Func<int, int, bool> isWanted, int firstColumn, int programBlocks)
    {
        int digits = Block * blocks;
        List<DigitProduct> products = DigitProduct.Of(program);
        var seen = products.Select(product => (product.Left, product.Right)).ToHashSet();
        Assert.Equal(products.Count, seen.Count);
        Assert.All(products, product =>
        {
            Assert.False(product.IsSquare);
            AssertIn(product, digits, firstColumn);
        });
        foreach (int i in Enumerable.Range(0, digits))
        {
            Assert.All(Enumerable.Range(0, digits), j => Assert.Equal(isWanted(i, j), seen.Contains((i, j))));
        }

        Assert.Equal(programBlocks, program.StepCounts.Length);
    }

    private static void AssertIn(DigitProduct product, int digits, int firstColumn)
    {
        Assert.InRange(product.Left, 0, digits - 1);
        Assert.InRange(product.Right, 0, digits - 1);
        Assert.Equal(product.Left + product.Right - firstColumn, product.Column);
    }
}
