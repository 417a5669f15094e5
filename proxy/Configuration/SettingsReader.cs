using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
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
/// The kinds of settings are those of <see cref="SettingTypes"/>. A record's checks find the path of its section in
/// <see cref="ValidationContext.DisplayName"/>, and name the settings that they speak of.
/// </para>
/// </remarks>
internal sealed class SettingsReader(IConfigurationRoot configuration, SettingProblems problems)
{
    private readonly List<SettingsSection> _sections = [];
    private readonly NullabilityInfoContext _nullability = new();

    /// <summary>Reads with problems of its own.</summary>
    public SettingsReader(IConfigurationRoot configuration)
        : this(configuration, new SettingProblems(configuration))
    {
    }

    /// <summary>A sentence for each problem so far, in the order of reading: path, value seen, what is allowed.</summary>
    public IReadOnlyList<string> Problems => problems.Lines;

    /// <summary>The sections that were asked for so far: all that there are, once all have been read.</summary>
    public IReadOnlyList<SettingsSection> Sections => _sections;

    /// <summary>
    /// Reads one section; what it leaves out has its default. A setting that cannot be read keeps its default; when the record's checks refuse
    /// the rest, all settings do.
    /// </summary>
    public T Read<T>(string path)
        where T : class, new()
    {
        _sections.Add(new SettingsSection(path, typeof(T), IsNamed: false));
        return (T?)ReadSection(typeof(T), configuration.GetSection(path)) ?? new T();
    }

    /// <summary>Reads the sections below a path, by their names.</summary>
    public IReadOnlyDictionary<string, T> ReadNamed<T>(string path)
        where T : class, new()
    {
        _sections.Add(new SettingsSection(path, typeof(T), IsNamed: true));
        return (IReadOnlyDictionary<string, T>)ReadByName(typeof(T), configuration.GetSection(path));
    }

    /// <summary>Adds a problem that a record cannot see alone.</summary>
    /// <param name="problem">The sentence.</param>
    /// <param name="path">Of the setting; left out: the first word of the sentence.</param>
    public void Add(string problem, string? path = null) => problems.Add(problem, path);

