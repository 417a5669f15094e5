using System.IO.Pipelines;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.Passthrough;

namespace WarpProxy.Tls;

/// <summary>What a connection's first bytes came to: TLS of our own, a route past it, or, with neither, nothing.</summary>
/// <param name="Tls">After its handshake.</param>
/// <param name="Route">The client asks for a name that is not terminated here.</param>
/// <param name="Hello">Then what it has sent; the transport waits for the reader to advance.</param>
internal readonly record struct HandshakeOutcome(TlsServerConnection? Tls, PassthroughRoute? Route = null, ReadResult Hello = default);
