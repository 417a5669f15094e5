using WarpProxy.Configuration;
using WarpProxy.Http;
using WarpProxy.Listeners;
using WarpProxy.ProxyProtocol;

namespace WarpProxy.Tests.Unit.Http;

/// <summary>Settings of listeners for what is before TLS, past it, and around HTTP.</summary>
public sealed class EdgeOptionsTests
{
    private const string Path = "Listeners:a";

    [Theory]
    [InlineData("ProxyProtocol", "required", "Listeners:a:ProxyProtocolFrom is empty but Listeners:a:ProxyProtocol is required; it must name the networks of the load balancers, such as 10.0.0.0/8.")]
    [InlineData("ProxyProtocol", "maybe", "Listeners:a:ProxyProtocol is 'maybe'; it must be off or required.")]
    [InlineData("ProxyProtocolFrom:0", "10.0.0.0/8", "Listeners:a:ProxyProtocolFrom has '10.0.0.0/8' but Listeners:a:ProxyProtocol is off; set it to required, or leave both out.")]
    [InlineData("RedirectToHttps", "true", "Listeners:a:RedirectToHttps is 'true' but Listeners:a:Url is 'https://127.0.0.1:1'; only http can be redirected to https.")]
    [InlineData("RedirectToHttps", "yes", "Listeners:a:RedirectToHttps is 'yes'; it must be true, false, or the port of https between 1 and 65535.")]
    [InlineData("ServeAcmeChallenges", "true", "Listeners:a:ServeAcmeChallenges is true but Listeners:a:RedirectToHttps is not set; without it every request is served.")]
    [InlineData("Hsts:MaxAge", "-1.00:00:00", "Listeners:a:Hsts:MaxAge is -1.00:00:00; it must be 0 (off) or between 00:00:01 and 3650.00:00:00.")]
    [InlineData("Hsts:MaxAge", "4000.00:00:00", "Listeners:a:Hsts:MaxAge is 4000.00:00:00; it must be 0 (off) or between 00:00:01 and 3650.00:00:00.")]
    [InlineData("Hsts:Preload", "true", "Listeners:a:Hsts:Preload is true with MaxAge 00:00:00 and IncludeSubDomains false; it needs at least 365.00:00:00 and true.")]
    [InlineData("Hsts:IncludeSubDomains", "true", "Listeners:a:Hsts:IncludeSubDomains is true but Listeners:a:Hsts:MaxAge is not set; give it as well, such as 365.00:00:00.")]
    public void Setting_of_https_that_cannot_be_used_is_refused_with_one_sentence(string setting, string value, string sentence) =>
        Assert.Equal(sentence, Refuse(("Url", "https://127.0.0.1:1"), (setting, value)));

    [Theory]
    [InlineData("Hsts:IncludeSubDomains", "false", "Listeners:a:Hsts is set but Listeners:a:Url is 'http://127.0.0.1:1'; HSTS may be sent over https alone (RFC 6797 7.2).")]
    [InlineData("Hsts:MaxAge", "365.00:00:00", "Listeners:a:Hsts is set but Listeners:a:Url is 'http://127.0.0.1:1'; HSTS may be sent over https alone (RFC 6797 7.2).")]
    public void Setting_of_https_is_refused_for_http(string setting, string value, string sentence) =>
        Assert.Equal(sentence, Refuse(("Url", "http://127.0.0.1:1"), (setting, value)));

    [Fact]
    public void Passthrough_is_refused_for_http() => Assert.Equal(
        "Listeners:a:Passthrough has 'b' but Listeners:a:Url is 'http://127.0.0.1:1'; names to pass through are those of https.",
        Refuse(("Url", "http://127.0.0.1:1"), ("Passthrough:b:Names:0", "b.example"), ("Passthrough:b:Upstream", "10.0.0.1:443")));

