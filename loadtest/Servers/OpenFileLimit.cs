using System.Globalization;

namespace WarpProxy.LoadTest.Servers;

/// <summary>How many files and sockets one process may have open (RLIMIT_NOFILE), here and in the servers, which inherit it.</summary>
internal static class OpenFileLimit
{
    private const string Field = "Max open files";

    /// <summary>The limit that counts. .NET has raised it as far as this process may.</summary>
    public static long Read() => Parse(File.ReadLines("/proc/self/limits"));

    /// <summary>Finds it among the lines of /proc/PID/limits: name, soft limit, hard limit, unit, in columns.</summary>
    /// <exception cref="FormatException">It is not there.</exception>
    public static long Parse(IEnumerable<string> lines)
    {
        string[] columns = lines.FirstOrDefault(static line => line.StartsWith(Field, StringComparison.Ordinal))?[Field.Length..]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return columns switch
        {
            ["unlimited", ..] => long.MaxValue,
            [string soft, ..] when long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out long limit) => limit,
            _ => throw new FormatException($"/proc/self/limits has no line '{Field}' with a number."),
        };
    }
}
