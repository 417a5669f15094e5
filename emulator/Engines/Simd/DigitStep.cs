namespace WarpDrive.Engines.Simd;

/// <summary>Which products a <see cref="DigitStep"/> adds. Row r multiplies digit Left + r of the left factor.</summary>
internal enum DigitRows
{
    /// <summary>Any number of rows of columns 0 to 10.</summary>
    Whole,

    /// <summary>Ten rows; row r has columns r + 1 to 10.</summary>
    From,

    /// <summary>Ten rows; row r has columns 0 to r.</summary>
    UpTo,

    /// <summary>Five rows; row r has columns 2r + 1 to 10: what is above the diagonal of a square, lower half.</summary>
    SquareFrom,

    /// <summary>Five rows; row r has columns 0 to 2r: the same, upper half.</summary>
    SquareUpTo,

    /// <summary>Squares of the right factor's digits from Right on, in columns 0, 2, 4 to 10.</summary>
    EvenSquares,

    /// <summary>Squares of the right factor's digits from Right on, in columns 1, 3, 5, 7 and 9.</summary>
    OddSquares,
}

/// <summary>
/// One step of a <see cref="DigitProgram"/>: rows of products that are added to a block of columns. Row r multiplies digit
/// Left + r of the left factor by digit Right - r + c of the right one and adds to column c.
/// </summary>
/// <param name="Kind">Which columns each row has.</param>
/// <param name="Left">The first row's digit of the left factor.</param>
/// <param name="Right">The digit of the right factor that belongs to the first row and column 0; may lie outside where no row reaches that column.</param>
/// <param name="Rows">How many rows <see cref="DigitRows.Whole"/> has; the others ignore it.</param>
internal readonly record struct DigitStep(DigitRows Kind, int Left, int Right, int Rows = 0);
