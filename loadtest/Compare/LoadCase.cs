using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.LoadTest.Compare;

/// <summary>One load that every server gets in each round.</summary>
/// <param name="Bits">Of the RSA key.</param>
/// <param name="Tls">The only version that is offered: <c>1.2</c> or <c>1.3</c>.</param>
/// <param name="Connections">Open at the same time, in a closed loop.</param>
internal sealed record LoadCase(int Bits, string Tls, int Connections)
{
    public TlsVersion Version => Tls == "1.2" ? TlsVersion.Tls12 : TlsVersion.Tls13;

    /// <summary><c>RSA-2048, TLS 1.3, 8 connections</c>.</summary>
    public override string ToString() => $"RSA-{Bits}, TLS {Tls}, {Connections} connection{(Connections == 1 ? "" : "s")}";
}
