using System.Globalization;
using WarpProxy.LoadTest.Reporting;

namespace WarpProxy.LoadTest.Measurement;

/// <summary>Runs load threads through one window, shows once a second how it goes, and sums up.</summary>
/// <param name="unit">What is counted, for the live line: <c>handshakes</c>.</param>
/// <param name="live">Shows it.</param>
/// <param name="interruption">Ends a run early.</param>
/// <param name="readServerCpu">Reads the processor time of the server, when it is known.</param>
internal sealed class LoadRun(string unit, LiveLine live, Interruption interruption, Func<TimeSpan>? readServerCpu = null)
{
    // The threads get ready before the first operation is due.
    private static readonly TimeSpan Lead = TimeSpan.FromMilliseconds(5);

    /// <summary>Runs to the end of the window, or until interrupted.</summary>
    /// <param name="warmup">Load that is not measured.</param>
    /// <param name="measured">Load that is.</param>
    /// <param name="create">Makes the threads for the window; they are started here.</param>
    /// <exception cref="WarpDrive.Linux.LinuxException">A thread could not go on.</exception>
    public LoadMeasurement Execute(TimeSpan warmup, TimeSpan measured, Func<RunWindow, IReadOnlyList<LoadThread>> create)
    {
        var window = new RunWindow(LoadClock.Now + LoadClock.From(Lead), LoadClock.From(warmup), LoadClock.From(measured));
        IReadOnlyList<LoadThread> threads = create(window);
        foreach (LoadThread thread in threads)
        {
            thread.Start();
        }

        for (long next = window.Start; next < window.From && !IsOver(threads, window); next += LoadClock.Second)
        {
            live.Show($"warming up, {Whole(window.From - next)} s");
            WaitUntil(Math.Min(next + LoadClock.Second, window.From), window);
        }

        List<LoadSecond> timeline = Watch(threads, window, out TimeSpan cpu, out TimeSpan serverCpu);
        foreach (LoadThread thread in threads)
        {
            thread.Join();
        }

        ClientUsage usage = ClientUsage.Of(cpu, window.Seconds, [.. threads.Select(static thread => thread.Usage)]);
        LoadCounters counters = LoadCounters.Sum(threads.Select(static thread => thread.Counters));
        return new LoadMeasurement(window.Seconds, counters, usage, threads.Sum(static thread => thread.AllocatedBytes), timeline)
        {
            ServerCpu = serverCpu,
        };
    }

    private static bool IsOver(IReadOnlyList<LoadThread> threads, RunWindow window) =>
        LoadClock.Now >= window.Until || threads.Any(static thread => thread.HasEnded);

    private static long Whole(long nanoseconds) => (nanoseconds + LoadClock.Second - 1) / LoadClock.Second;

    /// <summary>The measured time, second by second; a thread that ended in it has failed.</summary>
    private List<LoadSecond> Watch(IReadOnlyList<LoadThread> threads, RunWindow window, out TimeSpan cpu, out TimeSpan serverCpu)
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        TimeSpan serverBefore = readServerCpu?.Invoke() ?? TimeSpan.Zero;
        var timeline = new List<LoadSecond>();
        long completed = 0;
        long errors = 0;
        for (long begin = window.From; !IsOver(threads, window);)
        {
            WaitUntil(Math.Min(begin + LoadClock.Second, window.Until), window);
            long end = Math.Min(LoadClock.Now, window.Until);
            LoadCounters sum = LoadCounters.Sum(threads.Select(static thread => thread.Counters));
            long errorsNow = sum.Errors.Total;
            var second = new LoadSecond(
                (end - window.From) / (double)LoadClock.Second,
                (sum.Completed - completed) * (double)LoadClock.Second / Math.Max(1, end - begin),
                errorsNow - errors);
            timeline.Add(second);
            string times = $"{Whole(end - window.From)} of {Whole(window.Until - window.From)} s";
            string latency = string.Create(
                CultureInfo.InvariantCulture, $"p50 {sum.Latency.ValueAt(50) / 1e6:0.0} ms   p99 {sum.Latency.ValueAt(99) / 1e6:0.0} ms");
            string rate = string.Create(CultureInfo.InvariantCulture, $"{second.PerSecond:N0} {unit}/s");
            live.Show($"{times}   {rate}   {latency}   {sum.InFlight} open   {errorsNow} errors");
            (begin, completed, errors) = (end, sum.Completed, errorsNow);
        }

        cpu = Environment.CpuUsage.TotalTime - before;
        serverCpu = (readServerCpu?.Invoke() ?? TimeSpan.Zero) - serverBefore;
        return timeline;
    }

    private void WaitUntil(long time, RunWindow window)
    {
        // Rounded up, so that the time is over afterwards.
        if (interruption.Wait(LoadClock.ToTimeSpan(time - LoadClock.Now) + TimeSpan.FromMilliseconds(1)))
        {
            window.End(LoadClock.Now);
        }
    }
}

/// <summary>What a run measured.</summary>
/// <param name="Seconds">How long.</param>
/// <param name="Counters">Of all threads.</param>
/// <param name="Usage">What the client needed for it.</param>
/// <param name="AllocatedBytes">Managed memory that the load threads allocated.</param>
/// <param name="Timeline">Second by second; the last one may be shorter.</param>
internal sealed record LoadMeasurement(
    double Seconds, LoadCounters Counters, ClientUsage Usage, long AllocatedBytes, IReadOnlyList<LoadSecond> Timeline)
{
    /// <summary>Processor time of the server in the measured time; zero when it is not known.</summary>
    public TimeSpan ServerCpu { get; init; }
}

/// <summary>About one second of a run.</summary>
/// <param name="End">Its end, in seconds of measured time.</param>
/// <param name="PerSecond">The rate of completed operations in it.</param>
/// <param name="Errors">How many errors came in it.</param>
internal sealed record LoadSecond(double End, double PerSecond, long Errors);
