using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using WarpProxy.Certificates;

namespace WarpProxy.Tls;

/// <summary>Puts TLS on a Kestrel endpoint: lanes around UseHttps, and options that are made once and shared by all connections.</summary>
internal sealed class HttpsEndpoint
{
    private readonly HandshakeMiddleware _middleware;
    private readonly TlsHandshakeCallbackOptions _handshake;

    /// <summary>Prepares it for one certificate.</summary>
    public HttpsEndpoint(ServerCertificate certificate, TlsOptions options, HandshakeMiddleware middleware)
    {
        _middleware = middleware;

        // One certificate context and one options object: SslStream keeps its OpenSSL context (SSL_CTX) with the certificate
        // context. AllowTlsResume = false or a CipherSuitesPolicy would have it made again for each connection.
        var server = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate.Context,
            EnabledSslProtocols = ChooseProtocols(options.ParseCipherSuites()),
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            CipherSuitesPolicy = options.CipherSuites.Count == 0 ? null : new CipherSuitesPolicy(options.ParseCipherSuites()),
        };
        _handshake = new TlsHandshakeCallbackOptions
        {
            OnConnection = _ => ValueTask.FromResult(server),
            HandshakeTimeout = options.HandshakeTimeout,
        };
    }

    /// <summary>Configures one endpoint.</summary>
    public void Configure(ListenOptions endpoint)
    {
        endpoint.Protocols = HttpProtocols.Http1AndHttp2;
        endpoint.Use(next => connection => _middleware.BeforeTlsAsync(connection, next));
        endpoint.UseHttps(_handshake);
        endpoint.Use(next => connection => _middleware.AfterTlsAsync(connection, next));
    }

    /// <summary>A version without a suite is off: offered all the same, it would be negotiated and then fail.</summary>
    private static SslProtocols ChooseProtocols(IReadOnlyList<TlsCipherSuite> suites)
    {
        // The suites of TLS 1.3 have the numbers 0x1301 to 0x1305 (RFC 8446 B.4).
        static bool IsTls13(TlsCipherSuite suite) => ((int)suite >> 8) == 0x13;
        if (suites.Count == 0)
        {
            return SslProtocols.Tls12 | SslProtocols.Tls13;
        }

        return (suites.Any(IsTls13) ? SslProtocols.Tls13 : SslProtocols.None)
            | (suites.All(IsTls13) ? SslProtocols.None : SslProtocols.Tls12);
    }
}
