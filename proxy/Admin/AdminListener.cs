using WarpProxy.Configuration;
using WarpProxy.Hosting;
using WarpProxy.Live;
using WarpProxy.Telemetry;

namespace WarpProxy.Admin;

/// <summary>
/// What operators ask: the live page, <c>/status</c>, <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c>, on a listener of their own that knows no route of the
/// proxy.
/// </summary>
internal sealed class AdminListener : IAsyncDisposable
{
    // More than any token in a form.
    private const int MaxRequestBytes = 16 * 1024;

    private readonly WebApplication _application;

    /// <summary>Prepares it; <see cref="StartAsync"/> opens the port.</summary>
    /// <param name="address">Where.</param>
    /// <param name="token">What operators must show; null: nothing.</param>
    /// <param name="readStatus">Of <c>/status</c>.</param>
    /// <param name="readReadiness">Of <c>/healthz</c> and <c>/readyz</c>.</param>
    /// <param name="metrics">Of <c>/metrics</c>.</param>
    /// <param name="live">Of the live page.</param>
    /// <param name="loggers">For Kestrel.</param>
    public AdminListener(
        ListenAddress address,
        AdminToken? token,
        Func<StatusDocument> readStatus,
        Func<Readiness> readReadiness,
        PrometheusPage metrics,
        LiveSampler live,
        ILoggerFactory loggers)
    {
        WebApplicationBuilder builder = BareHost.CreateBuilder(loggers);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = HealthEndpoints.MaxConnections;
            kestrel.Limits.MaxRequestBodySize = MaxRequestBytes;
            address.Listen(kestrel, _ => { });
        });
        _application = builder.Build();
        _application.Use(static (context, next) =>
        {
            context.Response.Headers.XContentTypeOptions = "nosniff";
            context.Response.Headers["Referrer-Policy"] = "no-referrer";        // an address may have the token in it
            context.Response.Headers.CacheControl = "no-store";
            return next(context);
        });
        if (token is not null)
        {
            _application.Use(new AdminAccess(token).InvokeAsync);
        }

        _application.UseRouting();
        _application.MapGet("/status", () => Results.Json(readStatus()));
        _application.MapGet("/live", context => LiveStream.ServeAsync(context, live));
        PageFiles.MapTo(_application);
        HealthEndpoints.MapTo(_application, metrics, readReadiness);
    }

    /// <summary>The URL with the port that was bound.</summary>
    public string Url => _application.Urls.First();

    /// <summary>Opens the port.</summary>
    public Task StartAsync() => _application.StartAsync();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
