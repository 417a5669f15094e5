using Microsoft.AspNetCore.Connections;
using WarpProxy.Admission;

namespace WarpProxy.Hosting;

/// <summary>Makes the web hosts inside the process: Kestrel, and nothing that the machine's environment or a stray appsettings.json would add.</summary>
internal static class BareHost
{
    // As Kestrel's own has it.
    private const int Backlog = 512;

    /// <summary>A builder without configuration, whose logs go to <paramref name="loggers"/>.</summary>
    public static WebApplicationBuilder CreateBuilder(ILoggerFactory loggers)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();

        // Of several, Kestrel takes the one that was added last: this, if nothing else is added.
        builder.Services.AddSingleton<IConnectionListenerFactory>(
            services => new AdmissionTransport(Backlog, services.GetRequiredService<IMemoryPoolFactory<byte>>(), TimeProvider.System, loggers));
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
