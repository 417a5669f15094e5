using System.Diagnostics;
using System.Text.RegularExpressions;

namespace WarpProxy.Tests.EndToEnd.SystemCalls;

/// <summary>What strace(1) wrote: the calls of each thread in order, those that it saw in two parts as one.</summary>
internal static partial class SystemCallTrace
{
    public const string Package = "strace";
    public const string Program = "/usr/bin/strace";

    /// <summary>Why this machine lets nobody trace its own child; null: it does.</summary>
    public static string? WhyNot { get; } = FindObstacle();

    /// <summary>The calls of the thread that first did one that is asked for, from that one on.</summary>
    /// <param name="text">The file that strace writes with -f -y.</param>
    /// <param name="isFirst">Whether a call is the first.</param>
    public static IReadOnlyList<string> CallsFrom(string text, Func<string, bool> isFirst)
    {
        List<string> calls = [];
        string? thread = null;
        Dictionary<string, string> unfinished = [];
        foreach (Match line in Line().Matches(text))
        {
            (string by, string call) = (line.Groups["thread"].Value, line.Groups["call"].Value);
            if (Unfinished().Match(call) is { Success: true } begin)
            {
                unfinished[by] = begin.Groups["begin"].Value;
                continue;
            }

            if (Resumed().Match(call) is { Success: true } end && unfinished.Remove(by, out string? begun))
            {
                call = begun + end.Groups["end"].Value;
            }

            thread ??= isFirst(call) ? by : null;
            if (by == thread)
            {
                calls.Add(call);
            }
        }

        return calls;
    }

    private static string? FindObstacle()
    {
        if (!File.Exists(Program))
        {
            return $"needs the Debian package {Package}";
        }

        using Process attempt = Process.Start(new ProcessStartInfo(Program, ["-o", "/dev/null", "/bin/true"]) { RedirectStandardError = true })!;
        string error = attempt.StandardError.ReadToEnd();
        attempt.WaitForExit();
        return attempt.ExitCode == 0 ? null : $"strace may not trace its own child here: {error.Trim()}";
    }

    [GeneratedRegex(@"^(?<thread>\d+)\s+(?<call>.+)$", RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex(@"^(?<begin>.*) <unfinished \.\.\.>$")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"^<\.\.\. \w+ resumed>(?<end>.*)$")]
    private static partial Regex Resumed();
}