    [Theory]
    [InlineData("Names:0", "", "Listeners:a:Passthrough:b:Names has ''; it must be a name such as legacy.example, or *.legacy.example for one label more, in ASCII (xn--...).")]
    [InlineData("Names:0", "*", "Listeners:a:Passthrough:b:Names has '*'; it must be a name such as legacy.example, or *.legacy.example for one label more, in ASCII (xn--...).")]
    [InlineData("Names:0", "a.*.example", "Listeners:a:Passthrough:b:Names has 'a.*.example'; it must be a name such as legacy.example, or *.legacy.example for one label more, in ASCII (xn--...).")]
    [InlineData("Names:1", "B.example", "Listeners:a:Passthrough has the name 'b.example' more than once; each must go to one upstream.")]
    [InlineData("Upstream", "10.0.0.1", "Listeners:a:Passthrough:b:Upstream is '10.0.0.1'; it must be a host and a port, such as 10.0.0.5:443, legacy.internal:443 or [2001:db8::5]:443.")]
    [InlineData("ConnectTimeout", "00:02:00", "Listeners:a:Passthrough:b:ConnectTimeout is 00:02:00; it must be between 00:00:00.1 and 00:01:00.")]
    [InlineData("IdleTimeout", "8.00:00:00", "Listeners:a:Passthrough:b:IdleTimeout is 8.00:00:00; it must be between 00:00:00.1 and 7.00:00:00.")]
    [InlineData("SendProxyProtocol", "v1", "Listeners:a:Passthrough:b:SendProxyProtocol is 'v1'; it must be true or false.")]
    public void Passthrough_that_cannot_be_used_is_refused_with_one_sentence(string setting, string value, string sentence) => Assert.Equal(
        sentence,
        Refuse(("Url", "https://127.0.0.1:1"), ("Passthrough:b:Names:0", "b.example"), ("Passthrough:b:Upstream", "10.0.0.1:443"), ($"Passthrough:b:{setting}", value)));

    [Fact]
    public void Passthrough_without_names_is_refused() => Assert.Equal(
        "Listeners:a:Passthrough:b:Names is empty; it must have at least one name such as legacy.example or *.legacy.example.",
        Refuse(("Url", "https://127.0.0.1:1"), ("Passthrough:b:Upstream", "10.0.0.1:443")));

    [Fact]
    public void Network_with_bits_of_a_host_is_refused() => Assert.Equal(
        "Listeners:a:ProxyProtocolFrom has '10.1.2.3/8'; of a network, the bits behind the prefix must be zero: 10.0.0.0/8.",
        Refuse(("Url", "https://127.0.0.1:1"), ("ProxyProtocol", "required"), ("ProxyProtocolFrom:0", "10.1.2.3/8")));

    [Fact]
    public void Listener_has_the_HSTS_of_all_or_its_own()
    {
        ProxyOptions options = Read(
            ("Hsts:MaxAge", "365.00:00:00"), ("Hsts:IncludeSubDomains", "true"),
            ("Listeners:a:Url", "https://127.0.0.1:1"),
            ("Listeners:b:Url", "https://127.0.0.1:2"), ("Listeners:b:Hsts:MaxAge", "1.00:00:00"),
            ("Listeners:c:Url", "http://127.0.0.1:3"), ("Listeners:c:RedirectToHttps", "8443"));
        Assert.Equal(
            ["max-age=31536000; includeSubDomains", "max-age=86400"],
            options.Listeners.Take(2).Select(listener => listener.Options.Hsts!.ToHeader()));
        Assert.All(options.Listeners, listener => Assert.NotNull(HttpPolicy.Create(listener)));
        Assert.Null(HttpPolicy.Create(Assert.Single(Read(("Listeners:a:Url", "http://127.0.0.1:1"), ("Hsts:MaxAge", "365.00:00:00")).Listeners)));
    }

    [Fact]
    public void Defaults_are_off()
    {
        ListenerOptions options = Assert.Single(Read((Path + ":Url", "https://127.0.0.1:1")).Listeners).Options;
        Assert.Equal(ProxyProtocolMode.Off, options.ProxyProtocol);
        Assert.Empty(options.Passthrough);
        Assert.Null(options.Hsts!.ToHeader());
    }

    private static string Refuse(params (string Setting, string Value)[] settings) =>
        Assert.Throws<BadInputException>(() => Read([.. settings.Select(setting => ($"{Path}:{setting.Setting}", setting.Value))])).Message;

    private static ProxyOptions Read(params (string Setting, string Value)[] settings) =>
        ProxyOptions.Read(ConfigurationSources.Load(
            null, settings.GroupBy(setting => setting.Setting).Select(same => KeyValuePair.Create(same.Key, (string?)same.Last().Value))));
}
