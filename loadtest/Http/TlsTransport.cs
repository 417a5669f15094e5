using WarpDrive.Linux;
using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.LoadTest.Http;

/// <summary>Bytes through TLS. Every connection makes a full handshake: no session is offered.</summary>
internal sealed class TlsTransport(TcpSocket socket, TlsClientContext context, TlsServerName name) : IHttpTransport
{
    private readonly TlsClientConnection _tls = new();

    public TlsFailure Failure => _tls.Failure;

    public void Begin() => context.Connect(_tls, socket, name, null);

    public TlsStatus Handshake() => _tls.Handshake();

    public TlsStatus Read(Span<byte> buffer, out int count) => _tls.Read(buffer, out count);

    public TlsStatus Write(ReadOnlySpan<byte> data, out int count) => _tls.Write(data, out count);

    public void Shutdown() => _tls.Shutdown();

    public void End() => _tls.End();

    public void Dispose() => _tls.Dispose();
}
