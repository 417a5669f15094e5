using System.Globalization;
using System.Text;

namespace WarpDrive.KernelGenerator;

/// <summary>
/// The text of a kernel, emulator/Engines/Simd/Avx512Kernel.cs or Avx2Kernel.cs. Half a tile is 55 products of four instructions each: more than one wants to write
/// by hand or read, and as a loop with a jump into the middle of a row it was up to 1.4 times slower, for the mispredicted jumps.
/// </summary>
internal sealed class KernelSource
{
    private const int Block = 11;

    private readonly KernelWidth _width;
    private readonly StringBuilder _text = new();
    private string _indent = "";

    // The columns of the pass that is being written.
    private int _first;
    private int _last;

    private KernelSource(KernelWidth width) => _width = width;

    /// <summary>The whole file.</summary>
    public static string Write(KernelWidth width)
    {
        var source = new KernelSource(width);
        source.WriteFile();
        return source._text.ToString();
    }

    private static string At(string pointer, int digit) => digit switch
    {
        0 => pointer,
        < 0 => string.Create(CultureInfo.InvariantCulture, $"{pointer} - ({-digit} * Lanes)"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{pointer} + ({digit} * Lanes)"),
    };

    private string Load(string address) => $"LoadAlignedVector{_width.Bits}({address})";

    private string MultiplyAdd(string left, string right, string addend) => $"{_width.MultiplyAdd}({left}, {right}, {addend})";

    private void WriteFile()
    {
        WriteHead();
        _indent = new string(' ', 12);
        _first = 0;
        foreach (int columns in _width.Passes)
        {
            _last = _first + columns - 1;
            WritePass();
            _first += columns;
        }

        Lines("""

            if (addend != null)
            {
                addend += Block * Lanes;
            }

            result += Block * Lanes;
            first = end;
            """);
        _indent = "";
        Lines($$"""
                    }

                    low = Add(low, high);
                    StoreAligned(result, addend == null ? low : Add(low, {{Load("addend")}}));
                }
            }
            """);
    }

    private void WriteHead() => Lines($$"""
        // Written by emulator/KernelGenerator; a test compares the two. To change it, change the generator and run
        // dotnet run --project emulator/KernelGenerator -- emulator/Engines/Simd
        using System.Runtime.CompilerServices;
        using System.Runtime.Intrinsics;
        {{string.Join('\n', _width.Instructions.Select(each => $"using static System.Runtime.Intrinsics.X86.{each};"))}}
        using static WarpDrive.Engines.Simd.Digits;

        namespace WarpDrive.Engines.Simd;

        /// <summary>
        /// The inner loop of the SIMD engine with vectors of {{_width.Bits}} bits: adds the products that a <see cref="DigitProgram"/> names, column by
        /// column, and carries.
        /// </summary>
        /// <remarks>
        /// A product of two digits has up to 92 bits, a double holds 53. Two fused multiply-adds and two additions keep all of them:
        /// <code>
        ///     t  = a * v + h          rounded to a multiple of 2^47, since h began at 1.5 * 2^99: the high part of the column grows
        ///     l += a * v + (h - t)    what the rounding took away, exactly: the low part of the column, below 2^53
        /// </code>
        /// A column is then worth h - start + l, and the carry into the next column is h / 2^47 without any rounding. So many columns that no
        /// addition waits for the one before are worked on at a time, in two registers each: of a block {{string.Join(", then ", _width.Passes)}}.
        /// Time and addresses depend on the program alone.
        /// </remarks>
        internal static unsafe class {{_width.Class}}
        {
            private const int Lanes = {{_width.Lanes}};

            /// <summary>Runs a program and writes one digit for each of its columns and one more above them.</summary>
            /// <param name="program">What to multiply.</param>
            /// <param name="left">The left factor; like all numbers here aligned to vectors.</param>
            /// <param name="right">The right factor.</param>
            /// <param name="rightAgain">
            /// The right factor once more. The compiler does not know that it is the same, so it reads the digit twice as an operand, which
            /// is free, instead of keeping it in a register that would have to be copied.
            /// </param>
            /// <param name="addend">One digit for each column and the one above, added to it; or null.</param>
            /// <param name="carry">What the column below the first one carries into it; or null.</param>
            /// <param name="result">As many digits as the program has columns, and one; no factor of a program of several blocks.</param>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static void Run(
                DigitProgram program,
                double* left,
                double* right,
                double* rightAgain,
                double* addend,
                double* carry,
                double* result)
            {
                var start = Vector{{_width.Bits}}.Create(-HighStart);
                var rounder = Vector{{_width.Bits}}.Create(Rounder);
                var scale = Vector{{_width.Bits}}.Create(Base);
                var inverse = Vector{{_width.Bits}}.Create(BaseInverse);
                {{_width.Vector}} high = carry == null ? {{_width.Vector}}.Zero : {{Load("carry")}}; // h / 2^47 of the column before
                {{_width.Vector}} low = {{_width.Vector}}.Zero; // what rounding its digit carries
                DigitStep* first = (DigitStep*)Unsafe.AsPointer(ref program.Steps[0]);
                int* count = (int*)Unsafe.AsPointer(ref program.StepCounts[0]);
                for (int block = program.StepCounts.Length; block > 0; block--, count++)
                {
                    DigitStep* end = first + *count;
                    {{_width.Vector}} a, e, t, u;
        """);

    /// <summary>The products of one block that belong to the columns of the pass, and the digits of these columns.</summary>
    private void WritePass()
    {
        Lines($"\n// Columns {_first} to {_last}.");
        ForEachColumn(c => $"{_width.Vector} h{c} = start, l{c} = {_width.Vector}.Zero;");
        Lines("if (addend != null)\n{");
        ForEachColumn(c => $"    l{c} = {Load(At("addend", c))};");
        Lines("""
            }

            for (DigitStep* step = first; step < end; step++)
            {
                double* p = left + (step->Left * Lanes);
                double* b = right + (step->Right * Lanes);
                double* d = rightAgain + (step->Right * Lanes);
                switch (step->Kind)
                {
                    case DigitRows.Whole:
                        for (int rows = step->Rows; rows > 0; rows--, p += Lanes, b -= Lanes, d -= Lanes)
                        {
            """);
        Rows(28, [(0, 0, Block - 1)]);
        Lines("            }\n\n            break;");
        Tile("From", Enumerable.Range(0, Block - 1).Select(r => (r, r + 1, Block - 1)));
        Tile("UpTo", Enumerable.Range(0, Block - 1).Select(r => (r, 0, r)));
        Tile("SquareFrom", Enumerable.Range(0, Block / 2).Select(r => (r, (2 * r) + 1, Block - 1)));
        Tile("SquareUpTo", Enumerable.Range(0, Block / 2).Select(r => (r, 0, 2 * r)));
        Squares("EvenSquares", 0);
        Squares("OddSquares", 1);
        Lines("""
                }
            }

            // The column's value is l plus the high part of the one below; what exceeds a digit is carried by rounding, once:
            // it is at most 2^6, so that the digit it reaches stays small enough without another carry.
            """);
        ForEachColumn(c => $"h{c} = {MultiplyAdd($"h{c}", "inverse", "rounder")};");
        ForEachColumn(c => $"l{c} = Add(l{c}, {(c == _first ? "high" : $"h{c - 1}")});");
        Lines($"high = h{_last};");
        ForEachColumn(c => $"h{c} = Subtract({MultiplyAdd($"l{c}", "inverse", "rounder")}, rounder);");
        ForEachColumn(c => $"l{c} = {_width.MultiplyAdd}Negated(h{c}, scale, l{c});");
        ForEachColumn(c => $"StoreAligned({At("result", c)}, Add(l{c}, {(c == _first ? "low" : $"h{c - 1}")}));");
        Lines($"low = h{_last};");
    }

    private void Tile(string kind, IEnumerable<(int Row, int First, int Last)> rows)
    {
        Lines($"        case DigitRows.{kind}:");
        Rows(24, rows);
        Lines("            break;");
    }

    /// <summary>
    /// The products of rows, in two stages: while the multiply-add of one column runs, the column before it is finished. No statement
    /// uses what the one before it computed; else the compiler would join the two and copy registers.
    /// </summary>
    private void Rows(int indent, IEnumerable<(int Row, int First, int Last)> rows)
    {
        string before = _indent;
        _indent = new string(' ', indent);
        string a = "e";
        int product = 0;
        int lastColumn = -1;
        string[] finish = [];
        foreach ((int row, int first, int last) in LongAndShort(InPass(rows)))
        {
            a = a == "a" ? "e" : "a";
            Lines($"{a} = {Load(At("p", row))};");
            for (int c = first; c <= last; c++)
            {
                if (c == lastColumn)
                {
                    Lines(string.Join(' ', finish));
                    finish = [];
                }

                string t = product++ % 2 == 0 ? "t" : "u";
                string[] begin =
                [
                    $"{t} = {Load(At("b", c - row))};",
                    $"{t} = {MultiplyAdd(t, a, $"h{c}")};",
                    $"h{c} = Subtract(h{c}, {t});",
                ];
                Lines(string.Join('\n', begin.Select((statement, i) => i < finish.Length ? $"{statement} {finish[i]}" : statement)));
                lastColumn = c;
                finish =
                [
                    $"h{c} = {MultiplyAdd(a, Load(At("d", c - row)), $"h{c}")};",
                    $"l{c} = Add(l{c}, h{c});",
                    $"h{c} = {t};",
                ];
            }
        }

        Lines(string.Join(' ', finish));
        _indent = before;
    }

    /// <summary>What rows have in the columns of the pass.</summary>
    private (int Row, int First, int Last)[] InPass(IEnumerable<(int Row, int First, int Last)> rows) =>
        [.. rows.Select(row => (row.Row, First: Math.Max(row.First, _first), Last: Math.Min(row.Last, _last))).Where(row => row.First <= row.Last)];

    /// <summary>A long row, a short one, a long one: so the columns that short rows share are not added to again at once.</summary>
    private static IEnumerable<(int Row, int First, int Last)> LongAndShort((int Row, int First, int Last)[] rows)
    {
        (int Row, int First, int Last)[] byLength = [.. rows.OrderByDescending(row => row.Last - row.First)];
        for (int i = 0; i < byLength.Length; i++)
        {
            yield return byLength[i % 2 == 0 ? i / 2 : byLength.Length - 1 - (i / 2)];
        }
    }

    private void Squares(string kind, int first)
    {
        Lines($"        case DigitRows.{kind}:");
        for (int c = first; c <= _last; c += 2)
        {
            if (c >= _first)
            {
                Lines($"""
                                a = {Load(At("b", c / 2))}; t = {MultiplyAdd("a", "a", $"h{c}")};
                                l{c} = Add(l{c}, {MultiplyAdd("a", "a", $"Subtract(h{c}, t)")}); h{c} = t;
                    """);
            }
        }

        Lines("            break;");
    }

    private void ForEachColumn(Func<int, string> line)
    {
        for (int c = _first; c <= _last; c++)
        {
            Lines(line(c));
        }
    }

    private void Lines(string text)
    {
        foreach (string line in text.ReplaceLineEndings("\n").Split('\n'))
        {
            _text.Append(line.Length == 0 ? "" : _indent).Append(line).Append('\n');
        }
    }
}
