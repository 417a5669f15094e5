using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Chaos;

/// <summary>What a process holds, measured again and again: whether it grows is seen from the series alone.</summary>
internal sealed class ProcessSeries(int processId, TimeSpan interval, ITestOutputHelper output)
{
    private readonly List<Sample> _samples = [];
    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>Measures until <paramref name="end"/>; <paramref name="served"/> tells how many connections were served so far.</summary>
    public async Task RunAsync(Func<long> served, CancellationToken end)
    {
        using var timer = new PeriodicTimer(interval);
        output.WriteLine("    time      served   resident MB   threads   descriptors");
        try
        {
            do
            {
                Sample sample = Measure(served());
                _samples.Add(sample);
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{sample.Time.TotalSeconds,6:0} s {sample.Served,11} {sample.ResidentBytes / 1e6,13:0} {sample.Threads,9} {sample.Descriptors,13}"));
            }
            while (await timer.WaitForNextTickAsync(end));
        }
        catch (OperationCanceledException)
        {
            // That is the end.
        }
    }

    /// <summary>
    /// One line for each thing of which the process holds more in the last quarter than in the one after the first minute, beyond what goes up and
    /// down anyway. Null: the series is too short to say.
    /// </summary>
    public IReadOnlyList<string>? FindGrowth()
    {
        Sample[] settled = [.. _samples.Where(static sample => sample.Time > TimeSpan.FromMinutes(1))];
        int quarter = settled.Length / 4;
        if (settled.Length == 0 || settled[^1].Time < TimeSpan.FromMinutes(3) || quarter < 4)
        {
            return null;
        }

        List<string> growth = [];
        Compare("resident bytes", static sample => sample.ResidentBytes, 1.15, 30_000_000);
        Compare("threads", static sample => sample.Threads, 1.1, 8);
        Compare("descriptors", static sample => sample.Descriptors, 1.2, 40);
        return growth;

        void Compare(string what, Func<Sample, long> read, double factor, long slack)
        {
            long early = Median(settled.Take(quarter).Select(read));
            long late = Median(settled.TakeLast(quarter).Select(read));
            output.WriteLine($"{what}: median {early} after the first minute, {late} at the end");
            if (late > (early * factor) + slack)
            {
                growth.Add($"{what} grew from {early} to {late}");
            }
        }
    }

    private Sample Measure(long served)
    {
        string[] status = File.ReadAllLines($"/proc/{processId}/status");
        return new Sample(
            Stopwatch.GetElapsedTime(_start),
            served,
            Read(status, "VmRSS:") * 1024,
            Read(status, "Threads:"),
            Directory.GetFileSystemEntries($"/proc/{processId}/fd").Length);
    }

    private static long Read(string[] status, string name) =>
        long.Parse(status.First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);

    private static long Median(IEnumerable<long> values)
    {
        long[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private readonly record struct Sample(TimeSpan Time, long Served, long ResidentBytes, long Threads, long Descriptors);
}
