using WarpProxy.LoadTest.Pacing;

namespace WarpProxy.LoadTest.Measurement;

/// <summary>What one thread has measured. Its thread writes; others may read for a display and then see a little less.</summary>
internal sealed class LoadCounters
{
    private long _completed;
    private long _inFlight;

    /// <summary>Latencies, from the intended start.</summary>
    public LatencyHistogram Latency { get; } = new();

    /// <summary>From the intended start to the real one, in an open loop.</summary>
    public LatencyHistogram StartDelay { get; } = new();

    /// <summary>What went wrong.</summary>
    public ErrorCounts Errors { get; } = new();

    /// <summary>How many operations were completed within the measured time.</summary>
    public long Completed
    {
        get => Volatile.Read(ref _completed); // for the display; orders nothing
        set => Volatile.Write(ref _completed, value);
    }

    /// <summary>Connections that are open.</summary>
    public long InFlight
    {
        get => Volatile.Read(ref _inFlight); // as above
        set => Volatile.Write(ref _inFlight, value);
    }

    /// <summary>
    /// Operations of the measured time without an end. In an open loop those that were due count in <see cref="Latency"/> with
    /// their waiting so far.
    /// </summary>
    public long Unfinished { get; set; }

    /// <summary>Counts an operation that was begun and has no end when the run is over.</summary>
    public void CountUnfinished(long intended, long now, IPacing pacing, RunWindow window)
    {
        if (!pacing.IsOpenLoop)
        {
            Unfinished++;
        }
        else if (window.Contains(intended))
        {
            Unfinished++;
            Latency.Record(now - intended);
        }
    }

    /// <summary>Counts what was due in an open loop and never begun: the limit of connections was reached.</summary>
    public void CountNeverBegun(long now, IPacing pacing, RunWindow window)
    {
        while (pacing.IsOpenLoop && pacing.TryTake(window.Until - 1, out long intended))
        {
            if (window.Contains(intended))
            {
                StartDelay.Record(now - intended);
            }

            CountUnfinished(intended, now, pacing, window);
        }
    }

    /// <summary>The sum over threads that have ended, or, for a display, that still run.</summary>
    public static LoadCounters Sum(IEnumerable<LoadCounters> threads)
    {
        var sum = new LoadCounters();
        foreach (LoadCounters thread in threads)
        {
            sum.Latency.Add(thread.Latency);
            sum.StartDelay.Add(thread.StartDelay);
            sum.Errors.Add(thread.Errors);
            sum.Completed += thread.Completed;
            sum.InFlight += thread.InFlight;
            sum.Unfinished += thread.Unfinished;
        }

        return sum;
    }
}
