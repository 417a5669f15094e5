using System.Globalization;

namespace WarpProxy.Doctor;

/// <summary>Findings for people: a line each, as they come, and how many there were.</summary>
/// <param name="output">Where to.</param>
/// <param name="isColoured">Whether it is a terminal that shows colours.</param>
internal sealed class TextReport(TextWriter output, bool isColoured)
{
    private const int LevelWidth = 8;
    private const int CheckWidth = 14;
    private const string Reset = "\u001b[0m";

    /// <summary>Whether standard output is a terminal whose user has nothing against colours (no-color.org).</summary>
    public static bool WantsColours =>
        !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    /// <summary>Writes one line.</summary>
    public void Write(Finding finding)
    {
        string level = Word(finding.Level).PadRight(LevelWidth);
        string subject = finding.Subject is null ? "" : finding.Subject.EndsWith(':') ? $"{finding.Subject} " : $"{finding.Subject}: ";
        string advice = finding.Advice is null ? "" : $" {finding.Advice}.";
        string text = Clean($" {finding.Check.PadRight(CheckWidth)} {subject}{finding.Seen}.{advice}");
        output.WriteLine(isColoured ? $"{Colour(finding.Level)}{level}{Reset}{text}" : $"{level}{text}");
    }

    /// <summary>Writes the last line.</summary>
    public void WriteEnd(IReadOnlyCollection<Finding> findings) => output.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{Count(findings, FindingLevel.Ok)} ok, {Count(findings, FindingLevel.Warning)} to look at (warning), {Count(findings, FindingLevel.Failed)} failed"));

    private static int Count(IReadOnlyCollection<Finding> findings, FindingLevel level) => findings.Count(finding => finding.Level == level);

    private static string Word(FindingLevel level) => level.ToString().ToLowerInvariant();

    private static string Colour(FindingLevel level) => level switch
    {
        FindingLevel.Ok => "\u001b[32m",
        FindingLevel.Warning => "\u001b[33m",
        _ => "\u001b[31m",
    };

    /// <summary>Names of files, devices and processes are others': nothing of them may move the cursor, or be a line of its own.</summary>
    private static string Clean(string text) => string.Concat(text.Select(static one => char.IsControl(one) ? '?' : one));
}
