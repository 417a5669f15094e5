using System.Globalization;
using WarpDrive.Linux;
using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Storm;

/// <summary>
/// The clock by which latency is measured: the time; or, where other programs take the processors, the processor time of this process and others, by
/// the number of processors. As long as these processes would use all processors it goes as fast as time would without the other programs, and slower
/// where they have nothing to do. One thread.
/// </summary>
internal sealed class WorkClock(IReadOnlyList<int> processes)
{
    private long _checkedAt = LoadClock.Now;
    private long _checked;

    /// <summary>Numbers of running processes with commas between; null when it is something else.</summary>
    public static IReadOnlyList<int>? Parse(string text)
    {
        var processes = new List<int>();
        foreach (string part in text.Split(','))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int process) || process == 0 || ProcessTime.ReadNanoseconds(process) is null)
            {
                return null;
            }

            processes.Add(process);
        }

        return processes;
    }

    /// <summary>Nanoseconds.</summary>
    public long Now => processes.Count == 0
        ? LoadClock.Now
        : (processes.Sum(static process => ProcessTime.ReadNanoseconds(process) ?? 0) + ProcessTime.ReadNanoseconds(Environment.ProcessId)!.Value) / Environment.ProcessorCount;

    /// <summary>Called before the thread sleeps: what comes meanwhile, it may be told of late.</summary>
    public void Check() => (_checkedAt, _checked) = (LoadClock.Now, Now);

    /// <summary>What it showed at a time since the last <see cref="Check"/>, or a little before, as if it had gone evenly since then.</summary>
    public long At(long time)
    {
        if (processes.Count == 0)
        {
            return time;
        }

        (long now, long shows) = (LoadClock.Now, Now);
        double speed = now > _checkedAt ? Math.Min(1, (double)(shows - _checked) / (now - _checkedAt)) : 1;
        return shows - (long)((now - time) * speed);
    }
}
