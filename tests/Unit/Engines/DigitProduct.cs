using WarpDrive.Engines.Simd;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>
/// Reads a program by the words of <see cref="DigitRows"/>, independently of the kernel: which digit of the left factor meets which of
/// the right one in which column. A square of a digit of the right factor is a product of its own kind.
/// </summary>
internal readonly record struct DigitProduct(int Column, int Left, int Right, bool IsSquare)
{
    private const int Block = WarpDrive.Engines.Simd.Digits.Block;

    public static List<DigitProduct> Of(DigitProgram program)
    {
        var products = new List<DigitProduct>();
        int at = 0;
        for (int block = 0; block < program.StepCounts.Length; block++)
        {
            foreach (DigitStep step in program.Steps.AsSpan(at, program.StepCounts[block]))
            {
                products.AddRange(Of(step).Select(product => product with { Column = product.Column + (Block * block) }));
            }

            at += program.StepCounts[block];
        }

        Assert.Equal(program.Steps.Length, at);
        return products;
    }

    private static IEnumerable<DigitProduct> Of(DigitStep step) => step.Kind switch
    {
        DigitRows.Whole => Rows(step, step.Rows, _ => 0, _ => Block - 1),
        DigitRows.From => Rows(step, 10, row => row + 1, _ => Block - 1),
        DigitRows.UpTo => Rows(step, 10, _ => 0, row => row),
        DigitRows.SquareFrom => Rows(step, 5, row => (2 * row) + 1, _ => Block - 1),
        DigitRows.SquareUpTo => Rows(step, 5, _ => 0, row => 2 * row),
        DigitRows.EvenSquares => Squares(step, [0, 2, 4, 6, 8, 10]),
        DigitRows.OddSquares => Squares(step, [1, 3, 5, 7, 9]),
        _ => throw new ArgumentOutOfRangeException(nameof(step)),
    };

    private static IEnumerable<DigitProduct> Rows(DigitStep step, int rows, Func<int, int> first, Func<int, int> last) =>
        from row in Enumerable.Range(0, rows)
        from column in Enumerable.Range(first(row), last(row) - first(row) + 1)
        select new DigitProduct(column, step.Left + row, step.Right - row + column, IsSquare: false);

    private static IEnumerable<DigitProduct> Squares(DigitStep step, int[] columns) =>
        columns.Select((column, i) => new DigitProduct(column, step.Right + i, step.Right + i, IsSquare: true));
}
