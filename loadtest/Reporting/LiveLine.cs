namespace WarpProxy.LoadTest.Reporting;

/// <summary>One line on a terminal that is written over and over while something runs.</summary>
/// <param name="writer">The terminal.</param>
/// <param name="isShown">False: nothing is written at all.</param>
/// <param name="width">Of the terminal, in characters; 0 when it is not known.</param>
internal sealed class LiveLine(TextWriter writer, bool isShown, int width = 0) : IDisposable
{
    private const string ToLineEnd = "\e[K";

    private bool _isWritten;

    /// <summary>On standard error, unless it is no terminal or <paramref name="isQuiet"/>.</summary>
    public static LiveLine OnStandardError(bool isQuiet) =>
        isQuiet || Console.IsErrorRedirected ? new(Console.Error, isShown: false) : new(Console.Error, isShown: true, Console.WindowWidth);

    /// <summary>Stands before all that is shown.</summary>
    public string Prefix { get; set; } = "";

    /// <summary>Shows it in place of what was shown before, as much as fits into one line.</summary>
    public void Show(string text)
    {
        if (isShown)
        {
            _isWritten = true;
            string line = Prefix + text;
            writer.Write($"\r{(width > 0 && line.Length >= width ? line[..(width - 1)] : line)}{ToLineEnd}");
            writer.Flush();
        }
    }

    /// <summary>Takes the line away, so that what follows stands in its place.</summary>
    public void Dispose()
    {
        if (_isWritten)
        {
            writer.Write($"\r{ToLineEnd}");
            writer.Flush();
        }
    }
}
