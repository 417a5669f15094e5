using System.Security.Cryptography.X509Certificates;
using System.Text;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.ClientCertificates;
using WarpProxy.Tls;

namespace WarpProxy.Tests.Unit.ClientCertificates;

public sealed class TlsFeaturesTests
{
    [Fact]
    public async Task Certificate_of_a_verified_client_is_known_where_frameworks_look_for_it()
    {
        using TestAuthority root = TestAuthority.Root("Root");
        using X509Certificate2 site = root.Issue("localhost", TestAuthority.ForServers);
        using X509Certificate2 shown = root.Issue("client");
        using PrivateKey key = PrivateKeyPem.Load(Encoding.ASCII.GetBytes(site.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()), []);
        using TlsServerCertificate certificate = new([site], key);
        using TlsServerContext context = new(new TlsServerOptions { Certificates = [certificate] });
        using TlsServerConnection connection = context.Accept();

        var verified = new TlsFeatures(connection, new VerifiedClient([shown.RawData, root.Certificate.RawData], new ClientCertificateOptions()));
        Assert.Equal(shown.RawData, verified.ClientCertificate!.RawData);
        Assert.Same(verified.ClientCertificate, await verified.GetClientCertificateAsync(default));

        var unknown = new TlsFeatures(connection, null);
        Assert.Null(unknown.ClientCertificate);
        Assert.Null(await unknown.GetClientCertificateAsync(default));
    }
}
