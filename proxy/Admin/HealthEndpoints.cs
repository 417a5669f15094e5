using WarpProxy.Telemetry;

namespace WarpProxy.Admin;

/// <summary>What machines ask: Prometheus, and whoever starts the process, stops it and sends it clients.</summary>
internal static class HealthEndpoints
{
    /// <summary>The most connections to a listener of operators at once: many more than pages, scrapes and probes need.</summary>
    public const int MaxConnections = 256;

    /// <summary>Whether the process is well: it serves, or ends in order.</summary>
    public const string Health = "/healthz";

    /// <summary>Whether clients should be sent here, and which path is live.</summary>
    public const string Ready = "/readyz";

    /// <summary>Adds <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c>.</summary>
    public static void MapTo(WebApplication application, PrometheusPage metrics, Func<Readiness> read)
    {
        application.MapGet("/metrics", async () => Results.Text(await metrics.WriteAsync(), PrometheusPage.ContentType));
        application.MapGet(Health, () => read().State is var state && state == Readiness.Starting
            ? Results.Text("starting\n", statusCode: StatusCodes.Status503ServiceUnavailable)
            : Results.Text($"{state}\n"));
        application.MapGet(Ready, () => read() is var readiness && readiness.State == Readiness.Serving
            ? Results.Json(readiness)
            : Results.Json(readiness, statusCode: StatusCodes.Status503ServiceUnavailable));
    }
}
