namespace WarpProxy.Configuration;

/// <summary>Where settings come from; what comes later wins: file, environment (<c>WARPPROXY_X__Y</c> for <c>X:Y</c>), command line.</summary>
internal static class ConfigurationSources
{
    /// <summary>Reads them all.</summary>
    /// <param name="file">A JSON file, or null.</param>
    /// <param name="commandLine">Settings by their path, such as <c>Server:Urls</c>.</param>
    /// <exception cref="BadInputException">The file is missing, unreadable, or not JSON.</exception>
    public static IConfigurationRoot Load(string? file, IEnumerable<KeyValuePair<string, string?>> commandLine)
    {
        var builder = new ConfigurationBuilder();
        if (file is not null)
        {
            builder.Add(SettingsFile.Read(file));
        }

        return builder.Add(new EnvironmentSettings(Environment.GetEnvironmentVariables())).AddInMemoryCollection(commandLine).Build();
    }

    /// <summary>Finds what no section has: one with a typing error would be passed over, and its settings with it. <c>$schema</c> and the like are for editors.</summary>
    /// <param name="configuration">As loaded.</param>
    /// <param name="sections">Those that exist.</param>
    /// <param name="problems">Gets a sentence for each, and for each setting that a file has twice.</param>
    public static void CheckSections(IConfigurationRoot configuration, IReadOnlyList<string> sections, SettingProblems problems)
    {
        foreach (SettingsFile file in configuration.Providers.OfType<SettingsFile>())
        {
            foreach ((int line, string sentence) in file.Problems)
            {
                problems.Add(file, line, sentence);
            }
        }

        foreach (IConfigurationSection child in configuration.GetChildren())
        {
            if (!child.Key.StartsWith('$') && !sections.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            {
                problems.Add(
                    $"{child.Key} is no section; the sections are {string.Join(", ", sections)}. {Hint(configuration, child.Key)}".TrimEnd(), child.Path);
            }
        }
    }

    /// <summary>One underscore too few is the mistake that everybody makes once.</summary>
    private static string Hint(IConfigurationRoot configuration, string key) =>
        key.Contains('_') && configuration.Providers.OfType<EnvironmentSettings>().Any(environment => environment.FindVariable(key) is not null)
            ? $"Section and setting have two underscores between them: {EnvironmentSettings.Prefix}Offload__Depth."
            : "";
}
