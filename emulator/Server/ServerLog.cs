using Microsoft.Extensions.Logging;

namespace WarpDrive.Emulator.Server;

/// <summary>What the program says besides what the device and its server do.</summary>
internal static partial class ServerLog
{
    [LoggerMessage(
        201,
        LogLevel.Information,
        "Offering RSA private-key operations of 1024, 2048, 3072 and 4096 bits on {Socket}: {EngineCount} engines '{EngineName}' of {EngineLanes} lanes; limits: {MaxQueues} queues of depth {MaxDepth}, each with {MaxDmaMaps} DMA mappings of {MaxMappedMiB} MiB together, {MaxTotalMappedMiB} MiB for all")]
    public static partial void Offering(
        this ILogger logger,
        string socket,
        int engineCount,
        string engineName,
        int engineLanes,
        int maxQueues,
        int maxDepth,
        int maxDmaMaps,
        long maxMappedMiB,
        long maxTotalMappedMiB);

    [LoggerMessage(202, LogLevel.Information, "Stopping on {Signal}: {QueueCount} queues open, {OperationsCompleted} operations done, {OperationErrors} ended with an error")]
    public static partial void Stopping(this ILogger logger, string signal, int queueCount, long operationsCompleted, long operationErrors);

    [LoggerMessage(204, LogLevel.Warning, "{Shortage}")]
    public static partial void LockedMemoryShort(this ILogger logger, string shortage);

    [LoggerMessage(203, LogLevel.Information, "Batches of {Batches}")]
    public static partial void Batches(this ILogger logger, BatchHistogram batches);
}
