using WarpProxy.Configuration;
using WarpProxy.Hosting;
using WarpProxy.Telemetry;

namespace WarpProxy.Admin;

/// <summary>What operators ask: <c>GET /status</c>, <c>GET /metrics</c> and <c>GET /healthz</c>, on a listener of their own that knows no route of the proxy.</summary>
internal sealed class AdminListener : IAsyncDisposable
{
    private readonly WebApplication _application;
    private volatile bool _isServing;

    /// <summary>Prepares it; <see cref="StartAsync"/> opens the port.</summary>
    public AdminListener(ListenAddress address, Func<StatusDocument> readStatus, PrometheusPage metrics, ILoggerFactory loggers)
    {
        WebApplicationBuilder builder = BareHost.CreateBuilder(loggers);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            address.Listen(kestrel, _ => { });
        });
        _application = builder.Build();
        _application.MapGet("/status", () => Results.Json(readStatus()));
        _application.MapGet("/metrics", () => Results.Text(metrics.Write(), PrometheusPage.ContentType));
        _application.MapGet("/healthz", () => _isServing ? Results.Text("serving\n") : Results.Text("not serving\n", statusCode: StatusCodes.Status503ServiceUnavailable));
    }

    /// <summary>What <c>/healthz</c> says: 200 while true, else 503.</summary>
    public bool IsServing
    {
        get => _isServing;
        set => _isServing = value;
    }

    /// <summary>The URL with the port that was bound.</summary>
    public string Url => _application.Urls.First();

    /// <summary>Opens the port.</summary>
    public Task StartAsync() => _application.StartAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
