using System.Globalization;

namespace WarpProxy.LoadTest.Servers;

/// <summary>The memory of some processes and of all that they have started.</summary>
/// <param name="roots">The processes.</param>
internal sealed class MemoryMeter(IReadOnlyCollection<int> roots)
{
    private const string Field = "VmRSS:";

    /// <summary>Resident now, in bytes: what is in RAM. Pages that several of them share count for each.</summary>
    public long Read() => CpuMeter.WithDescendants(roots, ProcessStat.ReadAll()).Sum(ReadOf);

    /// <summary>Finds it among the lines of /proc/PID/status: <c>VmRSS:     1234 kB</c>. 0 where it is missing, as for a process that has ended.</summary>
    public static long Parse(IEnumerable<string> lines)
    {
        string? line = lines.FirstOrDefault(static line => line.StartsWith(Field, StringComparison.Ordinal));
        return line?[Field.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is [string kibibytes, "kB"]
            ? long.Parse(kibibytes, CultureInfo.InvariantCulture) * 1024
            : 0;
    }

    private static long ReadOf(int process)
    {
        try
        {
            return Parse(File.ReadLines($"/proc/{process}/status"));
        }
        catch (IOException)
        {
            return 0; // It has ended.
        }
    }
}
