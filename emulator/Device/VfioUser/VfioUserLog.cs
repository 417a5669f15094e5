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

    [LoggerMessage(105, LogLevel.Warning, "Connection refused: {ConnectionCount} are open, the most allowed")]
    public static partial void TooManyConnections(this ILogger logger, int connectionCount);

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
