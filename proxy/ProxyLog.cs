using WarpDrive.OpenSsl.Tls;

namespace WarpProxy;

/// <summary>Everything the proxy logs. Nothing per connection is above Debug: that is counted.</summary>
internal static partial class ProxyLog
{
    [LoggerMessage(1, LogLevel.Information, "Serving {Url}")]
    public static partial void Serving(this ILogger logger, string url);

    [LoggerMessage(2, LogLevel.Information, "Private-key operations go to {Devices}")]
    public static partial void Using(this ILogger logger, string devices);

    [LoggerMessage(3, LogLevel.Information, "Certificate {Subject}, {KeyDescription}, valid until {NotAfter:yyyy-MM-dd}, from {File}")]
    public static partial void CertificateLoaded(this ILogger logger, string subject, string keyDescription, DateTimeOffset notAfter, string file);

    [LoggerMessage(4, LogLevel.Information, "Status at {Url}/status")]
    public static partial void AdminServing(this ILogger logger, string url);

    [LoggerMessage(5, LogLevel.Information, "No route in section ReverseProxy: the built-in demo upstream at {Url} answers")]
    public static partial void DemoServing(this ILogger logger, string url);

    [LoggerMessage(6, LogLevel.Information, "Development certificate made; clients trust it with: curl --cacert {File} {Url}")]
    public static partial void DevelopmentCertificateMade(this ILogger logger, string file, string url);

    [LoggerMessage(7, LogLevel.Information, "Development certificate; clients trust it with: curl --cacert {File} {Url}")]
    public static partial void DevelopmentCertificateUsed(this ILogger logger, string file, string url);

    [LoggerMessage(8, LogLevel.Warning, "Development certificate in {Directory} not used again ({Reason}): a new one was made")]
    public static partial void DevelopmentCertificateReplaced(this ILogger logger, string directory, string reason);

    [LoggerMessage(9, LogLevel.Warning, "Certificate {Subject} expired on {NotAfter:yyyy-MM-dd}; clients will refuse it")]
    public static partial void CertificateExpired(this ILogger logger, string subject, DateTimeOffset notAfter);

    [LoggerMessage(10, LogLevel.Warning, "Certificate {Subject} is not valid before {NotBefore:yyyy-MM-dd HH:mm}Z; clients will refuse it")]
    public static partial void CertificateNotYetValid(this ILogger logger, string subject, DateTimeOffset notBefore);

    [LoggerMessage(11, LogLevel.Information, "Operations since the last line: {Operations}")]
    public static partial void OperationsReported(this ILogger logger, string operations);

    [LoggerMessage(12, LogLevel.Information, "Draining for at most {Seconds} s; a second signal ends at once")]
    public static partial void Draining(this ILogger logger, double seconds);

    [LoggerMessage(13, LogLevel.Information, "Stopped")]
    public static partial void Stopped(this ILogger logger);

    [LoggerMessage(14, LogLevel.Error, "Changed files of the {What} could not be used; the old ones stay in force")]
    public static partial void ReloadFailed(this ILogger logger, Exception exception, string what);

    [LoggerMessage(40, LogLevel.Information, "Session tickets: {Count} keys from {Source}; {Name} encrypts")]
    public static partial void TicketKeysRead(this ILogger logger, int count, string source, string name);

    [LoggerMessage(41, LogLevel.Error, "Ticket keys stay as they were: {Reason}")]
    public static partial void TicketKeysRefused(this ILogger logger, string reason);

    [LoggerMessage(70, LogLevel.Warning, "{File} in the working directory is not read: start with --config {File} if it is meant")]
    public static partial void ConfigurationFileNotRead(this ILogger logger, string file);

    [LoggerMessage(20, LogLevel.Debug, "Connection {ConnectionId} refused: {Reason}")]
    public static partial void LaneRefused(this ILogger logger, string connectionId, string reason);

    [LoggerMessage(21, LogLevel.Debug, "Connection {ConnectionId} closed: no whole ClientHello within {Seconds} s")]
    public static partial void ClientHelloTimedOut(this ILogger logger, string connectionId, double seconds);

    [LoggerMessage(22, LogLevel.Debug, "Connection {ConnectionId} closed: its ClientHello is longer than {MaxBytes} bytes, or in too many records")]
    public static partial void ClientHelloTooLong(this ILogger logger, string connectionId, int maxBytes);

    [LoggerMessage(24, LogLevel.Debug, "Connection {ConnectionId}: handshake failed: {Failure}")]
    public static partial void HandshakeFailed(this ILogger logger, string connectionId, TlsFailure failure);

    [LoggerMessage(25, LogLevel.Debug, "Connection {ConnectionId} closed: no handshake within {Seconds} s")]
    public static partial void HandshakeTimedOut(this ILogger logger, string connectionId, double seconds);

    [LoggerMessage(26, LogLevel.Debug, "Connection {ConnectionId}: the client left during the handshake")]
    public static partial void HandshakeAbandoned(this ILogger logger, string connectionId);

    [LoggerMessage(27, LogLevel.Debug, "Connection {ConnectionId} failed: {Failure}")]
    public static partial void TlsFailed(this ILogger logger, string connectionId, TlsFailure failure);

    [LoggerMessage(28, LogLevel.Debug, "Connection {ConnectionId}: the client closed without close_notify")]
    public static partial void StreamTruncated(this ILogger logger, string connectionId);

    [LoggerMessage(23, LogLevel.Debug, "Threads do not run as SCHED_BATCH: {Reason}")]
    public static partial void BatchSchedulingRefused(this ILogger logger, string reason);
}
