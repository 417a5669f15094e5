using WarpProxy.Offload;

namespace WarpProxy.Admin;

/// <summary>The answer to <c>GET /readyz</c>: whether clients should be sent here, and which path is live. JSON has these names in camelCase.</summary>
/// <param name="State"><c>starting</c>, <c>serving</c> or <c>draining</c>; ready is who serves.</param>
internal sealed record Readiness(string State)
{
    /// <summary>Before clients can connect.</summary>
    public const string Starting = "starting";

    /// <summary>Clients can connect.</summary>
    public const string Serving = "serving";

    /// <summary>What was begun is finished, and no more.</summary>
    public const string Draining = "draining";

    /// <summary>Where private-key operations can go now: <c>device</c>, or <c>software</c> alone; null when not ready.</summary>
    public string? Path { get; init; }

    /// <summary>Why, in words.</summary>
    public string? Reason { get; init; }

    /// <summary>What is told of a proxy.</summary>
    /// <param name="state">One of the above.</param>
    /// <param name="path"><c>Offload:Path</c>.</param>
    /// <param name="hasRsa">Whether any certificate has a key that devices compute with.</param>
    /// <param name="devices">As they are.</param>
    public static Readiness Of(string state, OffloadPath path, bool hasRsa, IReadOnlyList<DeviceSnapshot> devices)
    {
        if (state != Serving)
        {
            return new Readiness(state);
        }

        (string live, string reason) = (hasRsa, devices) switch
        {
            (false, _) => (Telemetry.HandshakePath.Software, "no certificate has an RSA key, and only those are offloaded"),
            (_, []) => (Telemetry.HandshakePath.Software, path == OffloadPath.Software ? "Offload:Path is software" : "Offload:Devices is none"),
            _ when devices.FirstOrDefault(static device => device.IsReady) is { } ready =>
                (Telemetry.HandshakePath.Device, $"{ready.Uri} is ready{(path == OffloadPath.Auto ? "; each operation goes where it is expected to be done first" : "")}"),
            _ => (Telemetry.HandshakePath.Software, string.Join(", ", devices.Select(static device => device.DescribeState()))),
        };
        return new Readiness(state) { Path = live, Reason = reason };
    }
}
