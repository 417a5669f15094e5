using System.Diagnostics.Metrics;
using WarpProxy.Admin;
using WarpProxy.Certificates;
using WarpProxy.Offload;

namespace WarpProxy.Telemetry;

/// <summary>
/// What <c>GET /status</c> tells, as metrics: read when they are collected, so that nothing is counted twice and nothing is done for them per operation.
/// </summary>
internal sealed class StatusMeters
{
    // Several instruments are read in one collection; the numbers of one moment will do for all.
    private static readonly TimeSpan Freshness = TimeSpan.FromMilliseconds(100);

    private static readonly string[] BreakerStateNames = ["closed", "open", "half_open"];
    private static readonly string[] StateNames = ["starting", "serving", "draining"];
    private static readonly string[] DeviceStateNames = [.. Enum.GetValues<WarpDrive.Driver.DeviceState>().Select(static state => state.ToString().ToLowerInvariant())];

    private static readonly string[] ShadowResults = ["matched", "mismatched", "failed", "dropped"];
    private static readonly string[] Reasons =
    [
        .. Enum.GetValues<WarpDrive.Driver.AcceleratorError>().Where(static error => error != WarpDrive.Driver.AcceleratorError.None)
            .Select(static error => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(error.ToString())),
        Accelerator.NotOnLane,
    ];

    private readonly Func<StatusDocument> _read;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private StatusDocument? _last;
    private long _readAt;

