using WarpDrive.OpenSsl.Tls;
using WarpProxy.Certificates;

namespace WarpProxy.Tls;

/// <summary>What clients that ask for a name meet: certificates, and the OpenSSL context that connections with them share.</summary>
internal sealed record TlsSite(CertificateSet Certificates, TlsServerContext Context);
