using System.Reflection;
using System.Runtime.CompilerServices;
using WarpProxy.Configuration;
using WarpProxy.Schema;

namespace WarpProxy.Tests.Unit.Schema;

public sealed class SchemaTests
{
    private static readonly SummaryFile Summaries = SummaryFile.Read();

    [Fact]
    public void Schema_that_is_shipped_is_the_one_that_the_program_writes() => AssertShipped(
        "proxy/warpproxy.schema.json", new SettingsSchema(Summaries).Write(ProxyOptions.Sections), "schema");

    [Fact]
    public void List_of_settings_is_the_one_that_the_program_writes() => AssertShipped(
        "docs/settings.md", new SettingsTable(Summaries).Write(ProxyOptions.Sections), "schema --markdown");

    [Fact]
    public void Every_setting_has_a_text_for_people()
    {
        PropertyInfo[] settings = [.. ProxyOptions.Sections.SelectMany(section => SettingsBelow(section.Type)).Distinct()];
        Assert.True(settings.Length > 20, "the settings were not found");
        Assert.All(settings, setting => Assert.Matches(@"^[A-Z`].*\.$", Summaries.Find(setting)));
    }

    [Fact]
    public void Every_section_has_a_text_for_people() =>
        Assert.All(ProxyOptions.Sections, section => Assert.Matches(@"^[A-Z`].*\.$", Summaries.Find(section.Type)));

    /// <summary>Of our own records; YARP documents its own.</summary>
    private static IEnumerable<PropertyInfo> SettingsBelow(Type section) => section.Assembly != typeof(ProxyOptions).Assembly
        ? []
        : SettingTypes.SettingsOf(section).SelectMany(setting =>
        {
            Type type = SettingTypes.Strip(setting.PropertyType);
            type = SettingTypes.FindNamed(type) ?? SettingTypes.FindElement(type) ?? type;
            return SettingTypes.IsSection(type) ? SettingsBelow(type).Prepend(setting) : [setting];
        });

    private static void AssertShipped(string file, string expected, string verb)
    {
        string path = Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../..", file);
        Assert.True(
            expected == File.ReadAllText(path), $"The settings have changed. Write {file} again: dotnet run --project proxy -- {verb} > /tmp/new && mv /tmp/new {file}");
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
