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

    [LoggerMessage(19, LogLevel.Information, "Metrics at {Url}/metrics")]
    public static partial void MetricsServing(this ILogger logger, string url);

    [LoggerMessage(31, LogLevel.Information, "Operators show the changed token in {File} from now on")]
    public static partial void AdminTokenChanged(this ILogger logger, string file);

    [LoggerMessage(32, LogLevel.Error, "Changed admin token not taken, the old one stays in force: {Problem}")]
    public static partial void AdminTokenKept(this ILogger logger, string problem);

    [LoggerMessage(33, LogLevel.Information, "See it live at {Url}/")]
    public static partial void LiveServing(this ILogger logger, string url);

    [LoggerMessage(34, LogLevel.Error, "The live page could not be told how the proxy is; it goes on with what it knows")]
    public static partial void LiveLookFailed(this ILogger logger, Exception exception);

    [LoggerMessage(5, LogLevel.Information, "No route in section ReverseProxy: the built-in demo upstream at {Url} answers")]
    public static partial void DemoServing(this ILogger logger, string url);

    [LoggerMessage(6, LogLevel.Information, "Development certificate made; clients trust it with: curl --cacert {File} {Url}")]
    public static partial void DevelopmentCertificateMade(this ILogger logger, string file, string url);

    [LoggerMessage(7, LogLevel.Information, "Development certificate; clients trust it with: curl --cacert {File} {Url}")]
    public static partial void DevelopmentCertificateUsed(this ILogger logger, string file, string url);

    [LoggerMessage(8, LogLevel.Warning, "Development certificate in {Directory} not used again ({Reason}): a new one was made")]
    public static partial void DevelopmentCertificateReplaced(this ILogger logger, string directory, string reason);

    [LoggerMessage(9, LogLevel.Warning, "Certificate {Name} ({Subject}) expired on {NotAfter:yyyy-MM-dd}; clients will refuse it")]
    public static partial void CertificateExpired(this ILogger logger, string name, string subject, DateTimeOffset notAfter);

    [LoggerMessage(10, LogLevel.Warning, "Certificate {Name} ({Subject}) is not valid before {NotBefore:yyyy-MM-dd HH:mm}Z; clients will refuse it")]
    public static partial void CertificateNotYetValid(this ILogger logger, string name, string subject, DateTimeOffset notBefore);

    [LoggerMessage(11, LogLevel.Information, "Operations since the last line: {Operations}")]
    public static partial void OperationsReported(this ILogger logger, string operations);

    [LoggerMessage(12, LogLevel.Information, "Draining for at most {Seconds} s; a second signal ends at once")]
    public static partial void Draining(this ILogger logger, double seconds);

    [LoggerMessage(15, LogLevel.Warning, "Connections cut off, since they had not ended after {Seconds} s: {Count}")]
    public static partial void ConnectionsCut(this ILogger logger, double seconds, int count);

    [LoggerMessage(13, LogLevel.Information, "Stopped")]
    public static partial void Stopped(this ILogger logger);

    [LoggerMessage(14, LogLevel.Error, "Changed files of the {What} could not be used; the old ones stay in force")]
    public static partial void ReloadFailed(this ILogger logger, Exception exception, string what);

    [LoggerMessage(17, LogLevel.Error, "A task failed, and nobody looked: a defect of the proxy")]
    public static partial void FailureUnobserved(this ILogger logger, Exception exception);

    [LoggerMessage(16, LogLevel.Critical, "Nothing more is accepted on {Url}")]
    public static partial void ListenerFailed(this ILogger logger, Exception exception, string url);

    [LoggerMessage(91, LogLevel.Information, "Configuration reloaded from {File}: {Changes}")]
    public static partial void ConfigurationReloaded(this ILogger logger, string file, string changes);

    [LoggerMessage(92, LogLevel.Information, "Configuration read again from {File}: nothing has changed")]
    public static partial void ConfigurationUnchanged(this ILogger logger, string file);

    [LoggerMessage(93, LogLevel.Warning, "Changed settings that wait for a restart: {Settings}")]
    public static partial void RestartNeeded(this ILogger logger, string settings);

    [LoggerMessage(94, LogLevel.Error, "Configuration refused, the one before stays in force: {Problems}")]
    public static partial void ConfigurationRefused(this ILogger logger, string problems);

    [LoggerMessage(40, LogLevel.Information, "Session tickets: {Count} keys from {Source}; {Name} encrypts")]
    public static partial void TicketKeysRead(this ILogger logger, int count, string source, string name);

    [LoggerMessage(41, LogLevel.Error, "Ticket keys stay as they were: {Reason}")]
    public static partial void TicketKeysRefused(this ILogger logger, string reason);

    [LoggerMessage(60, LogLevel.Information, "OCSP response for {Subject} from {File}, valid {End}")]
    public static partial void OcspResponseLoaded(this ILogger logger, string subject, string file, string end);

    [LoggerMessage(61, LogLevel.Warning, "OCSP response not taken: {Problem}")]
    public static partial void OcspResponseRefused(this ILogger logger, string problem);

    [LoggerMessage(62, LogLevel.Warning, "OCSP response for {Subject} in {File} expired on {End:yyyy-MM-dd HH:mm}Z; it is not stapled until a new one is there")]
    public static partial void OcspResponseExpired(this ILogger logger, string subject, string file, DateTimeOffset end);

    [LoggerMessage(63, LogLevel.Warning, "Certificate {Subject} from {File} asks to be refused without an OCSP response (must-staple), and there is no valid one")]
    public static partial void StapleMissing(this ILogger logger, string subject, string file);

    [LoggerMessage(64, LogLevel.Warning, "Certificate {Subject} is revoked, says the OCSP response in {File}, which is stapled: clients that read it will refuse the certificate")]
    public static partial void CertificateRevoked(this ILogger logger, string subject, string file);

    [LoggerMessage(65, LogLevel.Information, "Clients are verified with the changed CA file {CaFile} and CRL file {CrlFile}")]
    public static partial void ClientTrustLoaded(this ILogger logger, string caFile, string crlFile);

    [LoggerMessage(66, LogLevel.Warning, "Changed files for client certificates not taken, the old ones stay in force: {Problem}")]
    public static partial void ClientTrustKept(this ILogger logger, string problem);

    [LoggerMessage(67, LogLevel.Warning, "Authority {Subject} has no revocation list in {File}: every client with a certificate of it is refused")]
    public static partial void AuthorityWithoutRevocationList(this ILogger logger, string subject, string file);

    [LoggerMessage(68, LogLevel.Warning, "Authority {Subject} in {File} expired on {End:yyyy-MM-dd}: every client with a certificate of it is refused")]
    public static partial void AuthorityExpired(this ILogger logger, string subject, string file, DateTimeOffset end);

    [LoggerMessage(69, LogLevel.Warning, "Revocation list of {Issuer} in {File} expired on {End:yyyy-MM-dd HH:mm}Z: every client with a certificate of that authority is refused until a new one is there")]
    public static partial void RevocationListExpired(this ILogger logger, string issuer, string file, DateTimeOffset end);

    [LoggerMessage(29, LogLevel.Debug, "Connection {ConnectionId}: client certificate refused ({Reason}): {Failure}")]
    public static partial void ClientCertificateRefused(this ILogger logger, string connectionId, string reason, TlsFailure failure);

    [LoggerMessage(18, LogLevel.Information, "Listener {Listener} is without {Suites}, which {Library} does not have")]
    public static partial void SuitesMissing(this ILogger logger, string listener, string library, string suites);

    [LoggerMessage(50, LogLevel.Information, "Certificates loaded: {Count}, in {Seconds:0.000} s")]
    public static partial void CertificatesLoaded(this ILogger logger, int count, double seconds);

    [LoggerMessage(51, LogLevel.Information, "Certificates that were new or had changed: {Changed} of {Count}, loaded in {Seconds:0.000} s")]
    public static partial void CertificatesReloaded(this ILogger logger, int changed, int count, double seconds);

    [LoggerMessage(52, LogLevel.Error, "Certificate {Name} refused, an earlier one stays in use: {Reason}")]
    public static partial void CertificateRefused(this ILogger logger, string name, string reason);

    [LoggerMessage(56, LogLevel.Error, "Certificate {Name} refused: {Reason}")]
    public static partial void NewCertificateRefused(this ILogger logger, string name, string reason);

    [LoggerMessage(53, LogLevel.Error, "Certificates refused besides these: {Count}")]
    public static partial void MoreCertificatesRefused(this ILogger logger, int count);

    [LoggerMessage(54, LogLevel.Warning, "Certificate {Name} ({Subject}) ends on {NotAfter:yyyy-MM-dd HH:mm}Z")]
    public static partial void CertificateEndsSoon(this ILogger logger, string name, string subject, DateTimeOffset notAfter);

    [LoggerMessage(55, LogLevel.Warning, "Certificates that end soon, or are not valid, besides these: {Count}")]
    public static partial void MoreCertificatesEnd(this ILogger logger, int count);

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

    [LoggerMessage(30, LogLevel.Debug, "Connection {ConnectionId} closed: {Reason}")]
    public static partial void HandshakeImpossible(this ILogger logger, string connectionId, string reason);

    [LoggerMessage(25, LogLevel.Debug, "Connection {ConnectionId} closed: no handshake within {Seconds} s")]
    public static partial void HandshakeTimedOut(this ILogger logger, string connectionId, double seconds);

    [LoggerMessage(26, LogLevel.Debug, "Connection {ConnectionId}: the client left during the handshake")]
    public static partial void HandshakeAbandoned(this ILogger logger, string connectionId);

    [LoggerMessage(27, LogLevel.Debug, "Connection {ConnectionId} failed: {Failure}")]
    public static partial void TlsFailed(this ILogger logger, string connectionId, TlsFailure failure);

    [LoggerMessage(28, LogLevel.Debug, "Connection {ConnectionId}: the client closed without close_notify")]
    public static partial void StreamTruncated(this ILogger logger, string connectionId);

    [LoggerMessage(95, LogLevel.Error, "A signature that {First} computed was not what the other path computed of the same bytes; one of the two is wrong")]
    public static partial void ShadowMismatched(this ILogger logger, string first);

    [LoggerMessage(90, LogLevel.Warning, "{Shortage}")]
    public static partial void LockedMemoryShort(this ILogger logger, string shortage);

    [LoggerMessage(23, LogLevel.Debug, "Threads do not run as SCHED_BATCH: {Reason}")]
    public static partial void BatchSchedulingRefused(this ILogger logger, string reason);

    // Of connections before, or without, TLS of our own.
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
