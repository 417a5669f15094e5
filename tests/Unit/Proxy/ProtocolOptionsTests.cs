using WarpDrive.OpenSsl.Tls;
using WarpProxy.Configuration;
using WarpProxy.Protocol;

namespace WarpProxy.Tests.Unit.Proxy;

/// <summary>Section <c>Protocol</c>: what is refused, and what is in force.</summary>
public sealed class ProtocolOptionsTests
{
    private const string Groups = "x25519, secp256r1, secp384r1, secp521r1, x448, ffdhe2048, ffdhe3072, ffdhe4096, ffdhe6144, ffdhe8192";

    [Theory]
    [InlineData("Profile=strict", "Protocol:Profile is 'strict'; it must be intermediate, modern or old.")]
    [InlineData("Cyphers=x", "Protocol:Cyphers is not a setting; those of Protocol are Alpn, CipherSuites, Groups, MaxVersion, MinVersion, Preference, Profile, SignatureAlgorithms.")]
    [InlineData("MinVersion=1.4", "Protocol:MinVersion is '1.4'; it must be 1.0, 1.1, 1.2 or 1.3.")]
    [InlineData("MaxVersion=TLSv1.3", "Protocol:MaxVersion is 'TLSv1.3'; it must be 1.0, 1.1, 1.2 or 1.3.")]
    [InlineData("MinVersion=1.3 MaxVersion=1.2", "Protocol:MinVersion is 1.3 and Protocol:MaxVersion is 1.2; the first must not be above the second.")]
    [InlineData("Profile=modern MaxVersion=1.2", "Protocol:MinVersion is 1.3 (profile modern) and Protocol:MaxVersion is 1.2; the first must not be above the second.")]
    [InlineData(
        "MinVersion=1.1",
        "Profile intermediate has no suite for TLS 1.1; from Protocol:MinVersion (1.1) to Protocol:MaxVersion (1.3) each version must have one.")]
    [InlineData(
        "CipherSuites=TLS_AES_128_GCM_SHA256",
        "Protocol:CipherSuites has no suite for TLS 1.2; from Protocol:MinVersion (1.2) to Protocol:MaxVersion (1.3) each version must have one.")]
    [InlineData(
        "CipherSuites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_AES_128_GCM_SHA256 MaxVersion=1.2",
        "Protocol:CipherSuites has 'TLS_AES_128_GCM_SHA256', which no version from Protocol:MinVersion (1.2) to Protocol:MaxVersion (1.2) has.")]
    [InlineData(
        "Profile=old MaxVersion=1.1 CipherSuites=TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        "Protocol:CipherSuites has 'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256', which no version from Protocol:MinVersion (1.0) to Protocol:MaxVersion (1.1) has.")]
    [InlineData(
        "CipherSuites=TLS_RSA_WITH_AES_128_GCM_SHA256,TLS_AES_128_GCM_SHA256",
        "Protocol:CipherSuites has 'TLS_RSA_WITH_AES_128_GCM_SHA256', whose key exchange is RSA; Protocol:Profile must be old for it, and is intermediate.")]
    [InlineData(
        "SignatureAlgorithms=rsa_pkcs1_sha1,rsa_pss_rsae_sha256",
        "Protocol:SignatureAlgorithms has 'rsa_pkcs1_sha1', which hashes with SHA-1; Protocol:Profile must be old for it, and is intermediate.")]
    [InlineData(
        "SignatureAlgorithms=rsa_pkcs1_sha256",
        "Protocol:SignatureAlgorithms has none of TLS 1.3, which Protocol:MaxVersion (1.3) allows; it must have one such as rsa_pss_rsae_sha256 or ecdsa_secp256r1_sha256.")]
    [InlineData("Groups=x25519,X25519", "Protocol:Groups has 'x25519' more than once; each must be named once.")]
    [InlineData("Alpn=h3", "Protocol:Alpn has 'h3'; it must be a protocol that is known here: h2, http/1.1.")]
    [InlineData("Alpn=H2", "Protocol:Alpn has 'H2'; it must be a protocol that is known here: h2, http/1.1.")]
    [InlineData(
        "Profile=old MaxVersion=1.1 Alpn=h2",
        "Protocol:Alpn has 'h2', but RFC 9113 9.2 forbids HTTP/2 with every suite and version that is allowed; it must be http/1.1 alone, or there must be a suite such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256.")]
    public void Value_that_cannot_be_used_is_refused_with_one_sentence(string settings, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<BadInputException>(() => Read(settings)).Message);

    [Theory]
    [InlineData("4865")]
    [InlineData("AES128-SHA")]
    [InlineData("TLS_RSA_WITH_NULL_SHA256")]
    [InlineData("TLS_DH_anon_WITH_AES_128_GCM_SHA256")]
    [InlineData("TLS_PSK_WITH_AES_128_GCM_SHA256")]
    public void Suite_that_no_certificate_can_use_is_refused(string name) => Assert.Equal(
        $"Protocol:CipherSuites has '{name}'; it must be the name in the RFCs of a suite that {TlsNames.Library} has for RSA or ECDSA certificates, "
            + "such as TLS_AES_128_GCM_SHA256 or TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256.",
        Assert.Throws<BadInputException>(() => Read($"Profile=old CipherSuites={name}")).Message);

    [Fact]
    public void Group_that_OpenSSL_does_not_know_is_refused_with_those_it_knows()
    {
        string message = Assert.Throws<BadInputException>(() => Read("Groups=P-257")).Message;
        Assert.StartsWith("Protocol:Groups has 'P-257'; it must be a group that is known here: ", message, StringComparison.Ordinal);
        Assert.EndsWith($"{Groups}.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Signature_algorithm_that_OpenSSL_does_not_know_is_refused() => Assert.StartsWith(
        "Protocol:SignatureAlgorithms has 'RSA+SHA256'; it must be a signature algorithm that is known here: ecdsa_secp256r1_sha256, ",
        Assert.Throws<BadInputException>(() => Read("SignatureAlgorithms=RSA+SHA256")).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Every_problem_of_a_listener_is_told_with_its_path() => Assert.Equal(
        "Listeners:a:Protocol:MinVersion is '3'; it must be 1.0, 1.1, 1.2 or 1.3.\nListeners:a:Protocol:Alpn has 'h3'; it must be a protocol that is known here: h2, http/1.1.",
        Assert.Throws<BadInputException>(() => Load(
            ("Listeners:a:Url", "https://*:1"), ("Listeners:a:Protocol:MinVersion", "3"), ("Listeners:a:Protocol:Alpn", "h3"))).Message);

    [Fact]
    public void Protocol_of_a_listener_without_TLS_is_refused() => Assert.Equal(
        "Listeners:a:Protocol is there but Listeners:a:Url is 'http://*:1'; versions of TLS are for https.",
        Assert.Throws<BadInputException>(() => Load(("Listeners:a:Url", "http://*:1"), ("Listeners:a:Protocol:Profile", "modern"))).Message);

    [Fact]
    public void Listener_has_the_section_at_the_top_unless_it_has_its_own()
    {
        ProxyOptions options = Load(
            ("Protocol:Profile", "modern"), ("Listeners:a:Url", "https://*:1"), ("Listeners:b:Url", "https://*:2"), ("Listeners:b:Protocol:MinVersion", "1.2"));
        Assert.Equal(
            [ProtocolProfile.Modern, ProtocolProfile.Intermediate],
            options.Listeners.Select(static listener => listener.Options.Protocol!.Profile));
    }

    [Theory]
    [InlineData("", TlsVersion.Tls12, 9, true)]
    [InlineData("Preference=client", TlsVersion.Tls12, 9, false)]
    [InlineData("Profile=modern", TlsVersion.Tls13, 3, false)]
    [InlineData("MinVersion=1.3", TlsVersion.Tls13, 3, true)]
    [InlineData("Profile=old MinVersion=1.2 MaxVersion=1.2", TlsVersion.Tls12, 20, true)]
    [InlineData("Profile=old MaxVersion=1.1", TlsVersion.Tls10, 6, true)]
    [InlineData("CipherSuites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_AES_128_GCM_SHA256", TlsVersion.Tls12, 2, true)]
    public void Policy_has_the_versions_and_their_suites(string settings, TlsVersion lowest, int suites, bool isServerPreferring)
    {
        ProtocolPolicy policy = Policy(settings);
        Assert.Equal((lowest, isServerPreferring), (policy.LowestVersion, policy.IsServerPreferring));
        Assert.Equal(suites, policy.CipherSuites.Count(static suite => suite.Name != "TLS_RSA_WITH_3DES_EDE_CBC_SHA"));
    }

    [Fact]
    public void Only_the_profile_old_has_RSA_key_exchange_and_SHA_1()
    {
        foreach (ProtocolProfile profile in Enum.GetValues<ProtocolProfile>())
        {
            ProtocolPolicy policy = Policy($"Profile={profile}");
            Assert.Equal(profile == ProtocolProfile.Old, policy.CipherSuites.Any(static suite => suite.KeyExchange == TlsKeyExchange.Rsa));
            Assert.Equal(profile == ProtocolProfile.Old, policy.SignatureAlgorithms.Any(static name => name.Contains("sha1", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void Suites_that_OpenSSL_does_not_have_are_told()
    {
        ProtocolPolicy policy = Policy("Profile=old");
        Assert.Equal(
            MozillaProfile.Of(ProtocolProfile.Old).CipherSuites, [.. policy.CipherSuites.Select(static suite => suite.Name), .. policy.Missing]);
        Assert.Empty(Policy("").Missing);
    }

    [Theory]
    [InlineData("", "h2,http/1.1")]
    [InlineData("Profile=old MaxVersion=1.1", "http/1.1")]
    [InlineData("Profile=old MaxVersion=1.2 MinVersion=1.2 CipherSuites=TLS_RSA_WITH_AES_128_GCM_SHA256", "http/1.1")]
    [InlineData("Alpn=http/1.1", "http/1.1")]
    [InlineData("Alpn=", "")]
    public void Application_protocols_are_those_that_may_be_spoken(string settings, string protocols) =>
        Assert.Equal(protocols, string.Join(',', Policy(settings).ApplicationProtocols));

    private static ProtocolPolicy Policy(string settings) => new(Read(settings).Protocol);

    /// <summary>Settings of the section as <c>Name=value</c> with spaces between; commas part the elements of lists.</summary>
    private static ProxyOptions Read(string settings) => Load([.. settings
        .Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(static setting => setting.Split('='))
        .SelectMany(static parts => IsList(parts[0]) && parts[1].Length > 0
            ? parts[1].Split(',').Index().Select(element => ($"Protocol:{parts[0]}:{element.Index}", element.Item))
            : [($"Protocol:{parts[0]}", parts[1])])]);

    private static bool IsList(string name) => name is "CipherSuites" or "Groups" or "SignatureAlgorithms" or "Alpn";

    private static ProxyOptions Load(params (string Path, string Value)[] settings) => ProxyOptions.Read(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(static setting => KeyValuePair.Create(setting.Path, (string?)setting.Value))).Build());
}
