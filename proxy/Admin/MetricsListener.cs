using WarpProxy.Configuration;
using WarpProxy.Hosting;
using WarpProxy.Telemetry;

namespace WarpProxy.Admin;

/// <summary>A listener for Prometheus and for probes alone, without a token: <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c>.</summary>
internal sealed class MetricsListener : IAsyncDisposable
{
    private readonly WebApplication _application;

    /// <summary>Prepares it; <see cref="StartAsync"/> opens the port.</summary>
    public MetricsListener(ListenAddress address, Func<Readiness> readReadiness, PrometheusPage metrics, ILoggerFactory loggers)
    {
        WebApplicationBuilder builder = BareHost.CreateBuilder(loggers);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = HealthEndpoints.MaxConnections;
            address.Listen(kestrel, _ => { });
        });
        _application = builder.Build();
        HealthEndpoints.MapTo(_application, metrics, readReadiness);
    }

    /// <summary>The URL with the port that was bound.</summary>
    public string Url => _application.Urls.First();

    /// <summary>Opens the port.</summary>
    public Task StartAsync() => _application.StartAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
