using Microsoft.AspNetCore.Connections;
using WarpProxy.Listeners;

namespace WarpProxy.ProxyProtocol;

/// <summary>Puts the PROXY protocol on those of Kestrel's endpoints that require it.</summary>
internal sealed class ProxyProtocolEndpoints(TimeSpan timeout, ProxyProtocolCounters counters, TimeProvider time, ILoggerFactory loggers)
{
    /// <summary>Puts it on the connections of a listener. To be called before anything else that reads is put on them: the header comes before all.</summary>
    public void Configure(Listener listener, IConnectionBuilder connections)
    {
        if (listener.Options.ProxyProtocol == ProxyProtocolMode.Required)
        {
            var middleware = new ProxyProtocolMiddleware(
                new TrustedNetworks(listener.Options.ProxyProtocolFrom), timeout, counters, time, loggers.CreateLogger<ProxyProtocolMiddleware>());
            connections.Use(next => connection => middleware.ServeAsync(connection, next));
        }
    }
}
