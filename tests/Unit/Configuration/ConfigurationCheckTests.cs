using System.Reflection;
using WarpProxy.Configuration;

namespace WarpProxy.Tests.Unit.Configuration;

/// <summary>Whatever is written to a setting, the check ends with sentences or with its one line.</summary>
public sealed class ConfigurationCheckTests : IDisposable
{
    private readonly SettingsFixture _settings = new();

    public void Dispose() => _settings.Dispose();

    public static TheoryData<string, string> Garbage()
    {
        var data = new TheoryData<string, string>();
        foreach (SettingsSection section in ProxyOptions.Sections)
        {
            foreach (string path in PathsBelow(section.IsNamed ? $"{section.Name}:name" : section.Name, section.Type))
            {
                foreach (string value in (string[])["", "x", "0", "00:00:00", "/"])
                {
                    data.Add(path, value);
                }
            }
        }

        return data;
    }

    [Theory, MemberData(nameof(Garbage))]
    public async Task Any_value_is_taken_or_refused_with_sentences(string path, string value)
    {
        // What is by name needs something to stand beside.
        (string, string) url = ("Listeners:name:Url", "https://127.0.0.1:1");
        (string, string)[] settings = path.StartsWith("Listeners:name:", StringComparison.Ordinal) && path != url.Item1 ? [url, (path, value)] : [(path, value)];
        IConfigurationRoot configuration = _settings.Load("{}", null, settings);
        var problems = new SettingProblems(configuration);
        try
        {
            string answer = await ConfigurationCheck.RunAsync(null, ProxyOptions.Read(configuration, problems), problems);
            Assert.Matches("^The configuration is right: [0-9]+ listeners?, [0-9]+ certificates?, [0-9]+ routes?$", answer);
        }
        catch (BadInputException refused)
        {
            Assert.All(refused.Message.Split('\n'), line => Assert.EndsWith(".", line));
        }
    }

    [Fact]
    public async Task Single_value_of_another_kind_is_refused_with_its_path()
    {
        int count = 0;
        foreach (SettingsSection section in ProxyOptions.Sections.Where(section => !section.IsNamed))
        {
            foreach (PropertyInfo setting in SettingTypes.SettingsOf(section.Type).Where(setting => SettingTypes.Describe(SettingTypes.Strip(setting.PropertyType)) is not null))
            {
                string path = $"{section.Name}:{setting.Name}";
                IConfigurationRoot configuration = _settings.Load("{}", null, (path, "garbage"));
                var problems = new SettingProblems(configuration);
                ProxyOptions options = ProxyOptions.Read(configuration, problems);
                BadInputException refused = await Assert.ThrowsAsync<BadInputException>(() => ConfigurationCheck.RunAsync(null, options, problems));
                Assert.StartsWith($"{path} is 'garbage'; it must be ", refused.Message);
                count++;
            }
        }

        Assert.True(count > 10, "the settings were not found");
    }

    /// <summary>Of single values and lists, with <c>name</c> for what is by name.</summary>
    private static IEnumerable<string> PathsBelow(string path, Type section) => SettingTypes.SettingsOf(section).SelectMany(setting =>
    {
        string below = $"{path}:{setting.Name}";
        Type type = SettingTypes.Strip(setting.PropertyType);
        if (SettingTypes.FindNamed(type) is { } named)
        {
            (below, type) = ($"{below}:name", named);
        }
        else if (SettingTypes.FindElement(type) is { } element && SettingTypes.IsSection(element))
        {
            (below, type) = ($"{below}:0", element);
        }

        return SettingTypes.IsSection(type) ? PathsBelow(below, type) : [below];
    });
}
