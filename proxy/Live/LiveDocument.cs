using WarpProxy.Admin;
using WarpProxy.Certificates;
using WarpProxy.Offload;
using WarpProxy.Telemetry;

namespace WarpProxy.Live;

/// <summary>What the page is sent every second. Names in JSON are these in camelCase.</summary>
/// <param name="Version">Of this program: a page of another one loads itself again.</param>
/// <param name="UptimeSeconds">Since the start.</param>
/// <param name="Readiness">Which path is live, and why.</param>
/// <param name="Path"><c>Offload:Path</c>, in lower case.</param>
/// <param name="IsMeasured">Whether metrics are kept at all (<c>Telemetry:Metrics</c>).</param>
/// <param name="Alarm">What somebody should look at now, in words; null: nothing.</param>
/// <param name="Verdict">Whether offloading pays.</param>
/// <param name="Sample">The last second, in the order of <see cref="LiveSample.ToRow"/>.</param>
internal sealed record LiveDocument(
    string Version, long UptimeSeconds, Readiness Readiness, string Path, bool IsMeasured, string? Alarm, Verdict Verdict, double?[] Sample)
{
    /// <summary>Both paths side by side.</summary>
    public required PathComparison Comparison { get; init; }

    /// <summary>Operations of the last minutes by the size of the batch that they were computed in; the first is of size 1.</summary>
    public required IReadOnlyList<long> Batches { get; init; }

    /// <summary>Every device.</summary>
    public required IReadOnlyList<LiveDevice> Devices { get; init; }

    /// <summary>Operations that software computed in place of a device.</summary>
    public required IReadOnlyList<ReasonCount> Fallbacks { get; init; }

    /// <summary>Connections and handshakes that were refused.</summary>
    public required IReadOnlyList<ReasonCount> Refusals { get; init; }

    /// <summary>What is under way now.</summary>
    public required LiveWork Work { get; init; }

    /// <summary>Those that end first.</summary>
    public required IReadOnlyList<LiveCertificate> Certificates { get; init; }

    /// <summary>Certificates that serve.</summary>
    public int CertificateCount { get; init; }

    /// <summary>Certificates whose files cannot be used.</summary>
    public int RefusedCertificateCount { get; init; }

    /// <summary>The slowest handshakes of the last minutes.</summary>
    public required IReadOnlyList<SlowHandshake> Slowest { get; init; }

    /// <summary>Puts it together.</summary>
    /// <param name="state">Of this moment.</param>
    /// <param name="window">What came in the last minutes.</param>
    /// <param name="total">What came since the start.</param>
    /// <param name="sample">The last second.</param>
    /// <param name="slowest">Of the last minutes.</param>
    /// <param name="now">The time.</param>
    /// <param name="uptime">Since the start.</param>
    /// <param name="isMeasured">Whether metrics are kept.</param>
    public static LiveDocument Of(
        LiveState state,
        StatisticsSnapshot window,
        StatisticsSnapshot total,
        in LiveSample sample,
        IReadOnlyList<SlowHandshake> slowest,
        DateTimeOffset now,
        TimeSpan uptime,
        bool isMeasured)
    {
        StatusDocument status = state.Status;
        var comparison = PathComparison.Of(window);
        string[] outside = [.. status.Devices.Where(static device => device.ProcessorSeconds is null).Select(static device => device.Uri)];
        Verdict verdict = isMeasured
            ? Verdict.Of(comparison, window.Others, state.Readiness, state.Path, outside)
            : new Verdict("none", "Nothing is measured: Telemetry:Metrics is false.", ["What is counted anyway is below."]);
        return new LiveDocument(
            ProxyTelemetry.Version, (long)uptime.TotalSeconds, state.Readiness, state.Path.ToString().ToLowerInvariant(), isMeasured, FindAlarm(state), verdict, sample.ToRow())
        {
            Comparison = comparison,
            Batches = window.Batches[1..],
            Devices = [.. status.Devices.Select(LiveDevice.Of)],
            Fallbacks = ReasonCount.Of(window.Fallbacks, total.Fallbacks),
            Refusals = ReasonCount.Of(window.Refusals, total.Refusals),
            Work = LiveWork.Of(status, state.Lanes),
            Certificates = [.. state.Certificates.Select(certificate => LiveCertificate.Of(certificate, now))],
            CertificateCount = status.Certificates?.Count ?? 0,
            RefusedCertificateCount = status.Certificates?.Refused ?? 0,
            Slowest = slowest,
        };
    }

    /// <summary>Refused connections and handshakes by reason.</summary>
    public static IReadOnlyDictionary<string, long> ReadRefusals(StatusDocument status)
    {
        var refusals = new Dictionary<string, long>(status.Connections?.Refused ?? new Dictionary<string, long>())
        {
            ["lane_queue_full"] = status.Handshakes.RefusedQueueFull,
            ["lane_wait_timeout"] = status.Handshakes.RefusedWaitTimeout,
            ["unknown_name"] = status.Handshakes.UnknownName,
            ["client_hello_timeout"] = status.Handshakes.ClientHelloTimeout,
            ["client_hello_too_long"] = status.Handshakes.ClientHelloTooLong,
            ["handshake_timeout"] = status.Handshakes.Timeout,
            ["not_tls"] = status.Handshakes.NotTls,
        };
        return refusals;
    }

    private static string Describe(DeviceSnapshot device) =>
        device.Breaker.State == "closed" ? device.DescribeState() : $"{device.DescribeState()}, circuit breaker {device.Breaker.State.Replace('_', ' ')}";

    private static string? FindAlarm(LiveState state) =>
        state.Readiness.State == Readiness.Draining ? "The proxy drains: it finishes what was begun, and takes no more."
        : state.Readiness.Path == HandshakePath.Software && state.Status.Devices.Count > 0 && state.Path != OffloadPath.Software && !state.Status.Devices.Any(static device => device.IsReady)
            ? $"Nothing is offloaded now: {string.Join(", ", state.Status.Devices.Select(Describe))}. Software computes, and no client notices."
        : null;
}

