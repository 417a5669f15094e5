using System.Security.Cryptography;
using System.Text;
using WarpDrive.OpenSsl;
using WarpProxy.Certificates;
using WarpProxy.ClientCertificates;
using WarpProxy.Configuration;
using WarpProxy.Listeners;
using WarpProxy.Tests.Unit.Proxy;
using WarpProxy.Tickets;

namespace WarpProxy.Tests.Unit.Tickets;

public sealed class SessionContextTests : IDisposable
{
    private readonly List<ServerCertificate> _certificates = [];

    public void Dispose() => _certificates.ForEach(static certificate => certificate.Dispose());

    [Fact]
    public void Same_names_and_files_make_the_same_context_whatever_is_in_them() =>
        Assert.Equal(SessionContext.Of(Listener("a"), Set("/1", "/2")), SessionContext.Of(Listener("a"), Set("/2", "/1")));

    [Theory]
    [InlineData("b", "/1", "/2")]
    [InlineData("a", "/1")]
    [InlineData("a", "/1", "/3")]
    [InlineData("a/1", "/2")]
    public void Another_name_or_file_makes_another_context(string listener, params string[] files) =>
        Assert.NotEqual(SessionContext.Of(Listener("a"), Set("/1", "/2")), SessionContext.Of(Listener(listener), Set(files)));

    [Fact]
    public void Other_rules_for_certificates_of_clients_make_another_context()
    {
        ClientCertificateOptions rules = new() { Mode = ClientCertificateMode.Optional, CaFile = "/ca" };
        string[] contexts =
        [
            SessionContext.Of(Listener("a"), Set("/1")),
            SessionContext.Of(Listener("a", rules), Set("/1")),
            SessionContext.Of(Listener("a", rules with { Mode = ClientCertificateMode.Required }), Set("/1")),
            SessionContext.Of(Listener("a", rules with { CaFile = "/other" }), Set("/1")),
        ];
        Assert.Equal(contexts.Length, contexts.Distinct().Count());
    }

    private static Listener Listener(string name, ClientCertificateOptions? clients = null)
    {
        Assert.True(ListenAddress.TryParse("https://127.0.0.1:0", "", out ListenAddress? address, out _));
        return new Listener(name, address, new ListenerOptions { ClientCertificates = clients });
    }

    private CertificateSet Set(params string[] files) => new([.. files.Select(Create)]);

    private ServerCertificate Create(string file)
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using PrivateKey key = PrivateKeyPem.Load(Encoding.ASCII.GetBytes(ecdsa.ExportPkcs8PrivateKeyPem()), []);
        var certificate = new ServerCertificate(PemFolder.Sign(ecdsa), [], key, file);
        _certificates.Add(certificate);
        return certificate;
    }
}
