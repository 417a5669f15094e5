using static WarpDrive.Engines.Simd.Digits;

namespace WarpDrive.Engines.Simd;

/// <summary>
/// A product of two numbers of <c>n</c> digits as the list of steps that the kernels follow: block after block of 11 columns,
/// for each block the rows of products that meet it. Digits of the left factor are taken eleven by eleven; a row of such a group
/// meets two blocks of columns:
/// <code>
///                block k      block k+1
///     digit 0  xxxxxxxxxxx                        Seen from block k, the group begins with a whole row and ends with rows
///     digit 1   xxxxxxxxxx x                      that have columns r to 10 (From); seen from the block where it ends, it has
///     ...                                         rows with columns 0 to r (UpTo). Between, rows are whole, and those
///     digit 10           x xxxxxxxxxx             of neighbouring groups are one run.
/// </code>
/// Programs are made once for each size; which digits they touch depends on the size alone.
/// </summary>
internal sealed class DigitProgram
{
    private readonly List<DigitStep> _steps = [];
    private readonly List<int> _stepCounts = [];
    private readonly int _blocks;

    private DigitProgram(int blocks) => _blocks = blocks;

    /// <summary>The steps of all blocks, in order; pinned, so that the kernel may walk them by pointer.</summary>
    public DigitStep[] Steps { get; private set; } = [];

    /// <summary>How many steps each block has; pinned.</summary>
    public int[] StepCounts { get; private set; } = [];

    /// <summary>All 2n columns of left * right.</summary>
    public static DigitProgram Multiply(int blocks)
    {
        var program = new DigitProgram(blocks);
        for (int k = 0; k < 2 * blocks; k++)
        {
            program.AddGroups(k, Math.Max(0, k - blocks), Math.Min(k, blocks - 1));
            program.EndBlock();
        }

        return program.Pin();
    }

    /// <summary>
    /// All 2n columns of the square of the right factor. The left one is its double: each product of two different digits is added once,
    /// and the squares of the digits come from the right factor alone.
    /// </summary>
    public static DigitProgram Square(int blocks)
    {
        var program = new DigitProgram(blocks);
        for (int k = 0; k < 2 * blocks; k++)
        {
            // Groups below the one on the diagonal meet this block with other groups only.
            int diagonal = k / 2;
            bool isLower = k % 2 == 0;
            int lastWhole = isLower || k - diagonal == blocks ? diagonal - 1 : diagonal;
            program.AddGroups(k, Math.Max(0, k - blocks), lastWhole, fromDiagonal: !isLower && lastWhole == diagonal);
            int first = Block * diagonal;
            program._steps.Add(isLower
                ? new(DigitRows.SquareFrom, first, first)
                : new(DigitRows.SquareUpTo, first + 6, first + 5));

            // Column c has a square when c is even; blocks have 11 columns, so that every second one begins with an odd column.
            program._steps.Add(isLower
                ? new(DigitRows.EvenSquares, 0, Block * k / 2)
                : new(DigitRows.OddSquares, 0, ((Block * k) + 1) / 2));
            program.EndBlock();
        }

        return program.Pin();
    }

    /// <summary>Columns 0 to n - 1 of left * right: the product modulo base^n.</summary>
    public static DigitProgram LowHalf(int blocks)
    {
        var program = new DigitProgram(blocks);
        for (int k = 0; k < blocks; k++)
        {
            program.AddGroups(k, 0, k);
            program.EndBlock();
        }

        return program.Pin();
    }

    /// <summary>Columns n - 1 to 2n - 2 of left * right: the high half, and below it the column whose carry it needs.</summary>
    public static DigitProgram HighHalf(int blocks)
    {
        var program = new DigitProgram(blocks);
        for (int k = 0; k < blocks; k++)
        {
            // One column lower than the blocks of a product: the group that ends here has eleven rows, the last of them whole.
            int left = Block * k;
            int right = (Block * blocks) - 1;
            program._steps.Add(new(DigitRows.UpTo, left, right));
            program._steps.Add(new(DigitRows.Whole, left + 10, right - 10, (Block * (blocks - k)) - 10));
            program.EndBlock();
        }

        return program.Pin();
    }

    /// <summary>
    /// What groups <paramref name="first"/> to <paramref name="last"/> of the left factor add to block <paramref name="k"/>.
    /// With <paramref name="fromDiagonal"/> the last group adds only its products with the group behind it, as if it began here.
    /// </summary>
    private void AddGroups(int k, int first, int last, bool fromDiagonal = false)
    {
        int group = first;
        if (k - group == _blocks && group <= last)
        {
            // Row 0 has no column here; row 1 reaches column 0.
            _steps.Add(new(DigitRows.UpTo, (Block * group) + 1, (Block * _blocks) - 1));
            group++;
        }

        if (group > last)
        {
            return;
        }

        bool begins = last == k || fromDiagonal;
        int rows = (Block * (last - group)) + (begins ? 1 : Block);
        int left = Block * group;
        int right = Block * (k - group);
        _steps.Add(new(DigitRows.Whole, left, right, rows));
        if (begins)
        {
            _steps.Add(new(DigitRows.From, left + rows, right - rows));
        }
    }

    private void EndBlock() => _stepCounts.Add(_steps.Count - _stepCounts.Sum());

    private DigitProgram Pin()
    {
        Steps = GC.AllocateUninitializedArray<DigitStep>(_steps.Count, pinned: true);
        StepCounts = GC.AllocateUninitializedArray<int>(_stepCounts.Count, pinned: true);
        _steps.CopyTo(Steps);
        _stepCounts.CopyTo(StepCounts);
        return this;
    }
}
