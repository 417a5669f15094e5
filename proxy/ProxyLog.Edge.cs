namespace WarpProxy;

/// <summary>Of connections before, or without, TLS of our own.</summary>
internal static partial class ProxyLog
{
    [LoggerMessage(80, LogLevel.Debug, "Connection {ConnectionId} closed: {Sender} is not trusted to send the PROXY protocol")]
    public static partial void SenderNotTrusted(this ILogger logger, string connectionId, string sender);

    [LoggerMessage(81, LogLevel.Debug, "Connection {ConnectionId} closed: no whole PROXY protocol header within {Seconds} s")]
    public static partial void ProxyHeaderTimedOut(this ILogger logger, string connectionId, double seconds);

    [LoggerMessage(82, LogLevel.Debug, "Connection {ConnectionId} closed: its first bytes are no PROXY protocol header, or a wrong one")]
    public static partial void ProxyHeaderMalformed(this ILogger logger, string connectionId);

    [LoggerMessage(83, LogLevel.Debug, "Connection {ConnectionId} passed through to {Upstream}")]
    public static partial void PassedThrough(this ILogger logger, string connectionId, string upstream);

    [LoggerMessage(84, LogLevel.Debug, "Connection {ConnectionId} closed: {Upstream} was not reached: {Reason}")]
    public static partial void UpstreamNotReached(this ILogger logger, string connectionId, string upstream, string reason);

    [LoggerMessage(85, LogLevel.Debug, "Connection {ConnectionId} passed through to {Upstream} ended: {Reason}")]
    public static partial void PassthroughEnded(this ILogger logger, string connectionId, string upstream, string reason);
}
