namespace WarpProxy.LoadTest.Reporting;

/// <summary>How a command that loads a server runs: with a live line, until it is done or a signal comes, and then its result.</summary>
internal static class LoadCommand
{
    /// <summary>Measures, and prints what came of it.</summary>
    /// <param name="json">Whether the live line stays away.</param>
    /// <param name="measure">Returns what to print, and whether anything was measured.</param>
    /// <returns>The exit code.</returns>
    public static int Run(bool json, Func<LiveLine, Interruption, (string Text, bool IsMeasured)> measure)
    {
        using var interruption = new Interruption();
        try
        {
            (string Text, bool IsMeasured) result;
            using (LiveLine live = LiveLine.OnStandardError(isQuiet: json))
            {
                result = measure(live, interruption);
            }

            Console.WriteLine(result.Text);
            return interruption.ExitCodeOr(result.IsMeasured ? 0 : LoadFailure.NothingMeasured);
        }
        catch (LoadFailure failure)
        {
            Console.Error.WriteLine(failure.Message);
            return failure.ExitCode;
        }
    }
}
