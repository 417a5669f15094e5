using WarpProxy.Certificates;
using WarpProxy.ClientCertificates;
using WarpProxy.Passthrough;
using WarpProxy.Telemetry;
using WarpProxy.Tickets;

namespace WarpProxy.Tls;

/// <summary>What all listeners with TLS share, as long as the proxy runs.</summary>
internal sealed record TlsParts(
    CertificateStore Certificates,
    TicketKeyStore Tickets,
    ClientTrustStore Clients,
    PassthroughTunnels Tunnels,
    HandshakeLanes Lanes,
    HandshakeCounters Counters,
    TimeProvider Time,
    ILoggerFactory Loggers,
    HandshakeTelemetry? Telemetry = null);
