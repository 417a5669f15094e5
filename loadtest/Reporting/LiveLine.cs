namespace WarpProxy.LoadTest.Reporting;

/// <summary>One line on a terminal that is written over and over while something runs.</summary>
/// <param name="writer">The terminal.</param>
/// <param name="isShown">False: nothing is written at all.</param>
internal sealed class LiveLine(TextWriter writer, bool isShown) : IDisposable
{
    private const string ToLineEnd = "\e[K";

    private bool _isWritten;

    /// <summary>On standard error, unless it is no terminal or <paramref name="isQuiet"/>.</summary>
    public static LiveLine OnStandardError(bool isQuiet) => new(Console.Error, !isQuiet && !Console.IsErrorRedirected);

    public void Show(string text)
    {
        if (isShown)
        {
            _isWritten = true;
            writer.Write($"\r{text}{ToLineEnd}");
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
