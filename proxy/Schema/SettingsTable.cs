using System.Globalization;
using System.Reflection;
using System.Text;
using WarpProxy.Configuration;

namespace WarpProxy.Schema;

/// <summary>The list of all settings for people, in Markdown. It is made of the records that the proxy reads.</summary>
internal sealed class SettingsTable(SummaryFile summaries)
{
    private const string YarpDocument = "https://learn.microsoft.com/aspnet/core/fundamentals/servers/yarp/config-files";

    private readonly StringBuilder _text = new();
    private readonly Dictionary<Type, string> _places = [];      // headings
    private readonly Queue<(string Path, Type Type)> _waiting = new();

    /// <summary>The whole list as text.</summary>
    public string Write(IReadOnlyList<SettingsSection> sections)
    {
        foreach (SettingsSection section in sections)
        {
            _places.TryAdd(section.Type, PathOf(section));
        }

        _text.Append("# Settings\n\n<!-- Written by 'warpproxy schema --markdown'. -->\n\nHow they are given: [configuration.md](configuration.md).\n");
        foreach (SettingsSection section in sections)
        {
            WriteSection(PathOf(section), section.Type);
            while (_waiting.TryDequeue(out (string Path, Type Type) below))
            {
                WriteSection(below.Path, below.Type);
            }
        }

        return _text.ToString();
    }

    private static string PathOf(SettingsSection section) => section.IsNamed ? $"{section.Name}:NAME" : section.Name;

    private void WriteSection(string path, Type type)
    {
        Append($"\n## {path}\n\n{summaries.Find(type)}\n\n");
        if (_places[type] != path)
        {
            Append($"The settings are those of {Link(_places[type])}.\n");
            return;
        }

        _text.Append("| setting | value | default | |\n|---|---|---|---|\n");
        object defaults = Activator.CreateInstance(type)!;
        foreach (PropertyInfo setting in SettingTypes.SettingsOf(type))
        {
            Append($"| `{setting.Name}` | {Kind(path, setting.Name, SettingTypes.Strip(setting.PropertyType))} | {Default(setting.GetValue(defaults))} | {Cell(summaries.Find(setting))} |\n");
        }
    }

    private string Kind(string path, string name, Type type)
    {
        if (SettingTypes.FindNamed(type) is { } named)
        {
            return SettingTypes.IsSection(named) ? $"by name: {Section($"{path}:{name}:NAME", named)}" : $"by name: {Kind(path, name, named)}";
        }

        if (SettingTypes.FindElement(type) is { } element)
        {
            return $"list of {(SettingTypes.IsFlags(type) ? Names(type) : Kind(path, name, element))}";
        }

        return SettingTypes.IsSection(type) ? Section($"{path}:{name}", type)
            : type.IsEnum ? Names(type)
            : type == typeof(TimeSpan) ? "time"
            : SettingTypes.Describe(type)?.Replace("a ", "", StringComparison.Ordinal) ?? "text";
    }

    /// <summary>A section that stands in several places is listed once. Those of YARP are YARP's to document.</summary>
    private string Section(string path, Type type)
    {
        if (type.Assembly != typeof(SettingsTable).Assembly)
        {
            return $"[as YARP has it]({YarpDocument})";
        }

        if (_places.TryAdd(type, path))
        {
            _waiting.Enqueue((path, type));
        }

        return Link(_places[type]);
    }

    private string Names(Type type)
    {
        string[] names = [.. SettingTypes.NamesOf(type).Select((name, index) => summaries.Find(type, index) is { Length: > 0 } text ? $"`{name}`: {Cell(text)}" : $"`{name}`")];
        return string.Join("<br>", names);
    }

    // As GitHub makes anchors: lower case, without punctuation.
    private static string Link(string path) => $"[{path}](#{string.Concat(path.ToLowerInvariant().Where(static character => character != ':'))})";

    private static string Default(object? value) => value switch
    {
        null or "" => "",
        IReadOnlyList<string> list => string.Join(", ", list.Select(static item => $"`{item}`")),
        string or ValueType => $"`{SettingTypes.Write(value)}`",
        _ => "",
    };

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private void Append(FormattableString text) => _text.Append(text.ToString(CultureInfo.InvariantCulture));
}
