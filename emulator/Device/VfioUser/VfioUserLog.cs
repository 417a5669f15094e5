using Microsoft.Extensions.Logging;

namespace WarpDrive.Emulator.VfioUser;

/// <summary>What the vfio-user server says. Nothing per command above Debug.</summary>
internal static partial class VfioUserLog
{
    [LoggerMessage(101, LogLevel.Information, "Listening on {Path}")]
    public static partial void Listening(this ILogger logger, string path);

    [LoggerMessage(102, LogLevel.Information, "Removed {Path}: a socket that nobody listened on any more")]
    public static partial void RemovedStaleSocket(this ILogger logger, string path);

    [LoggerMessage(103, LogLevel.Information, "Client {Client} connected: process {ProcessId}, user {UserId}")]
    public static partial void Connected(this ILogger logger, long client, int processId, uint userId);

    [LoggerMessage(104, LogLevel.Information, "Client {Client} disconnected: {Reason}")]
    public static partial void Disconnected(this ILogger logger, long client, string reason);

    [LoggerMessage(105, LogLevel.Warning, "Connections wait: {ConnectionCount} are open, the most allowed, and {UnopenedCount} of them have said nothing yet")]
    public static partial void TooManyConnections(this ILogger logger, int connectionCount, int unopenedCount);

    [LoggerMessage(111, LogLevel.Warning, "{LineCount} lines about clients that came, went or were refused were left out")]
    public static partial void LinesLeftOut(this ILogger logger, int lineCount);

    [LoggerMessage(112, LogLevel.Warning, "Connection of process {ProcessId} refused: {DescriptorCount} descriptors that clients should not have sent cannot be closed")]
    public static partial void TooManyDescriptors(this ILogger logger, int processId, int descriptorCount);

    [LoggerMessage(113, LogLevel.Warning, "Interrupts are signalled by write(2): the system has no asynchronous I/O left (io_setup(2), /proc/sys/fs/aio-max-nr), so a hostile client can hold an engine up")]
    public static partial void SignalsMayWait(this ILogger logger);

    [LoggerMessage(110, LogLevel.Warning, "Connection of process {ProcessId} refused: neither user {UserId} nor group {GroupId} is allowed")]
    public static partial void NotAllowed(this ILogger logger, int processId, uint userId, uint groupId);

    [LoggerMessage(106, LogLevel.Warning, "Connections cannot be accepted for a while: {Reason}")]
    public static partial void AcceptFailed(this ILogger logger, string reason);

    [LoggerMessage(107, LogLevel.Debug, "Client {Client}: {Command} refused: {Reason}")]
    public static partial void CommandRefused(this ILogger logger, long client, string command, string reason);

    [LoggerMessage(108, LogLevel.Error, "Client {Client}: {Command} failed in a way that nobody foresaw; the client is disconnected")]
    public static partial void CommandFailed(this ILogger logger, long client, string command, Exception failure);

    [LoggerMessage(109, LogLevel.Information, "Closed {Path}: {ConnectionCount} clients disconnected")]
    public static partial void Closed(this ILogger logger, string path, int connectionCount);
}
