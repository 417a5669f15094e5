using Microsoft.Extensions.Logging;

namespace WarpDrive.Driver;

internal static partial class DriverLog
{
    [LoggerMessage(1, LogLevel.Information, "Device '{Uri}' taken into use: {Engine}, {EngineCount} engine(s) of {EngineLanes} lane(s); known answers right after {ProbeMs:0.#} ms")]
    public static partial void DeviceReady(this ILogger logger, string uri, string engine, int engineCount, int engineLanes, double probeMs);

    [LoggerMessage(2, LogLevel.Warning, "Device '{Uri}' is absent; operations run in software until it appears ({Reason})")]
    public static partial void DeviceAbsent(this ILogger logger, string uri, string reason);

    [LoggerMessage(3, LogLevel.Warning, "Device '{Uri}' went away; operations run in software until it is back")]
    public static partial void DeviceLost(this ILogger logger, string uri);

    [LoggerMessage(4, LogLevel.Error, "Device '{Uri}' quarantined for {Seconds:0.#} s, operations run elsewhere: {Reason}")]
    public static partial void DeviceQuarantined(this ILogger logger, string uri, double seconds, string reason);

    [LoggerMessage(5, LogLevel.Warning, "Device '{Uri}' owed answers too long: {Queues} queue(s) closed with {InFlight} operation(s) unanswered")]
    public static partial void QueuesGivenUp(this ILogger logger, string uri, int queues, int inFlight);

    [LoggerMessage(6, LogLevel.Warning, "Memory shared with device '{Uri}' is not locked: raise the limit of locked memory (ulimit -l, LimitMEMLOCK) so that keys never reach swap")]
    public static partial void MemoryNotLocked(this ILogger logger, string uri);

    [LoggerMessage(7, LogLevel.Error, "Device '{Uri}' cannot be used: {Reason}")]
    public static partial void DeviceUnusable(this ILogger logger, string uri, string reason);

    [LoggerMessage(8, LogLevel.Warning, "A private key is not locked in memory: raise the limit of locked memory (ulimit -l, LimitMEMLOCK) so that keys never reach swap")]
    public static partial void KeyNotLocked(this ILogger logger);

    [LoggerMessage(10, LogLevel.Information, "Device '{Uri}' is probed after {Seconds:0.#} s of quarantine")]
    public static partial void DeviceProbed(this ILogger logger, string uri, double seconds);

    [LoggerMessage(9, LogLevel.Information, "Device '{Uri}' removed: it is no longer configured, or opened anew with other limits")]
    public static partial void DeviceRemoved(this ILogger logger, string uri);

    [LoggerMessage(11, LogLevel.Error, "An operation of a device failed here and ran in software: {Reason}")]
    public static partial void OperationFailed(this ILogger logger, string reason);
}
