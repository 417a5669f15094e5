namespace WarpProxy.Certificates;

/// <summary>Certificates in <c>GET /status</c>.</summary>
/// <param name="Count">Those that serve.</param>
/// <param name="Refused">Files that cannot be used as they are; an earlier certificate may serve in their place.</param>
/// <param name="DeviceKeys">Keys that devices may have: those of certificates that serve, and those not erased yet.</param>
/// <param name="NextExpiry">The one that ends first.</param>
internal sealed record CertificateStatus(int Count, int Refused, int DeviceKeys, CertificateEnd? NextExpiry);

/// <summary>When a certificate ends.</summary>
internal sealed record CertificateEnd(string Name, string Subject, DateTimeOffset NotAfter);
