using System.Collections;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;

namespace WarpProxy.Configuration;

/// <summary>
/// Reads sections of the configuration into records, strictly: what is unknown, of another kind or refused by the record's own checks is a
/// problem, and all problems are found in one pass. One thread.
/// </summary>
/// <remarks>
/// .NET's binder passes over unknown names, over what is below a single value and over nulls, and merges lists element by element: with two
/// devices in the file, one <c>--device</c> on the command line would replace the first and keep the second. Here a list comes whole from the
/// strongest source that has it, and plain text, as the environment gives it, is a list of one.
/// <para>
/// A record may have settings of these kinds: text, whole numbers, true or false, times, enumerations, lists of text, sections (another
/// record; null when left out), and sections by name (<see cref="IReadOnlyDictionary{TKey, TValue}"/>). Its checks find the path of the section in
/// <see cref="ValidationContext.DisplayName"/>.
/// </para>
/// </remarks>
internal sealed class SettingsReader(IConfigurationRoot configuration)
{
    private readonly List<string> _problems = [];
    private readonly NullabilityInfoContext _nullability = new();

    /// <summary>A sentence for each problem so far, in the order of reading: path, value seen, what is allowed.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Reads one section; what it leaves out has its default. A setting with a problem keeps its default.</summary>
    public T Read<T>(string path)
        where T : class, new() => (T)ReadSection(typeof(T), configuration.GetSection(path));

    /// <summary>Reads the sections below a path, by their names.</summary>
    public IReadOnlyDictionary<string, T> ReadNamed<T>(string path)
        where T : class, new() => (IReadOnlyDictionary<string, T>)ReadSections(typeof(T), configuration.GetSection(path));

    /// <summary>Adds a problem that a record cannot see alone.</summary>
    public void Add(string problem) => _problems.Add(problem);

    /// <summary>What a type of settings is called in sentences.</summary>
    internal static string? DescribeKind(Type type) => type == typeof(int) ? "a whole number"
        : type == typeof(bool) ? "true or false"
        : type == typeof(TimeSpan) ? "a time such as 00:00:05 (hours:minutes:seconds)"
        : type.IsEnum ? Alternatives(Enum.GetNames(type).Select(Lower))
        : null;

    /// <summary>The type of the sections, for sections by name; else null.</summary>
    internal static Type? FindNamedSection(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>) ? type.GetGenericArguments()[1] : null;

    /// <summary>Whether a setting is a list of text.</summary>
    internal static bool IsList(Type type) => type == typeof(IReadOnlyList<string>);

    /// <summary>Whether a setting is a section.</summary>
    internal static bool IsSection(Type type) => typeof(IValidatableObject).IsAssignableFrom(type);

    /// <summary>The settings of a record: those that can be set.</summary>
    internal static IEnumerable<PropertyInfo> SettingsOf(Type section) =>
        section.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(static property => property.SetMethod is not null);

    private object ReadSection(Type type, IConfigurationSection section)
    {
        object result = Activator.CreateInstance(type)!;
        int before = _problems.Count;
        if (!string.IsNullOrEmpty(section.Value))
        {
            Add($"{section.Path} is '{section.Value}'; it is a section and must have its settings below it.");
            return result;
        }

        Dictionary<string, PropertyInfo> settings = SettingsOf(type).ToDictionary(static setting => setting.Name, StringComparer.OrdinalIgnoreCase);
        foreach (IConfigurationSection child in section.GetChildren())
        {
            if (settings.TryGetValue(child.Key, out PropertyInfo? setting))
            {
                ReadSetting(result, setting, child);
            }
            else
            {
                Add($"{child.Path} is not a setting; those of {section.Path} are {string.Join(", ", settings.Keys.Order(StringComparer.Ordinal))}.");
            }
        }

        // What could not be read has its default, of which nothing is to be said.
        if (result is IValidatableObject checks && _problems.Count == before)
        {
            _problems.AddRange(checks.Validate(new ValidationContext(result) { DisplayName = section.Path }).Select(static problem => problem.ErrorMessage!));
        }

        return result;
    }

    private void ReadSetting(object section, PropertyInfo setting, IConfigurationSection child)
    {
        Type type = Nullable.GetUnderlyingType(setting.PropertyType) ?? setting.PropertyType;
        if (FindNamedSection(type) is { } named)
        {
            setting.SetValue(section, ReadSections(named, child));
        }
        else if (IsList(type))
        {
            setting.SetValue(section, ReadList(child.Path));
        }
        else if (IsSection(type))
        {
            setting.SetValue(section, ReadSection(type, child));
        }
        else if (child.GetChildren().FirstOrDefault() is { } below)
        {
            Add($"{child.Path} has '{below.Key}' below it; it must be a single value, no list and no section.");
        }
        else if (child.Value is null)
        {
            if (_nullability.Create(setting).WriteState != NullabilityState.Nullable)
            {
                Add($"{child.Path} is null; it must have a value, or be left out.");
            }
        }
        else if (TryConvert(child, type, out object? value))
        {
            setting.SetValue(section, value);
        }
    }

    private bool TryConvert(IConfigurationSection section, Type type, out object? value)
    {
        value = section.Value;
        if (type == typeof(string))
        {
            return true;
        }

        try
        {
            value = TypeDescriptor.GetConverter(type).ConvertFromInvariantString(section.Value!);
            if (!type.IsEnum || Enum.IsDefined(type, value!))
            {
                return true;
            }
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or OverflowException)
        {
            // Said below.
        }

        Add($"{section.Path} is '{section.Value}'; it must be {DescribeKind(type)}.");
        return false;
    }

    private IDictionary ReadSections(Type type, IConfigurationSection section)
    {
        var sections = (IDictionary)Activator.CreateInstance(
            typeof(Dictionary<,>).MakeGenericType(typeof(string), type), StringComparer.OrdinalIgnoreCase)!;
        if (!string.IsNullOrEmpty(section.Value))
        {
            Add($"{section.Path} is '{section.Value}'; it must have sections below it, each with a name of your choice.");
        }

        foreach (IConfigurationSection child in section.GetChildren())
        {
            sections[child.Key] = ReadSection(type, child);
        }

        return sections;
    }

    private List<string> ReadList(string path)
    {
        foreach (IConfigurationProvider provider in configuration.Providers.Reverse())
        {
            bool isGiven = provider.TryGet(path, out string? text) && text is not null;
            List<string> values = string.IsNullOrEmpty(text) ? [] : [text];
            foreach (string key in provider.GetChildKeys([], path).Distinct())
            {
                string elementPath = ConfigurationPath.Combine(path, key);
                if (provider.TryGet(elementPath, out string? value) && value is not null)
                {
                    values.Add(value);
                }
                else if (provider.GetChildKeys([], elementPath).FirstOrDefault() is { } below)
                {
                    Add($"{elementPath} has '{below}' below it; it must be a single value, no list and no section.");
                }
                else
                {
                    Add($"{elementPath} is null; it must have a value, or be left out.");
                }
            }

            if (isGiven || values.Count > 0)
            {
                return values;
            }
        }

        return [];
    }

    private static string Alternatives(IEnumerable<string> names)
    {
        string[] all = [.. names];
        return all.Length < 2 ? string.Concat(all) : $"{string.Join(", ", all[..^1])} or {all[^1]}";
    }

    // As they are written in examples; any case is read.
    private static string Lower(string name) => name.ToLowerInvariant();
}
