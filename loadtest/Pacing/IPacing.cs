namespace WarpProxy.LoadTest.Pacing;

/// <summary>Decides when one thread begins its next operation. Times are on <see cref="Measurement.LoadClock"/>. One thread at a time.</summary>
internal interface IPacing
{
    /// <summary>Whether operations are due whatever the server does, so that one that is late or never begun counts with its waiting.</summary>
    bool IsOpenLoop { get; }

    /// <summary>When the next operation is due; in the past when one is due now.</summary>
    long NextDue { get; }

    /// <summary>Takes the next operation if it is due; asked only when there is room for it.</summary>
    /// <param name="now">The time.</param>
    /// <param name="intended">When it should have begun: latency counts from there.</param>
    bool TryTake(long now, out long intended);
}
