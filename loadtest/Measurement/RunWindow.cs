namespace WarpProxy.LoadTest.Measurement;

/// <summary>The times of one run on <see cref="LoadClock"/>: a warm-up, then what is measured. Shared by the threads of the run.</summary>
/// <param name="start">When the load begins.</param>
/// <param name="warmup">How long it runs before it is measured.</param>
/// <param name="measured">How long it is measured.</param>
internal sealed class RunWindow(long start, long warmup, long measured)
{
    private long _until = start + warmup + measured;

    public long Start => start;

    /// <summary>When measuring begins.</summary>
    public long From => start + warmup;

    /// <summary>When measuring ends and no more load is begun.</summary>
    public long Until => Volatile.Read(ref _until); // another thread may end the run early; nothing else depends on it

    /// <summary>How long was measured, in seconds; 0 when the run was ended in the warm-up.</summary>
    public double Seconds => Math.Max(0, Until - From) / (double)LoadClock.Second;

    /// <summary>Whether something that happened then is measured.</summary>
    public bool Contains(long time) => time >= From && time < Until;

    /// <summary>Ends the run now, if it has not ended.</summary>
    public void End(long now) => Volatile.Write(ref _until, Math.Min(now, Until)); // only the thread that waits for the run does
}
