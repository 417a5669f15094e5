using static WarpDrive.Engines.Simd.Digits;

namespace WarpDrive.Engines.Simd;

/// <summary>
/// A product of two numbers of <c>n</c> digits as the list of steps that <see cref="DigitKernel"/> follows: block after block of 11 columns,
/// for each block the tiles that meet it. A tile is 11 digits by 11 digits; its products fall into two blocks of columns:
/// <code>
///             column 0 ........ 10 | 11 ...... 20            Whole   two tiles side by side fill a block
///     digit 0  x x x x x x x x x x x                         From    the lower half of a tile: row r has columns r to 10
///     digit 1    x x x x x x x x x x | x                     UpTo    the upper half: row r has columns 0 to r - 1
///     ...                     x x x | x x x x x x x x
/// </code>
/// Programs are made once for each size; which digits they touch depends on the size alone.
/// </summary>
internal sealed class DigitProgram
{
    private readonly List<DigitStep> _steps = [];
    private readonly List<int> _stepCounts = [];

    private DigitProgram()
    {
    }

    /// <summary>The steps of all blocks, in order; pinned, so that the kernel may walk them by pointer.</summary>
    public DigitStep[] Steps { get; private set; } = [];

    /// <summary>How many steps each block has; pinned.</summary>
    public int[] StepCounts { get; private set; } = [];

    /// <summary>All 2n columns of left * right.</summary>
    public static DigitProgram Multiply(int blocks) => Build(program =>
    {
        for (int k = 0; k < 2 * blocks; k++)
        {
            for (int i = Math.Max(0, k - blocks); i <= Math.Min(k, blocks - 1); i++)
            {
                program.AddTiles(i, k, blocks);
            }

            program.EndBlock();
        }
    });

    /// <summary>
    /// All 2n columns of the square of the right factor. The left one is its double: each product of two different digits is added once,
    /// and the squares of the digits come from the right factor alone.
    /// </summary>
    public static DigitProgram Square(int blocks) => Build(program =>
    {
        for (int k = 0; k < 2 * blocks; k++)
        {
            for (int i = Math.Max(0, k - blocks); i <= Math.Min(k / 2, blocks - 1); i++)
            {
                if (i < k - i - 1)
                {
                    program.AddTiles(i, k, blocks);
                    continue;
                }

                if (i == k - i)
                {
                    // The lower half of a tile on the diagonal, above the diagonal: digit r by the digits behind it.
                    program.Add(new(DigitRows.From, Block * i, Block * (k - i), Rows: 5, Edge: 1, EdgeStep: 2));
                    continue;
                }

                // i + 1 = k - i: the upper half of a tile on the diagonal (digits 6 to 10 by those before them that still reach the
                // block), and the lower half of the tile beside it.
                program.Add(new(DigitRows.UpTo, (Block * i) + 6, (Block * (k - i)) - 6, Rows: 5, Edge: 0, EdgeStep: 2));
                if (k - i < blocks)
                {
                    program.AddTiles(i, k, blocks, withUpper: false);
                }
            }

            // Column c has a square when c is even; the blocks have 11 columns, so every second one begins with an odd column.
            int odd = k % 2;
            program.Add(new(DigitRows.Squares, 0, ((Block * k) + odd) / 2, Rows: 1, Edge: odd));
            program.EndBlock();
        }
    });

    /// <summary>Columns 0 to n - 1 of left * right: the product modulo the base^n.</summary>
    public static DigitProgram LowHalf(int blocks) => Build(program =>
    {
        for (int k = 0; k < blocks; k++)
        {
            for (int i = 0; i <= k; i++)
            {
                program.AddTiles(i, k, blocks);
            }

            program.EndBlock();
        }
    });

    /// <summary>Columns n - 1 to 2n - 2 of left * right: the high half, and below it the column whose carry it needs.</summary>
    public static DigitProgram HighHalf(int blocks) => Build(program =>
    {
        for (int k = 0; k < blocks; k++)
        {
            int right = (Block * (blocks + k)) - 1;
            program.Add(new(DigitRows.UpTo, Block * k, right - (Block * k), Rows: Block, Edge: 0, EdgeStep: 1));
            for (int i = k + 1; i < blocks; i++)
            {
                program.Add(new(DigitRows.Whole, Block * i, right - (Block * i), Rows: Block));
            }

            program.EndBlock();
        }
    });

    private static DigitProgram Build(Action<DigitProgram> build)
    {
        var program = new DigitProgram();
        build(program);
        program.Steps = GC.AllocateUninitializedArray<DigitStep>(program._steps.Count, pinned: true);
        program.StepCounts = GC.AllocateUninitializedArray<int>(program._stepCounts.Count, pinned: true);
        program._steps.CopyTo(program.Steps);
        program._stepCounts.CopyTo(program.StepCounts);
        return program;
    }

    /// <summary>
    /// What the products of left tile <paramref name="i"/> add to block <paramref name="k"/>: the lower half of the tile with right tile
    /// k - i and the upper half of that with k - i - 1; both together are whole rows.
    /// </summary>
    private void AddTiles(int i, int k, int blocks, bool withUpper = true)
    {
        int j = k - i;
        bool lower = j < blocks;
        bool upper = j > 0 && withUpper;
        int left = Block * i;
        int right = Block * j;
        Add((lower, upper) switch
        {
            (true, true) => new(DigitRows.Whole, left, right, Rows: Block),
            (true, false) => new(DigitRows.From, left, right, Rows: Block, Edge: 0, EdgeStep: 1),

            // Row 0 has no column there; row 1 reaches column 0.
            _ => new(DigitRows.UpTo, left + 1, right - 1, Rows: Block - 1, Edge: 0, EdgeStep: 1),
        });
    }

    private void Add(DigitStep step) => _steps.Add(step);

    private void EndBlock() => _stepCounts.Add(_steps.Count - _stepCounts.Sum());
}
