using System.ComponentModel.DataAnnotations;

namespace WarpProxy.Telemetry;

/// <summary>How traces and metrics are sent: the protocols of OTLP, the OpenTelemetry protocol.</summary>
internal enum OtlpProtocol
{
    /// <summary>gRPC, usually port 4317.</summary>
    Grpc,

    /// <summary>Protocol buffers over HTTP, usually port 4318.</summary>
    HttpProtobuf,
}

/// <summary>Section <c>Telemetry</c>: what is told of the proxy's work, and to whom. The variables <c>OTEL_*</c> of OpenTelemetry are heard where nothing stands here.</summary>
internal sealed record TelemetryOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Telemetry";

    /// <summary>Whether metrics are kept: those of <c>GET /metrics</c>, and those that are sent.</summary>
    public bool Metrics { get; init; } = true;

    /// <summary>URL of a collector that takes OTLP, such as <c>http://127.0.0.1:4317</c>; left out, and without <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, nothing is sent and no trace is made.</summary>
    public string? Endpoint { get; init; }

    /// <summary>How the collector is spoken to: <c>grpc</c> or <c>httpProtobuf</c>; left out: as <c>OTEL_EXPORTER_OTLP_PROTOCOL</c> says, or grpc.</summary>
    public OtlpProtocol? Protocol { get; init; }

    /// <summary>Headers for the collector, <c>name=value</c>, separated by commas.</summary>
    public string? Headers { get; init; }

    /// <summary>Share of the connections that are traced, 0 to 1, with all that happens on them; left out: as <c>OTEL_TRACES_SAMPLER_ARG</c> says, or 0.1.</summary>
    public double? Sampling { get; init; }

    /// <summary>Whether a request whose sender traces it (<c>traceparent</c>, W3C Trace Context) is traced whatever the share is. Any client can send that: only for senders one knows.</summary>
    public bool TrustParents { get; init; }

    /// <summary>What this proxy is called in traces and metrics; left out: as <c>OTEL_SERVICE_NAME</c> says, or <c>warpproxy</c>.</summary>
    public string? ServiceName { get; init; }

    /// <summary>How often metrics are sent.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(15);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Endpoint is not null && (!Uri.TryCreate(Endpoint, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https")))
        {
            yield return new($"Telemetry:Endpoint is '{Endpoint}'; it must be a URL with http or https.", [nameof(Endpoint)]);
        }

        if (Sampling is { } sampling && !(sampling is >= 0 and <= 1))
        {
            yield return new(FormattableString.Invariant($"Telemetry:Sampling is {sampling}; it must be between 0 and 1."), [nameof(Sampling)]);
        }

        if (ServiceName is not null && string.IsNullOrWhiteSpace(ServiceName))
        {
            yield return new($"Telemetry:ServiceName is '{ServiceName}'; it must have a letter, or be left out.", [nameof(ServiceName)]);
        }

        if (Interval < TimeSpan.FromSeconds(1) || Interval > TimeSpan.FromHours(1))
        {
            yield return new($"Telemetry:Interval is {Interval:c}; it must be between 00:00:01 and 01:00:00.", [nameof(Interval)]);
        }
    }
}
