using System.Security.Cryptography.X509Certificates;
using WarpProxy.ClientCertificates;
using WarpProxy.Configuration;
using WarpProxy.Listeners;

namespace WarpProxy.Tests.Unit.ClientCertificates;

public sealed class ClientCertificateHeadersTests
{
    [Fact]
    public async Task Headers_of_every_listener_and_of_the_RFC_are_taken_from_requests_in_every_spelling()
    {
        var headers = new ClientCertificateHeaders(
        [
            Listener("http://127.0.0.1:1", null),
            Listener("https://127.0.0.1:2", new() { Header = "X-Client", ChainHeader = "X-Client-Chain" }),
        ]);
        var context = new DefaultHttpContext();
        foreach (string name in new[]
        {
            "Client-Cert", "client-cert", "Client_Cert", "CLIENT-CERT-CHAIN", "Client_Cert_Chain", "Client-Cert_Chain", "Client_Cert-Chain", "x_client", "X-Client-Chain",
        })
        {
            context.Request.Headers[name] = "forged";
        }

        context.Request.Headers["Client"] = "kept";
        context.Request.Headers["X-Client-Chains"] = "kept";
        bool isCalled = false;
        await headers.StripAsync(context, _ =>
        {
            isCalled = true;
            return Task.CompletedTask;
        });
        Assert.True(isCalled);
        Assert.Equal(["Client", "X-Client-Chains"], context.Request.Headers.Keys.Order());
    }

    [Fact]
    public void Certificate_and_chain_are_byte_sequences_and_a_root_at_the_end_is_left_out()
    {
        using TestAuthority root = TestAuthority.Root("Root");
        using TestAuthority upper = root.Intermediate("Upper");
        using TestAuthority lower = upper.Intermediate("Lower");
        using X509Certificate2 certificate = lower.Issue("client");
        var options = new ClientCertificateOptions();

        var whole = new VerifiedClient([certificate.RawData, lower.Certificate.RawData, upper.Certificate.RawData, root.Certificate.RawData], options);
        Assert.Equal($":{Convert.ToBase64String(certificate.RawData)}:", whole.Value);
        Assert.Equal($":{Convert.ToBase64String(lower.Certificate.RawData)}:, :{Convert.ToBase64String(upper.Certificate.RawData)}:", whole.ChainValue);
        Assert.Equal("CN=client", whole.Certificate.Subject);

        var partial = new VerifiedClient([certificate.RawData, lower.Certificate.RawData], options);
        Assert.Equal($":{Convert.ToBase64String(lower.Certificate.RawData)}:", partial.ChainValue);
        Assert.Equal("", new VerifiedClient([certificate.RawData, root.Certificate.RawData], options).ChainValue);
        Assert.Equal("", new VerifiedClient([certificate.RawData], options).ChainValue);
    }

    private static Listener Listener(string url, ClientCertificateOptions? clients)
    {
        Assert.True(ListenAddress.TryParse(url, "", out ListenAddress? address, out _));
        return new Listener(url, address, new ListenerOptions { Url = url, ClientCertificates = clients });
    }
}
