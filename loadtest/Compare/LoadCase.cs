using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Servers;

namespace WarpProxy.LoadTest.Compare;

/// <summary>One load that every server gets in each round.</summary>
/// <param name="Key">Of the servers.</param>
/// <param name="Tls">The only version that is offered: <c>1.2</c> or <c>1.3</c>.</param>
/// <param name="Connections">Open at the same time, in a closed loop.</param>
internal sealed record LoadCase(ServerKey Key, string Tls, int Connections)
{
    public TlsVersion Version => Tls == "1.2" ? TlsVersion.Tls12 : TlsVersion.Tls13;

    /// <summary><c>RSA-2048, TLS 1.3, 8 connections</c>.</summary>
    public override string ToString() => $"{Key}, TLS {Tls}, {Connections} connection{(Connections == 1 ? "" : "s")}";
}
