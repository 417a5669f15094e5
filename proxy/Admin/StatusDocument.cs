using System.Text.Json;
using WarpDrive.Driver.Paths;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Certificates;
using WarpProxy.Offload;
using WarpProxy.Passthrough;
using WarpProxy.ProxyProtocol;
using WarpProxy.Tls;

namespace WarpProxy.Admin;

/// <summary>The answer to <c>GET /status</c>. Names in JSON are these in camelCase; <c>fallback</c> and <c>refusedClientCertificates</c> are keyed by reason in
/// snake_case.</summary>
internal sealed record StatusDocument(
    OperationSnapshot Operations,
    IReadOnlyList<DeviceSnapshot> Devices,
    LeakStatus Leaks,
    HandshakeStatus Handshakes,
    ResumptionStatus Resumption,
    ProxyProtocolStatus ProxyProtocol,
    IReadOnlyList<PassthroughStatus> Passthrough)
{
    /// <summary><c>starting</c>, <c>serving</c> or <c>draining</c>.</summary>
    public string State { get; init; } = "starting";

    /// <summary>What became of changed configurations.</summary>
    public ConfigurationStatus? Configuration { get; init; }

    /// <summary>What the path <c>auto</c> expects of each path now, by key size, and what was measured of the devices.</summary>
    public IReadOnlyList<PathStatus> Paths { get; init; } = [];

    /// <summary>Certificates; null before they are loaded.</summary>
    public CertificateStatus? Certificates { get; init; }

    /// <summary>Connections of clients; null where nothing listens.</summary>
    public ConnectionStatus? Connections { get; init; }

    /// <summary>Reads everything else; the numbers are each right, but not of one instant.</summary>
    public static StatusDocument Read(
        Accelerator accelerator,
        HandshakeLanes lanes,
        HandshakeCounters counters,
        ProxyProtocolCounters proxyProtocol,
        IEnumerable<PassthroughRoute> passthrough) => new(
        accelerator.Operations,
        accelerator.Devices,
        new LeakStatus(accelerator.SlotsInUse, accelerator.OperationsInFlight, lanes.BusyCount, accelerator.QueuesInUse),
        new HandshakeStatus(
            counters.CompletedCount,
            lanes.WaitingCount,
            counters.NotTlsCount,
            counters.ClientHelloTimeoutCount,
            counters.TimeoutCount,
            counters.ClientHelloTooLongCount,
            counters.UnknownNameCount,
            counters.RefusedCount(LaneRefusal.QueueFull),
            counters.RefusedCount(LaneRefusal.WaitTimeout),
            Enum.GetValues<TlsCertificateRefusal>()
                .Where(reason => counters.RefusedCount(reason) > 0)
                .ToDictionary(static reason => JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.ToString()), counters.RefusedCount)),
        new ResumptionStatus(
            counters.ResumedCount,
            counters.FullCount,
            counters.ResumedWithOldKeyCount,
            counters.ResumedWithNextKeyCount,
            counters.UnknownTicketKeyCount,
            counters.RefusedTicketCount),
        ProxyProtocolStatus.Read(proxyProtocol),
        [.. passthrough.Select(PassthroughStatus.Read)])
    {
        Paths = accelerator.Paths,
    };
}

/// <summary>What must be zero when nothing is under way.</summary>
internal sealed record LeakStatus(int SlotsInUse, int OperationsInFlight, int LanesBusy, int QueuesInUse = 0);

/// <summary>Handshakes since the start; <c>Waiting</c> is of now.</summary>
internal sealed record HandshakeStatus(
    long Completed, int Waiting, long NotTls, long ClientHelloTimeout, long Timeout, long ClientHelloTooLong, long UnknownName, long RefusedQueueFull, long RefusedWaitTimeout,
    IReadOnlyDictionary<string, long> RefusedClientCertificates);

/// <summary>
/// Completed handshakes since the start, resumed and full. Of the resumed ones, those with tickets of an old or of the next key; of the full ones, those of
/// clients that showed a ticket: of an unknown key, or refused although the key is known.
/// </summary>
internal sealed record ResumptionStatus(long Resumed, long Full, long OldKey, long NextKey, long UnknownKey, long RefusedTicket);
