using System.Globalization;
using System.Text;
using WarpProxy.LoadTest.Compare;

namespace WarpProxy.LoadTest.Reports;

/// <summary>A comparison as text for a terminal.</summary>
internal static class ComparisonText
{
    public static string Write(ComparisonResult result)
    {
        var text = new StringBuilder();
        Line($"{result.Title}: {result.Machine.Processor}, {result.Machine.Kernel}, {result.Machine.Runtime}, {result.Machine.OpenSsl}.");
        foreach (string condition in result.Conditions)
        {
            Line($"{condition}");
        }

        foreach (IGrouping<LoadCase, ComparisonRow> load in result.Rows.GroupBy(static row => row.Load))
        {
            text.Append('\n');
            Line($"{load.Key}");
            AddTable(text, result, [.. load]);
        }

        if (result.Rows.Count == 0)
        {
            Line($"\nNothing was measured{(result.IsInterrupted ? ": interrupted before the first round was over" : "")}.");
        }

        text.Append('\n');
        foreach (LeftOutServer server in result.LeftOut)
        {
            Line($"Left out: {server.Name}: {server.Reason}");
        }

        foreach (string warning in result.Warnings.Concat(result.Rows.SelectMany(static row => row.Warnings.Select(warning => $"{row.Server}, {row.Load}: {warning}"))))
        {
            Line($"Warning: {warning}");
        }

        foreach (ComparedServer server in result.Servers)
        {
            Line($"\n--- {server.Name}: {server.Version}");
            foreach (string note in server.Notes)
            {
                Line($"# {note}");
            }

            Line($"$ {string.Join("\n$ ", server.Commands)}");
            Line($"{server.Configuration.TrimEnd('\n')}");
        }

        return text.ToString().TrimEnd('\n');

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static void AddTable(StringBuilder text, ComparisonResult result, ComparisonRow[] rows)
    {
        (string[] head, string[][] cells) = ComparisonTable.Of(result, rows);
        int[] widths = [.. head.Select((title, column) => cells.Select(row => row[column].Length).Append(title.Length).Max())];
        foreach (string[] row in (string[][])[head, .. cells])
        {
            text.Append(string.Join("   ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[column]))).TrimEnd());
            text.Append('\n');
        }

        foreach (ComparisonRow row in rows.Where(static row => row.Activity?.Batches.Count > 0))
        {
            text.Append(CultureInfo.InvariantCulture, $"operations per batch, {row.Server}: {ComparisonTable.Batches(row.Activity!)}\n");
        }
    }
}
