using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using WarpProxy.Configuration;

namespace WarpProxy.Schema;

/// <summary>What the code says of its types and members, as the compiler has written it to the XML files beside our assemblies: the help text of settings.</summary>
internal sealed partial class SummaryFile
{
    private readonly Dictionary<Assembly, Dictionary<string, XElement>> _members = [];

    private SummaryFile()
    {
    }

    /// <summary>Opens those of the program.</summary>
    /// <exception cref="BadInputException">They are not there.</exception>
    public static SummaryFile Read()
    {
        var file = new SummaryFile();
        file.MembersOf(typeof(SummaryFile).Assembly);
        return file;
    }

    /// <summary>The summary of a setting in one line, its code in backticks; empty when it has none.</summary>
    public string Find(PropertyInfo setting) => Find(setting.DeclaringType!, $"P:{NameOf(setting.DeclaringType!)}.{setting.Name}");

    /// <summary>That of a section. What the code begins with, "Section Offload:", is left out.</summary>
    public string Find(Type section)
    {
        string summary = SectionPrefix().Replace(Find(section, $"T:{NameOf(section)}"), "");
        return summary.Length == 0 ? "" : char.ToUpperInvariant(summary[0]) + summary[1..];
    }

    /// <summary>That of a name of an enumeration.</summary>
    public string Find(Type enumeration, int index) => Find(enumeration, $"F:{NameOf(enumeration)}.{Enum.GetNames(enumeration)[index]}");

    private string Find(Type type, string member) => MembersOf(type.Assembly).TryGetValue(member, out XElement? summary)
        ? WhiteSpace().Replace(string.Concat(summary.Nodes().Select(Text)), " ").Trim()
        : "";

    /// <summary>Those of other people's assemblies are not beside them.</summary>
    private Dictionary<string, XElement> MembersOf(Assembly assembly)
    {
        if (_members.TryGetValue(assembly, out Dictionary<string, XElement>? members))
        {
            return members;
        }

        string name = assembly.GetName().Name!;
        return _members[assembly] = name.StartsWith("warp", StringComparison.OrdinalIgnoreCase)
            ? Load(Path.Combine(AppContext.BaseDirectory, name + ".xml"))
            : [];
    }

    private static Dictionary<string, XElement> Load(string path)
    {
        try
        {
            return XDocument.Load(path).Descendants("member").Where(static member => member.Element("summary") is not null)
                .ToDictionary(static member => member.Attribute("name")!.Value, static member => member.Element("summary")!);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or XmlException)
        {
            throw new BadInputException($"The texts for the settings cannot be read from '{path}': {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    private static string Text(XNode node) => node switch
    {
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        XElement { Name.LocalName: "see" } see when see.Attribute("cref") is { } cref => $"`{cref.Value[(cref.Value.LastIndexOf('.') + 1)..]}`",
        XElement element => string.Concat(element.Nodes().Select(Text)),
        XText text => text.Value,
        _ => "",
    };

    private static string NameOf(Type type) => type.FullName!.Replace('+', '.');

    [GeneratedRegex(@"^Section .*?: ")]
    private static partial Regex SectionPrefix();

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace();
}
