namespace WarpDrive.Driver;

/// <summary>Whether a device gets work.</summary>
public enum DeviceState
{
    /// <summary>Not there, or there without a queue for us.</summary>
    Absent,

    /// <summary>Gets work.</summary>
    Ready,

    /// <summary>Gave a wrong result or broke its protocol; gets no work for a while.</summary>
    Quarantined,
}

/// <summary>A device at one moment.</summary>
/// <param name="Uri">As configured.</param>
/// <param name="State">Whether it gets work.</param>
/// <param name="Engine">What computes, in the device's words; null before it was seen.</param>
/// <param name="EngineCount">Engines that serve all its queues.</param>
/// <param name="EngineLanes">Most operations that an engine computes together.</param>
/// <param name="QueueCount">Queue pairs that are open.</param>
/// <param name="OperationCount">Operations that it completed since the start.</param>
public sealed record DeviceStatus(
    string Uri, DeviceState State, string? Engine, int EngineCount, int EngineLanes, int QueueCount, long OperationCount);

/// <summary>A pool at one moment.</summary>
/// <param name="Devices">In the order of the configuration.</param>
/// <param name="SlotsInUse">Slots that belong to a device: posted and not reaped, abandoned ones included.</param>
/// <param name="OperationsInFlight">Operations that a thread waits for.</param>
public sealed record PoolStatus(IReadOnlyList<DeviceStatus> Devices, int SlotsInUse, int OperationsInFlight);