    private object? ReadSection(Type type, IConfigurationSection section)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            Add($"{section.Path} is '{section.Value}'; it is a section and must have its settings below it.", section.Path);
            return null;
        }

        object result = Activator.CreateInstance(type)!;
        var refused = new HashSet<string>();
        Dictionary<string, PropertyInfo> settings = SettingTypes.SettingsOf(type).ToDictionary(static setting => setting.Name, StringComparer.OrdinalIgnoreCase);
        foreach (IConfigurationSection child in section.GetChildren())
        {
            if (!settings.TryGetValue(child.Key, out PropertyInfo? setting))
            {
                Add($"{child.Path} is not a setting; those of {section.Path} are {string.Join(", ", settings.Keys.Order(StringComparer.Ordinal))}.", child.Path);
                continue;
            }

            int before = problems.Count;
            if (ReadSetting(setting, child) is { } value)
            {
                setting.SetValue(result, value);
            }

            if (problems.Count > before)
            {
                refused.Add(setting.Name);
            }
        }

        return result is IValidatableObject checks && !Check(checks, section.Path, refused) ? Activator.CreateInstance(type)! : result;
    }

    /// <summary>Of what could not be read nothing more is to be said.</summary>
    private bool Check(IValidatableObject section, string path, HashSet<string> refused)
    {
        bool isRight = true;
        foreach (ValidationResult problem in section.Validate(new ValidationContext(section) { DisplayName = path }))
        {
            isRight = false;
            if (!problem.MemberNames.Any(refused.Contains))
            {
                Add(problem.ErrorMessage!, problem.MemberNames.FirstOrDefault() is { } setting ? ConfigurationPath.Combine(path, setting) : path);
            }
        }

        return isRight;
    }

    private object? ReadSetting(PropertyInfo setting, IConfigurationSection child)
    {
        Type type = SettingTypes.Strip(setting.PropertyType);
        if (child.Value is not null || child.GetChildren().Any() || !IsSingle(type))
        {
            return ReadValue(type, child);
        }

        if (_nullability.Create(setting).WriteState != NullabilityState.Nullable)
        {
            Add($"{child.Path} is null; it must have a value, or be left out.", child.Path);
        }

        return null;
    }

    /// <summary>Null when there is a problem.</summary>
    private object? ReadValue(Type type, IConfigurationSection section)
    {
        if (SettingTypes.FindNamed(type) is { } named)
        {
            return ReadByName(named, section);
        }

        if (SettingTypes.IsFlags(type))
        {
            return ReadFlags(type, section.Path);
        }

        if (SettingTypes.FindElement(type) is { } element)
        {
            return element == typeof(string) ? ReadList(section.Path) : ReadElements(element, section);
        }

        return SettingTypes.IsSection(type) ? ReadSection(type, section) : ReadSingle(type, section);
    }

    private object? ReadSingle(Type type, IConfigurationSection section)
    {
        if (section.GetChildren().FirstOrDefault() is { } below)
        {
            Add($"{section.Path} has '{below.Key}' below it; it must be a single value, no list and no section.", section.Path);
        }
        else if (section.Value is null)
        {
            Add($"{section.Path} is null; it must have a value, or be left out.", section.Path);
        }
        else if (SettingTypes.TryParse(section.Value, type, out object? value))
        {
            return value;
        }
        else
        {
            Add($"{section.Path} is '{section.Value}'; it must be {SettingTypes.Describe(type)}.", section.Path);
        }

        return null;
    }

    private IDictionary ReadByName(Type type, IConfigurationSection section)
    {
        var values = (IDictionary)Activator.CreateInstance(
            typeof(Dictionary<,>).MakeGenericType(typeof(string), type), StringComparer.OrdinalIgnoreCase)!;
        if (!string.IsNullOrEmpty(section.Value))
        {
            string what = SettingTypes.IsSection(type) ? "sections" : "settings";
            Add($"{section.Path} is '{section.Value}'; it must have {what} below it, each with a name of your choice.", section.Path);
        }

        foreach (IConfigurationSection child in section.GetChildren())
        {
            if (ReadValue(type, child) is { } value)
            {
                values[child.Key] = value;
            }
        }

        return values;
    }

    /// <summary>A list of sections. Unlike one of text it is put together from all sources, as its settings are.</summary>
    private Array ReadElements(Type type, IConfigurationSection section)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            Add($"{section.Path} is '{section.Value}'; it must be a list of sections.", section.Path);
        }

        object[] elements = [.. section.GetChildren().Select(child => ReadValue(type, child)).OfType<object>()];
        var list = Array.CreateInstance(type, elements.Length);
        elements.CopyTo(list, 0);
        return list;
    }

    private object? ReadFlags(Type type, string path)
    {
        long flags = 0;
        foreach (string name in ReadList(path))
        {
            if (SettingTypes.TryParse(name, type, out object? flag))
            {
                flags |= Convert.ToInt64(flag, CultureInfo.InvariantCulture);
            }
            else
            {
                Add($"{path} has '{name}'; it must be {SettingTypes.Describe(type)}.", path);
            }
        }

        return Enum.ToObject(type, flags);
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
                    Add($"{elementPath} has '{below}' below it; it must be a single value, no list and no section.", elementPath);
                }
                else
                {
                    Add($"{elementPath} is null; it must have a value, or be left out.", elementPath);
                }
            }

            if (isGiven || values.Count > 0)
            {
                return values;
            }
        }

        return [];
    }

    private static bool IsSingle(Type type) =>
        SettingTypes.FindNamed(type) is null && SettingTypes.FindElement(type) is null && !SettingTypes.IsSection(type);
}