    private StatusMeters(Meter meter, Func<StatusDocument> read, Func<int> readLanes, TimeProvider time)
    {
        _read = read;
        _time = time;

        // Operations and handshakes.
        meter.CreateObservableCounter("warpproxy.operations", () => Operations(Status.Operations), "{operation}", "Private-key operations by the path that computed them.");
        meter.CreateObservableCounter("warpproxy.operation.fallbacks", () => ByReason(Status.Operations.Fallback), "{operation}", "Operations that software computed in place of a device, by reason.");
        meter.CreateObservableCounter("warpproxy.operation.failures", () => ByReason(Status.Operations.Failed), "{operation}", "Operations that nothing computed, by reason.");
        meter.CreateObservableCounter("warpproxy.operation.choices", () => Status.Operations.Choices.Select(static one => Of(one.Value, "decision", one.Key)), "{operation}", "What the path auto decided.");
        meter.CreateObservableCounter("warpproxy.shadow.operations", () => Shadows(Status.Operations.Shadow), "{operation}", "Signatures that the other path computed too, by what came of it.");
        meter.CreateObservableCounter("warpproxy.fault_check.failures", () => Status.Operations.Fallback.GetValueOrDefault("wrong_result"), "{operation}", "Results of devices that the public key proved wrong.");
        meter.CreateObservableUpDownCounter("warpproxy.operations.in_flight", () => Status.Leaks.OperationsInFlight, "{operation}", "Operations that a lane waits for now.");
        meter.CreateObservableUpDownCounter("warpproxy.slots.in_use", () => Status.Leaks.SlotsInUse, "{slot}", "Slots that belong to a device now, abandoned ones included.");
        meter.CreateObservableUpDownCounter("warpproxy.lanes.busy", () => Status.Leaks.LanesBusy, "{lane}", "Handshake lanes at work now.");
        meter.CreateObservableUpDownCounter("warpproxy.lanes.limit", readLanes, "{lane}", "Handshake lanes that there are.");
        meter.CreateObservableUpDownCounter("warpproxy.handshakes.waiting", () => Status.Handshakes.Waiting, "{handshake}", "Handshakes that wait for a lane now.");
        meter.CreateObservableCounter("warpproxy.handshakes.resumptions", () => Resumptions(Status.Resumption), "{handshake}", "Completed handshakes, full and resumed.");

        // Devices.
        meter.CreateObservableGauge("warpproxy.device.state", () => Status.Devices.SelectMany(States), null, "1 for the state that the device is in, 0 for the others.");
        meter.CreateObservableGauge("warpproxy.device.info", () => Status.Devices.Select(static device => new Measurement<int>(1, Tag("device", device.Uri), Tag("engine", device.Engine ?? ""))), null, "What computes in each device.");
        meter.CreateObservableUpDownCounter("warpproxy.device.queues", () => Status.Devices.Select(static device => Of(device.QueueCount, "device", device.Uri)), "{queue}", "Queue pairs that are open on each device.");
        meter.CreateObservableCounter("warpproxy.device.operations", () => Status.Devices.Select(static device => Of(device.Operations, "device", device.Uri)), "{operation}", "Operations that each device completed.");
        meter.CreateObservableCounter("warpproxy.device.cpu.time", () => Status.Devices.SelectMany(ProcessorTime), "s", "Processor time of the embedded device's engines, threads of this process; other devices compute elsewhere.");
        meter.CreateObservableGauge("warpproxy.breaker.state", () => Status.Devices.SelectMany(BreakerStates), null, "1 for the state that the circuit breaker of the device is in, 0 for the others.");
        meter.CreateObservableCounter("warpproxy.breaker.openings", () => Status.Devices.SelectMany(static device => device.Breaker.Openings.Select(one => new Measurement<long>(one.Value, Tag("device", device.Uri), Tag("reason", one.Key)))), "{opening}", "How often the circuit breaker of each device opened, by reason.");
        meter.CreateObservableCounter("warpproxy.breaker.probes", () => Status.Devices.SelectMany(Probes), "{probe}", "Probes of each device that are over, by result.");

        // Connections.
        meter.CreateObservableUpDownCounter("warpproxy.connections", () => Listeners.Select(static one => Of(one.Open, "listener", one.Name)), "{connection}", "Connections of clients that are open now.");
        meter.CreateObservableCounter("warpproxy.connections.accepted", () => Listeners.Select(static one => Of(one.Accepted, "listener", one.Name)), "{connection}", "Connections accepted.");
        meter.CreateObservableCounter("warpproxy.connections.refused", () => Refusals(Status.Connections), "{connection}", "Connections refused at once, by reason.");
        meter.CreateObservableCounter("warpproxy.connections.accept.pauses", () => Status.Connections?.Refused.GetValueOrDefault(ConnectionStatus.OpenFiles) ?? 0, "{pause}", "Pauses before more connections are accepted, because the process may open no more files.");
        meter.CreateObservableCounter("warpproxy.handshakes.refused", () => Refusals(Status.Handshakes), "{handshake}", "Handshakes that were not begun or not waited for, by reason.");
        meter.CreateObservableUpDownCounter("warpproxy.handshakes.active", () => Status.Connections?.Handshaking ?? 0, "{handshake}", "Handshakes under way now.");

        // The rest.
        meter.CreateObservableCounter("warpproxy.configuration.reloads", () => Reloads(Status.Configuration), "{reload}", "Changed configurations, by what became of them.");
        meter.CreateObservableGauge("warpproxy.configuration.refused", () => Status.Configuration is { IsFileRefused: true } ? 1 : 0, null, "1 while the file has a configuration that is refused, and an earlier one is in force; else 0.");
        meter.CreateObservableGauge("warpproxy.certificates", () => Certificates(Status.Certificates), "{certificate}", "Certificates by whether they are served.");
        meter.CreateObservableGauge("warpproxy.keys", () => Status.Certificates?.DeviceKeys ?? 0, "{key}", "Keys that devices may have.");
        meter.CreateObservableGauge("warpproxy.info", static () => new Measurement<int>(1, Tag("version", ProxyTelemetry.Version)), null, "This program.");
        meter.CreateObservableGauge("warpproxy.state", () => States(Status.State), null, "1 for the state that the proxy is in, 0 for the others.");
    }

    /// <summary>Makes the instruments.</summary>
    /// <param name="meter">Owns them.</param>
    /// <param name="read">What <c>GET /status</c> answers.</param>
    /// <param name="readLanes">Lanes that there are.</param>
    /// <param name="time">The clock.</param>
    public static StatusMeters AddTo(Meter meter, Func<StatusDocument> read, Func<int> readLanes, TimeProvider time) => new(meter, read, readLanes, time);

