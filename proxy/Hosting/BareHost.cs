namespace WarpProxy.Hosting;

/// <summary>Makes the web hosts inside the process: Kestrel, and nothing that the machine's environment or a stray appsettings.json would add.</summary>
internal static class BareHost
{
    /// <summary>A builder without configuration, whose logs go to <paramref name="loggers"/>.</summary>
    public static WebApplicationBuilder CreateBuilder(ILoggerFactory loggers)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRouting();
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        return builder;
    }

    /// <summary>Signals belong to the process, which has several hosts; so no host listens to them.</summary>
    private sealed class SilentLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
