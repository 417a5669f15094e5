using Microsoft.AspNetCore.Server.Kestrel.Core;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Certificates;
using WarpProxy.ClientCertificates;
using WarpProxy.Configuration;
using WarpProxy.Listeners;
using WarpProxy.Passthrough;
using WarpProxy.Protocol;
using WarpProxy.Tickets;

namespace WarpProxy.Tls;

/// <summary>Puts TLS on one of Kestrel's endpoints.</summary>
internal sealed class TlsEndpoint : IDisposable
{
    private readonly TlsSites _sites;
    private readonly Listener _listener;
    private readonly CertificateStore _certificates;
    private readonly TlsMiddleware _middleware;

    /// <summary>Prepares it for one listener.</summary>
    /// <exception cref="BadInputException">OpenSSL does not take the certificate or the settings, or the files of ticket keys cannot be used.</exception>
    public TlsEndpoint(
        Listener listener,
        CertificateStore certificates,
        TicketKeyStore tickets,
        ClientTrust? clients,
        PassthroughTunnels tunnels,
        TlsOptions options,
        HandshakeLanes lanes,
        HandshakeCounters counters,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        _listener = listener;
        _certificates = certificates;
        var policy = new ProtocolPolicy(listener.Options.Protocol!);
        if (policy.Missing.Count > 0)
        {
            loggers.CreateLogger<TlsEndpoint>().SuitesMissing(listener.Name, TlsNames.Library, string.Join(", ", policy.Missing));
        }

        _sites = new TlsSites(listener, certificates.Index(listener.Options.Certificates), tickets.Find(listener.Options.Tickets!), clients, policy);
        Passthrough = new PassthroughRoutes(listener.Name, listener.Options.Passthrough);
        var handshaker = new Handshaker(_sites, Passthrough, options, lanes, counters, time, loggers.CreateLogger<Handshaker>());
        _middleware = new TlsMiddleware(
            handshaker, tunnels, listener.Options.ClientCertificates ?? new ClientCertificateOptions(), counters, time, loggers.CreateLogger<TlsMiddleware>());
        certificates.Changed += TakeCertificates;
    }

    /// <summary>The names that are not terminated here.</summary>
    public PassthroughRoutes Passthrough { get; }

    /// <summary>Configures the endpoint. Kestrel's default is HTTP/1.1 and HTTP/2; named here, it would warn that it sees no TLS of its own.</summary>
    public void Configure(ListenOptions endpoint) => endpoint.Use(next => connection => _middleware.ServeAsync(connection, next));

    /// <inheritdoc/>
    public void Dispose()
    {
        _certificates.Changed -= TakeCertificates;
        _sites.Dispose();
    }

    private void TakeCertificates() => _sites.Replace(_certificates.Index(_listener.Options.Certificates));
}