    /// <summary>The next one that asks gets the numbers of that moment. Any thread.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _last = null;
        }
    }

    private StatusDocument Status
    {
        get
        {
            lock (_gate)
            {
                if (_last is null || _time.GetElapsedTime(_readAt) > Freshness)
                {
                    _last = _read();
                    _readAt = _time.GetTimestamp();
                }

                return _last;
            }
        }
    }

    private IReadOnlyList<ListenerConnectionStatus> Listeners => Status.Connections?.Listeners ?? [];

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    private static Measurement<long> Of(long value, string tag, string tagValue) => new(value, Tag(tag, tagValue));

    private static IEnumerable<Measurement<long>> Operations(OperationSnapshot operations) =>
        [Of(operations.Device, "path", HandshakePath.Device), Of(operations.Software, "path", HandshakePath.Software)];

    /// <summary>All reasons, those that never were too: what begins with its first occurrence cannot be compared with before.</summary>
    private static IEnumerable<Measurement<long>> ByReason(IReadOnlyDictionary<string, long> counts) =>
        Reasons.Select(reason => Of(counts.GetValueOrDefault(reason), "reason", reason));

    private static IEnumerable<Measurement<long>> Shadows(IReadOnlyDictionary<string, long> counts) =>
        ShadowResults.Select(result => Of(counts.GetValueOrDefault(result), "result", result));

    private static IEnumerable<Measurement<long>> Resumptions(ResumptionStatus resumption) =>
        [Of(resumption.Full, "kind", "full"), Of(resumption.Resumed, "kind", "resumed")];

    private static IEnumerable<Measurement<int>> States(DeviceSnapshot device) =>
        DeviceStateNames.Select(state => new Measurement<int>(device.State == state ? 1 : 0, Tag("device", device.Uri), Tag("state", state)));

    private static IEnumerable<Measurement<int>> BreakerStates(DeviceSnapshot device) =>
        BreakerStateNames.Select(state => new Measurement<int>(device.Breaker.State == state ? 1 : 0, Tag("device", device.Uri), Tag("state", state)));

    private static IEnumerable<Measurement<double>> ProcessorTime(DeviceSnapshot device) =>
        device.ProcessorSeconds is { } seconds ? [new Measurement<double>(seconds, Tag("device", device.Uri))] : [];

    private static IEnumerable<Measurement<long>> Probes(DeviceSnapshot device) =>
    [
        new(device.Breaker.Probes.Good, Tag("device", device.Uri), Tag("result", "good")),
        new(device.Breaker.Probes.Bad, Tag("device", device.Uri), Tag("result", "bad")),
    ];

    /// <summary>Without the pauses: who waits for one is not refused.</summary>
    private static IEnumerable<Measurement<long>> Refusals(ConnectionStatus? connections) =>
        connections?.Refused.Where(static one => one.Key != ConnectionStatus.OpenFiles).Select(static one => Of(one.Value, "reason", one.Key)) ?? [];

    private static IEnumerable<Measurement<long>> Refusals(HandshakeStatus handshakes) =>
    [
        Of(handshakes.RefusedQueueFull, "reason", "queue_full"),
        Of(handshakes.RefusedWaitTimeout, "reason", "wait_timeout"),
        Of(handshakes.UnknownName, "reason", "unknown_name"),
        Of(handshakes.ClientHelloTimeout, "reason", "client_hello_timeout"),
        Of(handshakes.ClientHelloTooLong, "reason", "client_hello_too_long"),
        Of(handshakes.Timeout, "reason", "timeout"),
        Of(handshakes.NotTls, "reason", "not_tls"),
    ];

    private static IEnumerable<Measurement<long>> Reloads(ConfigurationStatus? configuration) =>
        [Of(configuration?.Reloads ?? 0, "result", "applied"), Of(configuration?.Refused ?? 0, "result", "refused")];

    private static IEnumerable<Measurement<long>> Certificates(CertificateStatus? certificates) =>
        [Of(certificates?.Count ?? 0, "state", "served"), Of(certificates?.Refused ?? 0, "state", "refused")];

    private static IEnumerable<Measurement<int>> States(string current) =>
        StateNames.Select(state => new Measurement<int>(current == state ? 1 : 0, Tag("state", state)));
}
