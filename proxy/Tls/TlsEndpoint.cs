using Microsoft.AspNetCore.Server.Kestrel.Core;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Certificates;
using WarpProxy.Configuration;

namespace WarpProxy.Tls;

/// <summary>Puts TLS on Kestrel's endpoints: one OpenSSL context, made once and shared by all connections.</summary>
internal sealed class TlsEndpoint : IDisposable
{
    private readonly TlsServerContext _context;
    private readonly TlsMiddleware _middleware;

    /// <summary>Prepares it for one certificate.</summary>
    /// <exception cref="BadInputException">OpenSSL does not take the certificate or the cipher suites.</exception>
    public TlsEndpoint(ServerCertificate certificate, TlsOptions options, HandshakeLanes lanes, HandshakeCounters counters, TimeProvider time, ILoggerFactory loggers)
    {
        try
        {
            _context = new TlsServerContext(new TlsServerOptions
            {
                Certificates = [certificate.Tls],
                CipherSuites = options.CipherSuites,
                ApplicationProtocols = ["h2", "http/1.1"],
            });
        }
        catch (OpenSslException exception)
        {
            throw new BadInputException($"Nothing can be served with the certificate in '{certificate.File}': {exception.Message}", exception);
        }

        var handshaker = new Handshaker(_context, certificate.IsOffloaded, options, lanes, counters, time, loggers.CreateLogger<Handshaker>());
        _middleware = new TlsMiddleware(handshaker, counters, loggers.CreateLogger<TlsMiddleware>());
    }

    /// <summary>Configures one endpoint. Kestrel's default is HTTP/1.1 and HTTP/2; named here, it would warn that it sees no TLS of its own.</summary>
    public void Configure(ListenOptions endpoint) => endpoint.Use(next => connection => _middleware.ServeAsync(connection, next));

    /// <inheritdoc/>
    public void Dispose() => _context.Dispose();
}