/// <summary>One device on the page.</summary>
internal sealed record LiveDevice(string Uri, string State, string? Engine, int Engines, int Queues, long Operations, string Breaker, string? Reason, string? Detail, double RetryInSeconds, long Openings)
{
    /// <summary>Of its status.</summary>
    public static LiveDevice Of(DeviceSnapshot device) => new(
        device.Uri,
        device.State,
        device.Engine,
        device.EngineCount,
        device.QueueCount,
        device.Operations,
        device.Breaker.State,
        device.Breaker.Reason,
        device.Breaker.Detail,
        device.Breaker.RetryInSeconds,
        device.Breaker.Openings.Values.Sum());
}

/// <summary>How often something happened for a reason.</summary>
/// <param name="Reason">In snake_case.</param>
/// <param name="Recent">In the last minutes.</param>
/// <param name="Total">Since the start.</param>
internal sealed record ReasonCount(string Reason, long Recent, long Total)
{
    /// <summary>Those that ever happened, the most frequent first.</summary>
    public static IReadOnlyList<ReasonCount> Of(IReadOnlyDictionary<string, long> recent, IReadOnlyDictionary<string, long> total) =>
    [
        .. total.Where(static one => one.Value > 0)
            .Select(one => new ReasonCount(one.Key, recent.GetValueOrDefault(one.Key), one.Value))
            .OrderByDescending(static one => one.Recent).ThenByDescending(static one => one.Total),
    ];
}

/// <summary>What is under way now, and the most that there may be.</summary>
internal sealed record LiveWork(
    int OperationsInFlight, int SlotsInUse, int LanesBusy, int Lanes, int Waiting, int Handshaking, int MaxHandshakes, int Connections, int MaxConnections)
{
    /// <summary>Of the status.</summary>
    public static LiveWork Of(StatusDocument status, int lanes) => new(
        status.Leaks.OperationsInFlight,
        status.Leaks.SlotsInUse,
        status.Leaks.LanesBusy,
        lanes,
        status.Handshakes.Waiting,
        status.Connections?.Handshaking ?? 0,
        status.Connections?.MaxHandshakes ?? 0,
        status.Connections?.Open ?? 0,
        status.Connections?.MaxConnections ?? 0);
}

/// <summary>A certificate on the page.</summary>
/// <param name="Name">In the configuration.</param>
/// <param name="Subject">What it says.</param>
/// <param name="NotAfter">When it ends.</param>
/// <param name="Days">Until then; negative when it has.</param>
internal sealed record LiveCertificate(string Name, string Subject, DateTimeOffset NotAfter, double Days)
{
    /// <summary>At a moment.</summary>
    public static LiveCertificate Of(CertificateEnd certificate, DateTimeOffset now) =>
        new(certificate.Name, certificate.Subject, certificate.NotAfter, Math.Round((certificate.NotAfter - now).TotalDays, 1));
}
