using WarpProxy.Admin;
using WarpProxy.Certificates;
using WarpProxy.Offload;

namespace WarpProxy.Live;

/// <summary>How the proxy is at one moment, besides what is counted of each handshake.</summary>
/// <param name="Status">What <c>GET /status</c> answers.</param>
/// <param name="Readiness">What <c>GET /readyz</c> answers.</param>
/// <param name="Path"><c>Offload:Path</c>.</param>
/// <param name="Lanes">Lanes that there are.</param>
/// <param name="Certificates">Those that end first.</param>
internal sealed record LiveState(StatusDocument Status, Readiness Readiness, OffloadPath Path, int Lanes, IReadOnlyList<CertificateEnd> Certificates);
