using WarpProxy.Configuration;

namespace WarpProxy.Tests.Unit.Configuration;

/// <summary>Settings of all three places, with the file on disk until the test ends.</summary>
internal sealed class SettingsFixture : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("warp-settings-");

    /// <summary>Path of the JSON file.</summary>
    public string File => Path.Combine(_directory.FullName, "proxy.json");

    public void Dispose() => _directory.Delete(recursive: true);

    public string Write(string name, string content)
    {
        string path = Path.Combine(_directory.FullName, name);
        System.IO.File.WriteAllText(path, content);
        return path;
    }

    public SettingsFile ReadFile(string json)
    {
        Write("proxy.json", json);
        return SettingsFile.Read(File);
    }

    public IConfigurationRoot Load(string json, Dictionary<string, string>? environment = null, params (string Path, string Value)[] commandLine) =>
        new ConfigurationBuilder()
            .Add(ReadFile(json))
            .Add(new EnvironmentSettings(environment ?? []))
            .AddInMemoryCollection(commandLine.Select(setting => KeyValuePair.Create(setting.Path, (string?)setting.Value)))
            .Build();

    /// <summary>The lines of all mistakes, with <c>proxy.json</c> for the path of the file.</summary>
    public IReadOnlyList<string> FindProblems(string json, Dictionary<string, string>? environment = null, params (string Path, string Value)[] commandLine)
    {
        IConfigurationRoot configuration = Load(json, environment, commandLine);
        var problems = new SettingProblems(configuration);
        ProxyOptions.Read(configuration, problems);
        return [.. problems.Lines.Select(line => line.Replace(File, "proxy.json", StringComparison.Ordinal))];
    }
}
