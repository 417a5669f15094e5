using System.Globalization;

namespace WarpProxy.LoadTest.Servers;

/// <summary>What /proc/PID/stat says of a process (proc_pid_stat(5)).</summary>
/// <param name="Id">Its number.</param>
/// <param name="ParentId">Of the process that started it.</param>
/// <param name="Cpu">User and system time of all its threads, and of its children that have ended.</param>
internal readonly record struct ProcessStat(int Id, int ParentId, TimeSpan Cpu)
{
    // USER_HZ, which is 100 on x86-64 and arm64 whatever the kernel's own tick is.
    private const long TicksPerSecond = 100;

    // Fields behind the name, which is the second of all.
    private const int ParentField = 1;
    private const int UserTimeField = 11;
    private const int TimeFieldCount = 4; // utime, stime, cutime, cstime

    /// <summary>Takes the file's line. The name may hold blanks and parentheses, so what follows begins behind the last one.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static ProcessStat Parse(string line)
    {
        int open = line.IndexOf('(', StringComparison.Ordinal);
        int close = line.LastIndexOf(')');
        string[] fields = close < 0 ? [] : line[(close + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (open < 0 || fields.Length < UserTimeField + TimeFieldCount)
        {
            throw new FormatException($"'{line}' is no line of /proc/PID/stat.");
        }

        long ticks = fields.AsSpan(UserTimeField, TimeFieldCount).ToArray().Sum(static field => long.Parse(field, CultureInfo.InvariantCulture));
        return new(
            int.Parse(line.AsSpan(0, open), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture),
            int.Parse(fields[ParentField], CultureInfo.InvariantCulture),
            TimeSpan.FromTicks(ticks * (TimeSpan.TicksPerSecond / TicksPerSecond)));
    }

    /// <summary>Of a process that runs, or null when there is none.</summary>
    public static ProcessStat? Read(int id)
    {
        try
        {
            return Parse(File.ReadAllText($"/proc/{id}/stat"));
        }
        catch (IOException)
        {
            return null; // It has ended: no such file, or no such process while reading.
        }
    }

    /// <summary>Of every process that can be seen.</summary>
    public static IReadOnlyList<ProcessStat> ReadAll() =>
    [
        .. Directory.GetDirectories("/proc")
            .Select(static path => int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? Read(id) : null)
            .OfType<ProcessStat>(),
    ];
}
