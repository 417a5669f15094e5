using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.Protocol;

/// <summary>Versions of TLS as settings name them: <c>1.0</c> to <c>1.3</c>.</summary>
internal static class ProtocolVersions
{
    private static readonly TlsVersion[] All = [TlsVersion.Tls10, TlsVersion.Tls11, TlsVersion.Tls12, TlsVersion.Tls13];

    /// <summary>Parses <c>1.2</c>.</summary>
    public static bool TryParse(string? text, out TlsVersion version)
    {
        version = All.FirstOrDefault(one => NameOf(one) == text);
        return version != TlsVersion.Any;
    }

    /// <summary><c>1.2</c>.</summary>
    public static string NameOf(TlsVersion version) => version switch
    {
        TlsVersion.Tls10 => "1.0",
        TlsVersion.Tls11 => "1.1",
        TlsVersion.Tls12 => "1.2",
        _ => "1.3",
    };

    /// <summary>The versions in between, these two included.</summary>
    public static IEnumerable<TlsVersion> From(TlsVersion lowest, TlsVersion highest) => All.Where(version => version >= lowest && version <= highest);

    /// <summary>Whether a version has a suite: those of TLS 1.3 are its own.</summary>
    public static bool Has(TlsVersion version, TlsSuite suite) =>
        suite.LowestVersion == TlsVersion.Tls13 ? version == TlsVersion.Tls13 : version < TlsVersion.Tls13 && version >= suite.LowestVersion;
}
