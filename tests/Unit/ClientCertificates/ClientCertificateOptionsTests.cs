using WarpProxy.ClientCertificates;
using WarpProxy.Configuration;

namespace WarpProxy.Tests.Unit.ClientCertificates;

public sealed class ClientCertificateOptionsTests
{
    private const string Names = "it must be the name of a header, of at most 64 characters with at most 6 hyphens and no underscore.";

    [Theory]
    [InlineData("Mode", "maybe", "ClientCertificates:Mode is 'maybe'; it must be none, optional or required.")]
    [InlineData("Mode", "required", "ClientCertificates:CaFile is not set but ClientCertificates:Mode is required; it must be the path of a PEM file.")]
    [InlineData("CaFile", "ca.pem", "ClientCertificates:Mode is not set but a file is, 'ca.pem'; it must be none, optional or required.")]
    [InlineData("CaFile", "", "ClientCertificates:CaFile is ''; it must be the path of a file, or be left out.")]
    [InlineData("CrlFile", "", "ClientCertificates:CrlFile is ''; it must be the path of a file, or be left out.")]
    [InlineData("CrlFile", "crl.pem", "ClientCertificates:Mode is not set but a file is, 'crl.pem'; it must be none, optional or required.")]
    [InlineData("Depth", "-1", "ClientCertificates:Depth is -1; it must be between 0 and 16.")]
    [InlineData("Depth", "17", "ClientCertificates:Depth is 17; it must be between 0 and 16.")]
    [InlineData("Header", "", "ClientCertificates:Header is ''; " + Names)]
    [InlineData("Header", "Client Cert", "ClientCertificates:Header is 'Client Cert'; " + Names)]
    [InlineData("Header", "Client_Cert", "ClientCertificates:Header is 'Client_Cert'; " + Names)]
    [InlineData("ChainHeader", "a-b-c-d-e-f-g-h", "ClientCertificates:ChainHeader is 'a-b-c-d-e-f-g-h'; " + Names)]
    [InlineData("Header", "host", "ClientCertificates:Header is 'host', which the proxy would then take from every request; it must be a header of its own.")]
    [InlineData("ChainHeader", "client-cert", "ClientCertificates:ChainHeader is 'client-cert', as ClientCertificates:Header is; they must be different.")]
    public void Value_that_cannot_be_used_is_refused_with_one_sentence(string setting, string value, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<BadInputException>(() => Read(($"ClientCertificates:{setting}", value))).Message);

    [Fact]
    public void Listener_has_the_section_of_the_top_unless_it_has_its_own_which_replaces_it_whole()
    {
        ProxyOptions options = Read(
            ("ClientCertificates:Mode", "required"), ("ClientCertificates:CaFile", "top.pem"), ("ClientCertificates:Depth", "3"),
            ("Listeners:a:Url", "https://127.0.0.1:1"),
            ("Listeners:b:Url", "https://127.0.0.1:2"), ("Listeners:b:ClientCertificates:Mode", "optional"), ("Listeners:b:ClientCertificates:CaFile", "b.pem"),
            ("Listeners:c:Url", "https://127.0.0.1:3"), ("Listeners:c:ClientCertificates:Mode", "none"));
        Assert.Equal(
            [
                new() { Mode = ClientCertificateMode.Required, CaFile = "top.pem", Depth = 3 },
                new() { Mode = ClientCertificateMode.Optional, CaFile = "b.pem" },
                new() { Mode = ClientCertificateMode.None },
            ],
            options.Listeners.Select(static listener => listener.Options.ClientCertificates!));
    }

    [Fact]
    public void Clients_without_TLS_cannot_be_asked() => Assert.Equal(
        "Listeners:a:ClientCertificates is set but Listeners:a:Url is 'http://127.0.0.1:1'; certificates of clients are for https.",
        Assert.Throws<BadInputException>(() => Read(
            ("Listeners:a:Url", "http://127.0.0.1:1"), ("Listeners:a:ClientCertificates:Mode", "optional"), ("Listeners:a:ClientCertificates:CaFile", "x"))).Message);

    [Fact]
    public void Without_the_section_clients_are_not_asked() => Assert.False(Assert.Single(Read().Listeners).Options.ClientCertificates!.IsOn);

    private static ProxyOptions Read(params (string Setting, string Value)[] settings) =>
        ProxyOptions.Read(ConfigurationSources.Load(null, settings.Select(static one => KeyValuePair.Create(one.Setting, (string?)one.Value))));
}
