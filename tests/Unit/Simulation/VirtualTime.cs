namespace WarpProxy.Tests.Unit.Simulation;

/// <summary>A clock that stands still until the simulation moves it. For one thread.</summary>
internal sealed class VirtualTime : TimeProvider
{
    // Not 0, which could be taken for "never".
    private long _ticks = TimeSpan.TicksPerDay;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public TimeSpan Now => new(_ticks);

    public override long GetTimestamp() => _ticks;

    public override DateTimeOffset GetUtcNow() => new(_ticks, TimeSpan.Zero);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        throw new NotSupportedException("Nothing that is simulated may have a timer of its own.");

    /// <summary>Never back: an earlier moment leaves the clock as it is.</summary>
    public void MoveTo(TimeSpan moment) => _ticks = Math.Max(_ticks, moment.Ticks);
}
