using Microsoft.Extensions.Logging;
using WarpDrive.Engines;

namespace WarpDrive.Emulator;

/// <summary>What the emulated accelerator says. Nothing per operation.</summary>
internal static partial class EmulatorLog
{
    [LoggerMessage(1, LogLevel.Information, "Accelerator started: {EngineName}, {EngineCount} engine(s) of {EngineLanes} lane(s)")]
    public static partial void Started(this ILogger logger, string engineName, int engineCount, int engineLanes);

    [LoggerMessage(2, LogLevel.Error, "Engine {Engine} '{EngineName}' gave a wrong answer and is not used: {Failure}")]
    public static partial void EngineFailedSelfTest(this ILogger logger, int engine, string engineName, string failure);

    [LoggerMessage(3, LogLevel.Critical, "Accelerator is dead: none of its {EngineCount} engines computes right")]
    public static partial void NoEngineLeft(this ILogger logger, int engineCount);

    [LoggerMessage(4, LogLevel.Error, "Engine {Engine} threw; operations that it fails end with error 5 (logged once)")]
    public static partial void EngineThrew(this ILogger logger, int engine, Exception failure);

    [LoggerMessage(5, LogLevel.Warning, "Engine memory is not locked and may be written to swap; raise the limit of locked memory (RLIMIT_MEMLOCK)")]
    public static partial void MemoryNotLocked(this ILogger logger);

    [LoggerMessage(6, LogLevel.Debug, "Queue {Queue} opened")]
    public static partial void QueueOpened(this ILogger logger, int queue);

    [LoggerMessage(7, LogLevel.Debug, "Queue {Queue} closed")]
    public static partial void QueueClosed(this ILogger logger, int queue);

    [LoggerMessage(8, LogLevel.Debug, "Engines do not run as SCHED_OTHER: {Reason}")]
    public static partial void EngineSchedulingRefused(this ILogger logger, string reason);

    [LoggerMessage(10, LogLevel.Information, "Faults injected: {Counts}")]
    public static partial void FaultsInjected(this ILogger logger, string counts);

    [LoggerMessage(9, LogLevel.Information, "Engines chosen ({Asked}, {Source}): {Choice}")]
    public static partial void EngineChosen(this ILogger logger, EngineKind asked, string source, EngineChoice choice);
}
