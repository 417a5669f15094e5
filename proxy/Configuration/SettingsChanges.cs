namespace WarpProxy.Configuration;

/// <summary>The settings that differ between two configurations.</summary>
internal sealed class SettingsChanges
{
    private const int MaxNames = 12;

    private readonly string[] _paths;

    private SettingsChanges(string[] paths) => _paths = paths;

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => _paths.Length == 0;

    /// <summary>Compares them as they are put together of all sources.</summary>
    public static SettingsChanges Between(IConfiguration old, IConfiguration now)
    {
        Dictionary<string, string?> before = Read(old);
        Dictionary<string, string?> after = Read(now);
        return new SettingsChanges(
        [
            .. before.Keys.Union(after.Keys, StringComparer.OrdinalIgnoreCase)
                .Where(path => !(before.TryGetValue(path, out string? left) && after.TryGetValue(path, out string? right) && left == right))
                .Order(StringComparer.OrdinalIgnoreCase),
        ]);
    }

    /// <summary>Whether a setting, or anything below a section, is among them.</summary>
    public bool Has(string path) => Array.Exists(_paths, changed => IsAtOrBelow(changed, path));

    /// <summary>For people: <c>Certificates:shop, Offload:Devices, ReverseProxy:Routes:all</c>.</summary>
    public override string ToString()
    {
        string[] names = [.. _paths.Select(Shorten).Distinct(StringComparer.OrdinalIgnoreCase)];
        return names.Length <= MaxNames
            ? string.Join(", ", names)
            : $"{string.Join(", ", names.Take(MaxNames))} and {names.Length - MaxNames} more";
    }

    /// <summary>Settings with their values; a section has none, unless nothing is in it.</summary>
    private static Dictionary<string, string?> Read(IConfiguration configuration) => configuration.AsEnumerable()
        .Where(setting => setting.Value is not null || !configuration.GetSection(setting.Key).GetChildren().Any())
        .Where(static setting => !setting.Key.StartsWith('$'))
        .ToDictionary(static setting => setting.Key, static setting => setting.Value, StringComparer.OrdinalIgnoreCase);

    private static bool IsAtOrBelow(string path, string section) =>
        path.StartsWith(section, StringComparison.OrdinalIgnoreCase) && (path.Length == section.Length || path[section.Length] == ':');

    /// <summary>Section and setting, or section and name; of routes and clusters three words.</summary>
    private static string Shorten(string path)
    {
        string[] words = path.Split(':');
        return string.Join(':', words.Take(words[0].Equals("ReverseProxy", StringComparison.OrdinalIgnoreCase) ? 3 : 2));
    }
}
