using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using WarpProxy.Configuration;
using WarpProxy.Hosting;
using WarpProxy.Live;

namespace WarpProxy.Telemetry;

/// <summary>
/// Traces and metrics of this process: their sources, and where they go. Without anybody to send traces to none is made; metrics are kept for
/// <c>GET /metrics</c>. Made at start, before what it watches.
/// </summary>
internal sealed class ProxyTelemetry : IDisposable
{
    /// <summary>Name of the proxy's own meter and of its source of traces.</summary>
    public const string SourceName = "WarpProxy";

    // Of those built into ASP.NET Core, YARP, HttpClient and the runtime.
    private const string RequestSource = "Microsoft.AspNetCore";
    private const double DefaultSampling = 0.1;

    // A part of the time that everything has to be released in.
    private static readonly TimeSpan EndTime = ShutdownBound.ReleaseTime / 2;

    private static readonly string[] OtherSources = [RequestSource, "Yarp.ReverseProxy", "System.Net.Http"];

    private static readonly string[] OtherMeters =
    [
        "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.Http.Connections", "Microsoft.AspNetCore.Routing",
        "Yarp.ReverseProxy", "System.Net.Http", "System.Net.NameResolution", "System.Runtime",
    ];

    private readonly MeterProvider? _metrics;
    private readonly TracerProvider? _traces;

    /// <summary>Opens nothing that is not asked for.</summary>
    /// <param name="options">The section.</param>
    /// <param name="environment">Reads a variable; null: there is none.</param>
    /// <exception cref="BadInputException">A variable has no URL where one belongs.</exception>
    public ProxyTelemetry(TelemetryOptions options, Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        ResourceBuilder resource = ResourceBuilder.CreateDefault()
            .AddService(options.ServiceName ?? (environment("OTEL_SERVICE_NAME") is { Length: > 0 } name ? name : "warpproxy"), serviceVersion: Version)
            .AddEnvironmentVariableDetector();
        bool sendsTraces = Sends(options, environment, "TRACES");
        bool sendsMetrics = Sends(options, environment, "METRICS");
        if (options.Metrics)
        {
            MeterProviderBuilder metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(SourceName).AddMeter(OtherMeters);
            metrics.AddReader(Prometheus.Reader);
            if (sendsMetrics)
            {
                metrics.AddOtlpExporter((otlp, reader) =>
                {
                    Configure(otlp, options, "v1/metrics", EndpointOf(environment, "METRICS"));
                    reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)options.Interval.TotalMilliseconds;
                });
            }

            _metrics = metrics.Build();
        }

        if (sendsTraces)
        {
            IsTracing = true;
            _traces = Sdk.CreateTracerProviderBuilder()
                .SetResourceBuilder(resource)
                .AddSource(SourceName)
                .AddSource(OtherSources)
                .SetSampler(new ConnectionSampler(Share(options, environment), options.TrustParents))
                .AddOtlpExporter(otlp => Configure(otlp, options, "v1/traces", EndpointOf(environment, "TRACES")))
                .Build();
        }

        Statistics = options.Metrics ? new HandshakeStatistics() : null;
        Handshakes = new HandshakeTelemetry(Meter, Source, Statistics);
    }

    /// <summary>Where every instrument of the proxy is made.</summary>
    public Meter Meter { get; } = new(SourceName, Version);

    /// <summary>Where every span of the proxy is made.</summary>
    public ActivitySource Source { get; } = new(SourceName, Version);

    /// <summary>What <c>GET /metrics</c> answers with; without metrics it is empty.</summary>
    public PrometheusPage Prometheus { get; } = new();

    /// <summary>Whether traces are made at all.</summary>
    public bool IsTracing { get; }

    /// <summary>What the live page shows of handshakes; null without metrics.</summary>
    public HandshakeStatistics? Statistics { get; }

    /// <summary>Handshakes and their private-key operations.</summary>
    public HandshakeTelemetry Handshakes { get; }

    /// <summary>Of this program, as <c>--version</c> says it.</summary>
    public static string Version { get; } =
        typeof(ProxyTelemetry).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    /// <summary>Sends what is left, for at most <see cref="EndTime"/>; nothing is sent after it.</summary>
    public async Task EndAsync()
    {
        int limit = (int)EndTime.TotalMilliseconds;
        try
        {
            // Side by side: a collector that hangs holds each of them up.
            await Task.WhenAll(Task.Run(() => _traces?.Shutdown(limit)), Task.Run(() => _metrics?.Shutdown(limit))).WaitAsync(EndTime);
        }
        catch (TimeoutException)
        {
            // Lost with the collector.
        }
    }

    /// <summary>Ends. After <see cref="EndAsync"/> it waits for nobody.</summary>
    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
        Prometheus.Dispose();
        Meter.Dispose();
        Source.Dispose();
    }

    private static bool Sends(TelemetryOptions options, Func<string, string?> environment, string signal) =>
        environment("OTEL_SDK_DISABLED") != "true"
        && environment($"OTEL_{signal}_EXPORTER") != "none"
        && (options.Endpoint ?? EndpointOf(environment, signal)?.OriginalString ?? environment("OTEL_EXPORTER_OTLP_ENDPOINT")) is { Length: > 0 };

    /// <summary>The endpoint of one signal alone; null: it has none.</summary>
    private static Uri? EndpointOf(Func<string, string?> environment, string signal)
    {
        string variable = $"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT";
        return environment(variable) is not { Length: > 0 } given ? null
            : Uri.TryCreate(given, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" ? url
            : throw new BadInputException($"{variable} is '{given}'; it must be a URL with http or https.");
    }

    private static double Share(TelemetryOptions options, Func<string, string?> environment)
    {
        if (options.Sampling is { } share)
        {
            return share;
        }

        string sampler = environment("OTEL_TRACES_SAMPLER") ?? "";
        return sampler.EndsWith("always_on", StringComparison.Ordinal) ? 1
            : sampler.EndsWith("always_off", StringComparison.Ordinal) ? 0
            : double.TryParse(environment("OTEL_TRACES_SAMPLER_ARG"), System.Globalization.CultureInfo.InvariantCulture, out double given) && given is >= 0 and <= 1 ? given
            : DefaultSampling;
    }

    /// <summary>What is not configured here, the exporter has from the environment.</summary>
    /// <param name="otlp">To be set.</param>
    /// <param name="options">The section.</param>
    /// <param name="path">Of the signal, after a collector's URL.</param>
    /// <param name="own">The signal's own endpoint, whose URL stands as it is (OpenTelemetry, "Endpoint URLs for OTLP/HTTP"); null: it has none.</param>
    private static void Configure(OtlpExporterOptions otlp, TelemetryOptions options, string path, Uri? own)
    {
        if (options.Protocol is { } protocol)
        {
            otlp.Protocol = protocol == OtlpProtocol.Grpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        }

        if (options.Endpoint is { } endpoint)
        {
            // The exporter adds the path only to what it has from the environment.
            otlp.Endpoint = otlp.Protocol == OtlpExportProtocol.Grpc ? new Uri(endpoint) : new Uri($"{endpoint.TrimEnd('/')}/{path}");
        }
        else if (own is not null)
        {
            otlp.Endpoint = own;
        }

        otlp.Headers = options.Headers ?? otlp.Headers;
    }
}
