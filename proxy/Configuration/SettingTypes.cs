using System.Globalization;
using System.Reflection;
using Yarp.ReverseProxy.Configuration;

namespace WarpProxy.Configuration;

/// <summary>
/// What the types of settings mean: text, numbers, true or false, times, versions, URLs and enumerations are single values;
/// <see cref="IReadOnlyList{T}"/> and enumerations of flags are lists; <see cref="IReadOnlyDictionary{TKey, TValue}"/> is by name; any other class is a section.
/// </summary>
internal static class SettingTypes
{
    // YARP's records have their name inside; in the configuration it is the name of the section.
    private static readonly HashSet<(Type, string)> NoSettings =
    [
        (typeof(RouteConfig), nameof(RouteConfig.RouteId)),
        (typeof(ClusterConfig), nameof(ClusterConfig.ClusterId)),
    ];

    /// <summary>The settings of a section: the properties that can be set.</summary>
    public static IEnumerable<PropertyInfo> SettingsOf(Type section) => section.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(property => property.SetMethod is not null && !NoSettings.Contains((section, property.Name)));

    /// <summary>The type itself, where null is allowed as well.</summary>
    public static Type Strip(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    /// <summary>What stands under each name; null when the type is not by name.</summary>
    public static Type? FindNamed(Type type) => IsGeneric(type, typeof(IReadOnlyDictionary<,>)) ? type.GetGenericArguments()[1] : null;

    /// <summary>What a list consists of; null when the type is no list.</summary>
    public static Type? FindElement(Type type) => IsGeneric(type, typeof(IReadOnlyList<>)) ? type.GetGenericArguments()[0]
        : IsFlags(type) ? typeof(string)
        : null;

    /// <summary>Whether a list of names is one value.</summary>
    public static bool IsFlags(Type type) => type.IsEnum && type.IsDefined(typeof(FlagsAttribute));

    /// <summary>Whether the type is a section.</summary>
    public static bool IsSection(Type type) =>
        type.IsClass && type != typeof(string) && type != typeof(Version) && type != typeof(Uri) && FindNamed(type) is null && FindElement(type) is null;

    /// <summary>The names of an enumeration as they are documented: ours in lower case, those of others as they have them. Any case is read.</summary>
    public static IReadOnlyList<string> NamesOf(Type type) =>
        [.. Enum.GetNames(type).Select(name => type.Namespace!.StartsWith("Warp", StringComparison.Ordinal) ? name.ToLowerInvariant() : name)];

    /// <summary>What a single value must be, for sentences; null when any text is.</summary>
    public static string? Describe(Type type) => type == typeof(int) || type == typeof(long) ? "a whole number"
        : type == typeof(double) ? "a number"
        : type == typeof(bool) ? "true or false"
        : type == typeof(TimeSpan) ? "a time such as 00:00:05 (hours:minutes:seconds)"
        : type == typeof(Version) ? "a version such as 1.1 or 2"
        : type == typeof(Uri) ? "an absolute URL"
        : type.IsEnum ? Alternatives(NamesOf(type))
        : null;

    /// <summary>Parses a single value; false when it is not what <see cref="Describe"/> says.</summary>
    public static bool TryParse(string text, Type type, out object? value)
    {
        value = null;
        if (type == typeof(string))
        {
            value = text;
        }
        else if (type == typeof(int) && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number))
        {
            value = number;
        }
        else if (type == typeof(long) && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long large))
        {
            value = large;
        }
        else if (type == typeof(double) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double real))
        {
            value = real;
        }
        else if (type == typeof(bool) && bool.TryParse(text, out bool truth))
        {
            value = truth;
        }

        // .NET takes "30" for thirty days; nobody who writes it means that.
        else if (type == typeof(TimeSpan) && (text.Contains(':') || text == "0") && TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out TimeSpan time))
        {
            value = time;
        }
        else if (type == typeof(Version) && Version.TryParse(text.Contains('.') ? text : text + ".0", out Version? version))
        {
            value = version;
        }
        else if (type == typeof(Uri) && Uri.TryCreate(text, UriKind.Absolute, out Uri? uri))
        {
            value = uri;
        }

        // Enum.TryParse takes numbers as well; a name is what is asked for.
        else if (type.IsEnum && Enum.GetNames(type).FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } name)
        {
            value = Enum.Parse(type, name);
        }

        return value is not null;
    }

    /// <summary>A value as it is written in a file: times without needless zeros, names as documented.</summary>
    public static string Write(object value) => value switch
    {
        TimeSpan time => time.Ticks % TimeSpan.TicksPerSecond == 0 ? time.ToString("c") : time.ToString("c").TrimEnd('0'),
        bool truth => truth ? "true" : "false",
        Enum name => NamesOf(name.GetType())[Array.IndexOf(Enum.GetNames(name.GetType()), name.ToString())],
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    /// <summary>One of them, in words: <c>a, b or c</c>.</summary>
    public static string Alternatives(IReadOnlyList<string> all) =>
        all.Count < 2 ? string.Concat(all) : $"{string.Join(", ", all.Take(all.Count - 1))} or {all[^1]}";

    private static bool IsGeneric(Type type, Type definition) => type.IsGenericType && type.GetGenericTypeDefinition() == definition;
}
