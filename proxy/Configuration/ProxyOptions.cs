using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using WarpProxy.Certificates;
using WarpProxy.Offload;
using WarpProxy.Tls;

namespace WarpProxy.Configuration;

/// <summary>The proxy's own sections, read and checked once at start. <c>ReverseProxy</c> and <c>Logging</c> go to their owners as they are.</summary>
internal sealed record ProxyOptions(
    ServerOptions Server, CertificateOptions Certificate, OffloadOptions Offload, TlsOptions Tls, ShutdownOptions Shutdown)
{
    /// <summary>Reads every section.</summary>
    /// <exception cref="BadInputException">A value cannot be used; one line for each.</exception>
    public static ProxyOptions Read(IConfigurationRoot configuration)
    {
        OffloadOptions offload = ReadSection<OffloadOptions>(configuration, OffloadOptions.Section);
        TlsOptions tls = ReadSection<TlsOptions>(configuration, TlsOptions.Section);
        var options = new ProxyOptions(
            ReadSection<ServerOptions>(configuration, ServerOptions.Section),
            ReadSection<CertificateOptions>(configuration, CertificateOptions.Section),
            offload with { Devices = ReadList(configuration, "Offload:Devices") ?? new OffloadOptions().Devices },
            tls with { CipherSuites = ReadList(configuration, "Tls:CipherSuites") ?? new TlsOptions().CipherSuites },
            ReadSection<ShutdownOptions>(configuration, ShutdownOptions.Section));

        IValidatableObject[] sections = [options.Server, options.Certificate, options.Offload, options.Tls, options.Shutdown];
        string[] problems = [.. sections.SelectMany(section => section.Validate(new ValidationContext(section))).Select(result => result.ErrorMessage!)];
        return problems.Length == 0 ? options : throw new BadInputException(string.Join(Environment.NewLine, problems));
    }

    private static T ReadSection<T>(IConfiguration configuration, string name)
        where T : new()
    {
        IConfigurationSection section = configuration.GetSection(name);
        if (!string.IsNullOrEmpty(section.Value))
        {
            throw new BadInputException($"{name} is '{section.Value}'; it is a section and must have its settings below it.");
        }

        Dictionary<string, PropertyInfo> settings = typeof(T).GetProperties().ToDictionary(setting => setting.Name, StringComparer.OrdinalIgnoreCase);
        foreach (IConfigurationSection child in section.GetChildren())
        {
            if (!settings.TryGetValue(child.Key, out PropertyInfo? setting))
            {
                throw new BadInputException($"{name}:{child.Key} is not a setting; those of {name} are {string.Join(", ", settings.Keys.Order())}.");
            }

            bool isList = setting.PropertyType == typeof(IReadOnlyList<string>);
            foreach (IConfigurationSection value in isList ? child.GetChildren() : [child])
            {
                CheckIsSingle(value);
            }

            if (!isList)
            {
                CheckType(child, setting);
            }
        }

        return section.Get<T>() ?? new T();
    }

    /// <summary>The binder passes over what is below a single value: a list where text belongs would leave the default in force.</summary>
    private static void CheckIsSingle(IConfigurationSection section)
    {
        if (section.GetChildren().FirstOrDefault() is { } child)
        {
            throw new BadInputException($"{section.Path} has '{child.Key}' below it; it must be a single value, no list and no section.");
        }
    }

    /// <summary>The binder would say "Failed to convert configuration value"; this says what it must be.</summary>
    private static void CheckType(IConfigurationSection section, PropertyInfo setting)
    {
        Type type = setting.PropertyType;
        if (section.Value is null && new NullabilityInfoContext().Create(setting).WriteState != NullabilityState.Nullable)
        {
            throw new BadInputException($"{section.Path} is null; it must have a value, or be left out.");
        }

        string? kind = type == typeof(int) ? "a whole number"
            : type == typeof(TimeSpan) ? "a time such as 00:00:05 (hours:minutes:seconds)"
            : type.IsEnum ? string.Join(" or ", Enum.GetNames(type)).ToLowerInvariant()
            : null;
        if (kind is null)
        {
            return;
        }

        try
        {
            TypeDescriptor.GetConverter(type).ConvertFromInvariantString(section.Value ?? "");
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or OverflowException)
        {
            throw new BadInputException($"{section.Path} is '{section.Value}'; it must be {kind}.", exception);
        }
    }

    /// <summary>
    /// A list from the strongest source that has it. Configuration merges lists element by element: with two devices in the
    /// file, one <c>--device</c> on the command line would replace the first and keep the second. Plain text, as the environment
    /// gives it, is a list of one. Null where no source has it.
    /// </summary>
    private static List<string>? ReadList(IConfigurationRoot configuration, string path)
    {
        foreach (IConfigurationProvider provider in configuration.Providers.Reverse())
        {
            bool isGiven = provider.TryGet(path, out string? text) && text is not null;
            List<string> values = string.IsNullOrEmpty(text) ? [] : [text];
            foreach (string key in provider.GetChildKeys([], path).Distinct())
            {
                provider.TryGet($"{path}:{key}", out string? value);
                values.Add(value ?? "");
            }

            if (isGiven || values.Count > 0)
            {
                return values;
            }
        }

        return null;
    }
}
