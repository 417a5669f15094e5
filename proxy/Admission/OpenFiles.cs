using System.Globalization;

namespace WarpProxy.Admission;

/// <summary>How many files and sockets this process may have open (RLIMIT_NOFILE). The runtime has raised it as far as it may.</summary>
internal static class OpenFiles
{
    private const string Field = "Max open files";

    /// <summary>The limit that counts; what every Linux has at least where it cannot be read.</summary>
    public static long ReadLimit()
    {
        try
        {
            return ParseLimit(File.ReadLines("/proc/self/limits"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return 1024;
        }
    }

    /// <summary>Finds it among the lines of /proc/PID/limits: name, soft limit, hard limit, unit, in columns.</summary>
    /// <exception cref="IOException">It is not there.</exception>
    public static long ParseLimit(IEnumerable<string> lines)
    {
        string[] columns = lines.FirstOrDefault(static line => line.StartsWith(Field, StringComparison.Ordinal))?[Field.Length..]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return columns switch
        {
            ["unlimited", ..] => long.MaxValue,
            [string soft, ..] when long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out long limit) => limit,
            _ => throw new IOException($"/proc/self/limits has no line '{Field}' with a number."),
        };
    }
}
