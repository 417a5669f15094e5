using Microsoft.AspNetCore.Connections;
using WarpProxy.Admission;
using WarpProxy.Http;
using WarpProxy.Tls;

namespace WarpProxy.Listeners;

/// <summary>What a listener does with the connections that it accepts from now on. With another configuration it has another one; it never changes itself.</summary>
/// <param name="Listener">As configured.</param>
/// <param name="Tls">Null for http.</param>
/// <param name="Http">Null when nothing is to be done.</param>
internal sealed record ListenerState(Listener Listener, TlsEndpoint? Tls, HttpPolicy? Http)
{
    /// <summary>Puts together what a connection goes through, the outermost first.</summary>
    /// <param name="addProxyProtocol">Adds the PROXY protocol, where it is on.</param>
    /// <param name="admission">Counts clients by their addresses.</param>
    /// <param name="serveTls">TLS, and what comes after it.</param>
    /// <param name="http">HTTP.</param>
    public ConnectionDelegate Compose(
        Action<Listener, IConnectionBuilder> addProxyProtocol,
        ListenerAdmission admission,
        Func<ConnectionContext, ConnectionDelegate, Task> serveTls,
        ConnectionDelegate http)
    {
        var connections = new ConnectionBuilder(NoServices.Instance);
        PlainAddresses.Configure(Listener, connections);
        addProxyProtocol(Listener, connections);
        admission.ConfigureClients(connections);
        Http?.Configure(connections);
        if (Tls is not null)
        {
            connections.Use(next => connection => serveTls(connection, next));
        }

        connections.Use(_ => http);
        return connections.Build();
    }

    private sealed class NoServices : IServiceProvider
    {
        public static readonly NoServices Instance = new();

        public object? GetService(Type serviceType) => null;
    }
}
