namespace WarpDrive.Engines.Simd;

/// <summary>Which products of a row a <see cref="DigitStep"/> adds.</summary>
internal enum DigitRows
{
    /// <summary>Columns 0 to 10.</summary>
    Whole,

    /// <summary>Columns from a first one to 10.</summary>
    From,

    /// <summary>Columns from 0 to a last one.</summary>
    UpTo,

    /// <summary>Squares of single digits, in every second column from a first one (0 or 1); one row.</summary>
    Squares,
}

/// <summary>
/// One step of a <see cref="DigitProgram"/>: rows of products that are added to a block of columns. Row r multiplies digit
/// <see cref="Left"/> + r of the left factor by digits <see cref="Right"/> - r + c of the right one and adds to column c.
/// </summary>
/// <param name="Kind">Which columns each row has.</param>
/// <param name="Left">The first row's digit of the left factor.</param>
/// <param name="Right">The digit of the right factor that the first row multiplies into column 0; may be negative where column 0 is not reached.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="Edge">The first row's first column (<see cref="DigitRows.From"/>, <see cref="DigitRows.Squares"/>) or last one (<see cref="DigitRows.UpTo"/>).</param>
/// <param name="EdgeStep">What is added to the edge from row to row.</param>
internal readonly record struct DigitStep(DigitRows Kind, int Left, int Right, int Rows, int Edge = 0, int EdgeStep = 0);
