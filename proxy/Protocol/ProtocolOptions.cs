using System.ComponentModel.DataAnnotations;
using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.Protocol;

/// <summary>Section <c>Protocol</c>: which versions of TLS are spoken, and how. What is left out is the profile's.</summary>
internal sealed record ProtocolOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Protocol";

    private static readonly string[] KnownProtocols = ["h2", "http/1.1"];

    /// <summary>What the settings below replace, each by itself.</summary>
    public ProtocolProfile Profile { get; init; }

    /// <summary>The lowest version of TLS: 1.0, 1.1, 1.2 or 1.3.</summary>
    public string MinVersion { get; init; } = "";

    /// <summary>The highest version of TLS.</summary>
    public string MaxVersion { get; init; } = "";

    /// <summary>Cipher suites by their names in the RFCs, of every version allowed, the preferred first.</summary>
    public IReadOnlyList<string> CipherSuites { get; init; } = [];

    /// <summary>Whose order of suites, groups and signature algorithms decides. Left out: the server's when <see cref="CipherSuites"/> are named, else the profile's.</summary>
    public ProtocolPreference? Preference { get; init; }

    /// <summary>Groups of the key exchange by their names at IANA: x25519, secp256r1.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>Signature algorithms by their names at IANA: rsa_pss_rsae_sha256. They are the server's, and those that client certificates may have.</summary>
    public IReadOnlyList<string> SignatureAlgorithms { get; init; } = [];

    /// <summary>Application protocols, the preferred first: h2, http/1.1. Left out: both, or http/1.1 where no suite may carry HTTP/2. Empty: none is agreed on.</summary>
    public IReadOnlyList<string>? Alpn { get; init; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        string path = validationContext.DisplayName;
        ValidationResult[] problems =
        [
            .. CheckVersion(path, nameof(MinVersion), MinVersion),
            .. CheckVersion(path, nameof(MaxVersion), MaxVersion),
            .. CipherSuites.SelectMany(suite => CheckSuite(path, suite)),
            .. CheckNames(path, nameof(Groups), Groups, "a group", TlsNames.Groups),
            .. CheckNames(path, nameof(SignatureAlgorithms), SignatureAlgorithms, "a signature algorithm", TlsNames.SignatureAlgorithms),
            .. CheckSha1(path),
            .. CheckNames(path, nameof(Alpn), Alpn ?? [], "a protocol", KnownProtocols),
            .. CheckOnce(path, nameof(CipherSuites), CipherSuites),
        ];

        // What the settings come to together is told when each can be used.
        return problems.Length > 0 ? problems : CheckTogether(path, new ProtocolPolicy(this));
    }

    private static IEnumerable<ValidationResult> CheckVersion(string path, string name, string version)
    {
        if (version.Length > 0 && !ProtocolVersions.TryParse(version, out _))
        {
            yield return new($"{path}:{name} is '{version}'; it must be 1.0, 1.1, 1.2 or 1.3.", [name]);
        }
    }

    private IEnumerable<ValidationResult> CheckSuite(string path, string name)
    {
        if (TlsSuite.Find(name) is not { } suite)
        {
            yield return new(
                $"{path}:CipherSuites has '{name}'; it must be the name in the RFCs of a suite that {TlsNames.Library} has for RSA or ECDSA certificates, "
                    + "such as TLS_AES_128_GCM_SHA256 or TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256.",
                [nameof(CipherSuites)]);
        }
        else if (suite.KeyExchange == TlsKeyExchange.Rsa && Profile != ProtocolProfile.Old)
        {
            yield return new(
                $"{path}:CipherSuites has '{name}', whose key exchange is RSA; {path}:Profile must be old for it, and is {Lower(Profile)}.", [nameof(CipherSuites)]);
        }
    }

    private IEnumerable<ValidationResult> CheckSha1(string path)
    {
        foreach (string name in SignatureAlgorithms.Where(name => name.EndsWith("_sha1", StringComparison.OrdinalIgnoreCase) && Profile != ProtocolProfile.Old))
        {
            yield return new(
                $"{path}:SignatureAlgorithms has '{name}', which hashes with SHA-1; {path}:Profile must be old for it, and is {Lower(Profile)}.",
                [nameof(SignatureAlgorithms)]);
        }
    }

    private static IEnumerable<ValidationResult> CheckNames(string path, string setting, IReadOnlyList<string> names, string kind, IReadOnlyList<string> known)
    {
        // Protocols are compared byte by byte (RFC 7301 3.1), the others are only names.
        StringComparer comparer = setting == nameof(Alpn) ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase;
        foreach (string name in names.Where(name => !known.Contains(name, comparer)))
        {
            yield return new($"{path}:{setting} has '{name}'; it must be {kind} that is known here: {string.Join(", ", known)}.", [setting]);
        }

        foreach (ValidationResult twice in CheckOnce(path, setting, names))
        {
            yield return twice;
        }
    }

    private static IEnumerable<ValidationResult> CheckOnce(string path, string setting, IReadOnlyList<string> names) => names
        .GroupBy(static name => name, StringComparer.OrdinalIgnoreCase)
        .Where(static group => group.Count() > 1)
        .Select(group => new ValidationResult($"{path}:{setting} has '{group.Key}' more than once; each must be named once.", [setting]));

    private IEnumerable<ValidationResult> CheckTogether(string path, ProtocolPolicy policy)
    {
        string lowest = ProtocolVersions.NameOf(policy.LowestVersion);
        string highest = ProtocolVersions.NameOf(policy.HighestVersion);
        if (policy.LowestVersion > policy.HighestVersion)
        {
            yield return new(
                $"{path}:MinVersion is {lowest}{FromProfile(MinVersion)} and {path}:MaxVersion is {highest}{FromProfile(MaxVersion)}; "
                    + "the first must not be above the second.",
                [nameof(MinVersion)]);
            yield break;
        }

        foreach (TlsVersion version in ProtocolVersions.From(policy.LowestVersion, policy.HighestVersion))
        {
            if (!policy.CipherSuites.Any(suite => ProtocolVersions.Has(version, suite)))
            {
                string suites = CipherSuites.Count > 0 ? $"{path}:CipherSuites" : $"Profile {Lower(Profile)}";
                yield return new(
                    $"{suites} has no suite for TLS {ProtocolVersions.NameOf(version)}; from {path}:MinVersion ({lowest}) to {path}:MaxVersion ({highest}) "
                        + "each version must have one.",
                    [nameof(CipherSuites)]);
            }
        }

        foreach (string name in CipherSuites.Where(name => TlsSuite.Find(name) is { } suite && !policy.IsUsable(suite)))
        {
            yield return new(
                $"{path}:CipherSuites has '{name}', which no version from {path}:MinVersion ({lowest}) to {path}:MaxVersion ({highest}) has.", [nameof(CipherSuites)]);
        }

        if (policy.HighestVersion == TlsVersion.Tls13 && !policy.SignatureAlgorithms.Any(IsOfTls13))
        {
            yield return new(
                $"{path}:SignatureAlgorithms has none of TLS 1.3, which {path}:MaxVersion ({highest}) allows; it must have one such as rsa_pss_rsae_sha256 or "
                    + "ecdsa_secp256r1_sha256.",
                [nameof(SignatureAlgorithms)]);
        }

        if (policy.ApplicationProtocols.Contains("h2") && !policy.CipherSuites.Any(static suite => suite.IsFitForHttp2))
        {
            yield return new(
                $"{path}:Alpn has 'h2', but RFC 9113 9.2 forbids HTTP/2 with every suite and version that is allowed; it must be http/1.1 alone, or "
                    + "there must be a suite such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256.",
                [nameof(Alpn)]);
        }
    }

    /// <summary>RFC 8446 4.2.3: PKCS#1 v1.5 and SHA-1 are for certificates alone.</summary>
    private static bool IsOfTls13(string algorithm) =>
        !algorithm.StartsWith("rsa_pkcs1_", StringComparison.Ordinal) && !algorithm.EndsWith("_sha1", StringComparison.Ordinal);

    private string FromProfile(string setting) => setting.Length == 0 ? $" (profile {Lower(Profile)})" : "";

    private static string Lower(ProtocolProfile profile) => profile.ToString().ToLowerInvariant();
}
