using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.Protocol;

/// <summary>
/// What is in force at a listener: the profile, with what section <c>Protocol</c> says instead. Of a profile, what this OpenSSL does not have and what no
/// allowed version has is left out; what the section names is all there once it is validated.
/// </summary>
internal sealed class ProtocolPolicy
{
    private static readonly string[] DefaultProtocols = ["h2", "http/1.1"];

    /// <summary>Joins section and profile.</summary>
    public ProtocolPolicy(ProtocolOptions options)
    {
        var profile = MozillaProfile.Of(options.Profile);
        LowestVersion = ProtocolVersions.TryParse(options.MinVersion, out TlsVersion lowest) ? lowest : profile.LowestVersion;
        HighestVersion = ProtocolVersions.TryParse(options.MaxVersion, out TlsVersion highest) ? highest : TlsVersion.Tls13;
        bool isNamed = options.CipherSuites.Count > 0;
        IReadOnlyList<string> names = isNamed ? options.CipherSuites : profile.CipherSuites;
        Missing = [.. profile.CipherSuites.Where(name => !isNamed && TlsSuite.Find(name) is null)];
        CipherSuites = [.. names.Select(TlsSuite.Find).OfType<TlsSuite>().Where(IsUsable)];
        IsServerPreferring = (options.Preference ?? (isNamed ? ProtocolPreference.Server : profile.Preference)) == ProtocolPreference.Server;
        Groups = Known(options.Groups.Count > 0 ? options.Groups : MozillaProfile.Groups, TlsNames.Groups);
        SignatureAlgorithms = Known(options.SignatureAlgorithms.Count > 0 ? options.SignatureAlgorithms : profile.SignatureAlgorithms, TlsNames.SignatureAlgorithms);
        ApplicationProtocols = options.Alpn ?? [.. DefaultProtocols.Where(name => name != "h2" || CipherSuites.Any(static suite => suite.IsFitForHttp2))];
    }

    /// <summary>The lowest version.</summary>
    public TlsVersion LowestVersion { get; }

    /// <summary>The highest version.</summary>
    public TlsVersion HighestVersion { get; }

    /// <summary>Suites in order; at least one for each version.</summary>
    public IReadOnlyList<TlsSuite> CipherSuites { get; }

    /// <summary>Suites of the profile that this OpenSSL does not have.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Whether the order of suites decides; if not, the client's does.</summary>
    public bool IsServerPreferring { get; }

    /// <summary>Groups of the key exchange, in order.</summary>
    public IReadOnlyList<string> Groups { get; }

    /// <summary>Signature algorithms, in order.</summary>
    public IReadOnlyList<string> SignatureAlgorithms { get; }

    /// <summary>Application protocols, in order; none is agreed on when there is none.</summary>
    public IReadOnlyList<string> ApplicationProtocols { get; }

    /// <summary>Whether a version from the lowest to the highest has the suite.</summary>
    public bool IsUsable(TlsSuite suite) => ProtocolVersions.From(LowestVersion, HighestVersion).Any(version => ProtocolVersions.Has(version, suite));

    private static string[] Known(IReadOnlyList<string> names, IReadOnlyList<string> known) =>
    [
        .. names.Select(name => known.FirstOrDefault(one => one.Equals(name, StringComparison.OrdinalIgnoreCase))).OfType<string>(),
    ];
}
