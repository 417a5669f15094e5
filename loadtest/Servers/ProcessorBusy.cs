using System.Globalization;

namespace WarpProxy.LoadTest.Servers;

/// <summary>How busy processors were, whoever used them, as /proc/stat tells (proc_stat(5)).</summary>
internal static class ProcessorBusy
{
    private const long TicksPerSecond = 100; // USER_HZ, as in ProcessStat
    private const int IdleField = 3;
    private const int WaitingField = 4; // idle too, while a disk works
    private const int FieldCount = 8; // user nice system idle iowait irq softirq steal; guests are in user already

    /// <summary>The sum of these processors so far.</summary>
    public static TimeSpan Read(CpuList cpus) => Parse(File.ReadLines("/proc/stat"), cpus);

    /// <summary>As above, from the file's lines: <c>cpu1 10 0 3 900 2 0 1 0 0 0</c>.</summary>
    public static TimeSpan Parse(IEnumerable<string> lines, CpuList cpus)
    {
        HashSet<string> names = [.. cpus.Processors.Select(static cpu => string.Create(CultureInfo.InvariantCulture, $"cpu{cpu}"))];
        long ticks = lines.Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length > FieldCount && names.Contains(fields[0]))
            .Sum(static fields => fields.Skip(1).Take(FieldCount).Index()
                .Where(static field => field.Index is not (IdleField or WaitingField))
                .Sum(static field => long.Parse(field.Item, CultureInfo.InvariantCulture)));
        return TimeSpan.FromTicks(ticks * (TimeSpan.TicksPerSecond / TicksPerSecond));
    }
}
