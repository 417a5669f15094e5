namespace WarpDrive.Driver;

/// <summary>Whether a device gets work.</summary>
public enum DeviceState
{
    /// <summary>Not there, or there without a queue for us.</summary>
    Absent,

    /// <summary>Gets work.</summary>
    Ready,

    /// <summary>Answered wrongly, or not; gets no work for a while. See <see cref="BreakerStatus"/>.</summary>
    Quarantined,

    /// <summary>Is asked what is known, before it gets work.</summary>
    Probing,
}

/// <summary>A device at one moment.</summary>
/// <param name="Uri">As configured.</param>
/// <param name="State">Whether it gets work.</param>
/// <param name="Engine">What computes, in the device's words; null before it was seen.</param>
/// <param name="EngineCount">Engines that serve all its queues.</param>
/// <param name="EngineLanes">Most operations that an engine computes together.</param>
/// <param name="QueueCount">Queue pairs that are open.</param>
/// <param name="OperationCount">Operations that it completed since the start.</param>
/// <param name="Breaker">Why it gets no work, and how it did so far.</param>
/// <param name="Probes">How it answered the last probe that is over; none before the first.</param>
public sealed record DeviceStatus(
    string Uri,
    DeviceState State,
    string? Engine,
    int EngineCount,
    int EngineLanes,
    int QueueCount,
    long OperationCount,
    BreakerStatus Breaker,
    IReadOnlyList<ProbeResult> Probes);

/// <summary>A pool at one moment.</summary>
/// <param name="Devices">In the order of the configuration.</param>
/// <param name="SlotsInUse">Slots that belong to a device: posted and not reaped, abandoned ones included.</param>
/// <param name="OperationsInFlight">Operations that a thread waits for.</param>
/// <param name="QueuesInUse">Queues that are neither idle nor closed: those of operations, those that owe an answer, those of probes.</param>
/// <param name="KeyCount">Keys in use, and keys that some device has not erased yet.</param>
public sealed record PoolStatus(IReadOnlyList<DeviceStatus> Devices, int SlotsInUse, int OperationsInFlight, int QueuesInUse, int KeyCount);
