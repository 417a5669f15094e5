using WarpDrive.Emulator.Faults;

namespace WarpDrive.Emulator;

/// <summary>What an emulated accelerator offers and the limits it keeps.</summary>
public sealed class EmulatorOptions
{
    /// <summary>Engines, each with a thread of its own: 1 to 64.</summary>
    public int EngineCount { get; init; } = 1;

    /// <summary>The most queues open at once: 1 to 1024, since a doorbell has ten bits for the number.</summary>
    public int MaxQueues { get; init; } = 1024;

    /// <summary>The most queues that processes of one user have open at once, over the socket: 1 to 1024.</summary>
    public int MaxQueuesPerUser { get; init; } = 1024;

    /// <summary>The most DMA mappings of one queue: 1 to 65536.</summary>
    public int MaxDmaMaps { get; init; } = 256;

    /// <summary>The most bytes that one queue may have mapped: 4096 to 2147479552, the largest single mapping.</summary>
    public long MaxMappedBytes { get; init; } = 256L << 20;

    /// <summary>The most bytes that all queues together may have mapped: 4096 to 2^46.</summary>
    public long MaxTotalMappedBytes { get; init; } = 4L << 30;

    /// <summary>
    /// How long an engine that finds nothing keeps looking before it sleeps; zero: not at all. Waking a sleeper costs a
    /// client some microseconds, looking costs a core: the default pays for about two wake-ups.
    /// </summary>
    public TimeSpan SpinTime { get; init; } = TimeSpan.FromMicroseconds(20);

    /// <summary>
    /// Whether an engine must give known answers before it is used. False only for an engine that does not compute RSA, with
    /// which the rings alone are measured.
    /// </summary>
    public bool SelfTest { get; init; } = true;

    /// <summary>Users whose processes may connect, by number; with <see cref="AllowedGroups"/> empty too: all whom the socket's file lets in.</summary>
    public IReadOnlyList<uint> AllowedUsers { get; init; } = [];

    /// <summary>Groups whose processes may connect: the effective group of the process when it connects.</summary>
    public IReadOnlyList<uint> AllowedGroups { get; init; } = [];

    /// <summary>Whether the server refuses to start when the memory of <see cref="MaxQueues"/> queues cannot be locked.</summary>
    public bool RequireLockedMemory { get; init; }

    /// <summary>What is to go wrong, for tests of who uses the device; null: nothing.</summary>
    public FaultPlan? Faults { get; init; }

    /// <summary>The clock of <see cref="Faults"/>.</summary>
    internal TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// The longest sleep of an engine. Nothing depends on it; it bounds what a fault of a client or of this code can cost. Tests
    /// make it endless, so that a wake-up that gets lost is seen.
    /// </summary>
    internal TimeSpan LongestSleep { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>One sentence for each value that is not allowed.</summary>
    public IEnumerable<string> Validate()
    {
        if (EngineCount is < 1 or > 64)
        {
            yield return $"EngineCount is {EngineCount}; allowed are 1 to 64.";
        }

        if (MaxQueues is < 1 or > 1024)
        {
            yield return $"MaxQueues is {MaxQueues}; allowed are 1 to 1024.";
        }

        if (MaxQueuesPerUser is < 1 or > 1024)
        {
            yield return $"MaxQueuesPerUser is {MaxQueuesPerUser}; allowed are 1 to 1024.";
        }

        if (MaxDmaMaps is < 1 or > 65536)
        {
            yield return $"MaxDmaMaps is {MaxDmaMaps}; allowed are 1 to 65536.";
        }

        if (MaxMappedBytes is < 4096 or > 2147479552)
        {
            yield return $"MaxMappedBytes is {MaxMappedBytes}; allowed are 4096 to 2147479552.";
        }

        if (MaxTotalMappedBytes is < 4096 or > 1L << 46)
        {
            yield return $"MaxTotalMappedBytes is {MaxTotalMappedBytes}; allowed are 4096 to {1L << 46}.";
        }

        if (SpinTime < TimeSpan.Zero || SpinTime > TimeSpan.FromSeconds(1))
        {
            yield return $"SpinTime is {SpinTime}; allowed are zero to one second.";
        }
    }
}
