using System.Text.Json;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.FileProviders.Physical;
using WarpProxy.Certificates;
using WarpProxy.Files;
using WarpProxy.Http;
using WarpProxy.Listeners;
using WarpProxy.Offload;
using WarpProxy.Tickets;
using WarpProxy.Tls;

namespace WarpProxy.Configuration;

/// <summary>Where settings come from; what comes later wins: file, environment (<c>WARPPROXY_X__Y</c> for <c>X:Y</c>), command line.</summary>
internal static class ConfigurationSources
{
    private static readonly string[] Sections =
    [
        ServerOptions.Section, ListenerOptions.Section, CertificateOptions.SingleSection, CertificateOptions.Section, OffloadOptions.Section,
        TlsOptions.Section, TicketOptions.Section, HstsOptions.Section, FilesOptions.Section, ShutdownOptions.Section, "ReverseProxy", "Logging",
    ];

    /// <summary>Reads them all.</summary>
    /// <param name="file">A JSON file, or null.</param>
    /// <param name="commandLine">Settings by their path, such as <c>Server:Urls</c>.</param>
    /// <exception cref="BadInputException">The file is missing, unreadable, not JSON, or has a section that does not exist.</exception>
    public static IConfigurationRoot Load(string? file, IEnumerable<KeyValuePair<string, string?>> commandLine)
    {
        var builder = new ConfigurationBuilder();
        if (file is not null)
        {
            builder.Add(ReadFile(file));
        }

        IConfigurationRoot configuration = Build(
            file, builder.AddEnvironmentVariables("WARPPROXY_").AddInMemoryCollection(commandLine));
        if (file is not null)
        {
            CheckSections(file, configuration.Providers.First());
        }

        return configuration;
    }

    /// <summary>A section with a typing error would be passed over, and its settings with it. <c>$schema</c> and the like are for editors.</summary>
    private static void CheckSections(string file, IConfigurationProvider provider)
    {
        string? unknown = provider.GetChildKeys([], null).FirstOrDefault(name => !name.StartsWith('$') && !Sections.Contains(name, StringComparer.OrdinalIgnoreCase));
        if (unknown is not null)
        {
            throw new BadInputException(
                $"Configuration file '{file}' has '{unknown}', which is no section; the sections are {string.Join(", ", Sections)}.");
        }
    }

    private static JsonConfigurationSource ReadFile(string file)
    {
        if (file.Length == 0)
        {
            throw new BadInputException("Configuration file is ''; it must be the path of a JSON file.");
        }

        string path = Path.GetFullPath(file);
        if (!File.Exists(path))
        {
            throw new BadInputException($"Configuration file '{file}' does not exist.");
        }

        return new JsonConfigurationSource
        {
            // Read once: .NET's own reload would empty every section as soon as the file is broken for a moment.
            FileProvider = new PhysicalFileProvider(Path.GetDirectoryName(path)!, ExclusionFilters.None),
            Path = Path.GetFileName(path),
            ReloadOnChange = false,
        };
    }

    private static IConfigurationRoot Build(string? file, IConfigurationBuilder builder)
    {
        try
        {
            return builder.Build();
        }
        catch (InvalidDataException exception) when (FindJsonError(exception) is { } json)
        {
            // The reader counts lines from 0, people from 1. Its message repeats the position after its first sentence.
            string reason = json.Message.Split(" LineNumber:")[0].TrimEnd('.');
            throw new BadInputException(
                $"Configuration file '{file}' is not JSON, line {json.LineNumber + 1}, byte {json.BytePositionInLine + 1}: {reason}.", exception);
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            Exception cause = exception.InnerException ?? exception;
            throw new BadInputException($"Configuration file '{file}' cannot be read: {cause.Message}", exception);
        }
    }

    private static JsonException? FindJsonError(Exception? exception)
    {
        while (exception is not null and not JsonException)
        {
            exception = exception.InnerException;
        }

        return (JsonException?)exception;
    }
}
