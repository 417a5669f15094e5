using System.Globalization;

namespace WarpProxy.LoadTest.Measurement;

/// <summary>How busy the client was in the measured time, and whether its numbers are its own limit.</summary>
/// <param name="CpuSeconds">Processor time of the whole process.</param>
/// <param name="BusyShare">Of the busiest load thread: the share of the time that it ran.</param>
/// <param name="WaitingShare">Of the thread that waited most: the share of the time that it could have run but others had its processor.</param>
internal sealed record ClientUsage(double CpuSeconds, double BusyShare, double WaitingShare)
{
    /// <summary>Above this share of its time a client is taken to be saturated.</summary>
    public const double SaturatedShare = 0.9;

    /// <summary>A sentence when the client was saturated, else null.</summary>
    public string? Warning()
    {
        if (BusyShare > SaturatedShare)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"A client thread was busy {BusyShare:P0} of the time: these numbers are the client's limit, not the server's. ")
                + "Use more --threads or another machine.";
        }

        return BusyShare + WaitingShare > SaturatedShare
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"A client thread ran {BusyShare:P0} of the time and waited {WaitingShare:P0} for a processor that others used: ")
                + "client and server take each other's time. Give the client processors of its own (taskset)."
            : null;
    }

    /// <summary>Sums up the threads' usage over a time.</summary>
    /// <param name="cpu">Processor time of the process in that time.</param>
    /// <param name="seconds">The time.</param>
    /// <param name="threads">Usage of each load thread in it; null where the kernel does not count, and the process stands for them.</param>
    public static ClientUsage Of(TimeSpan cpu, double seconds, IReadOnlyList<ThreadUsage?> threads)
    {
        double nanoseconds = seconds * LoadClock.Second;
        if (nanoseconds <= 0)
        {
            return new(cpu.TotalSeconds, 0, 0);
        }

        double busy = threads.Max(usage => usage?.Ran ?? (cpu.TotalNanoseconds / threads.Count)) / nanoseconds;

        // Of the thread that came closest to saturation.
        ThreadUsage? closest = threads.MaxBy(static usage => usage?.Ran + usage?.Waited);
        return new(cpu.TotalSeconds, busy, (closest?.Waited ?? 0) / nanoseconds);
    }
}
