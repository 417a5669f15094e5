using System.Text.Json;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.FileProviders.Physical;

namespace WarpProxy.Configuration;

/// <summary>Where settings come from; what comes later wins: file, environment (<c>X__Y</c>, then <c>WARPPROXY_X__Y</c>), command line.</summary>
internal static class ConfigurationSources
{
    /// <summary>Reads them all.</summary>
    /// <param name="file">A JSON file, or null.</param>
    /// <param name="commandLine">Settings by their path, such as <c>Server:Urls</c>.</param>
    /// <exception cref="BadInputException">The file is missing, unreadable or not JSON.</exception>
    public static IConfigurationRoot Load(string? file, IEnumerable<KeyValuePair<string, string?>> commandLine)
    {
        var builder = new ConfigurationBuilder();
        if (file is not null)
        {
            builder.Add(ReadFile(file));
        }

        return Build(file, builder.AddEnvironmentVariables().AddEnvironmentVariables("WARPPROXY_").AddInMemoryCollection(commandLine));
    }

    private static JsonConfigurationSource ReadFile(string file)
    {
        string path = Path.GetFullPath(file);
        if (!File.Exists(path))
        {
            throw new BadInputException($"Configuration file '{file}' does not exist.");
        }

        return new JsonConfigurationSource
        {
            // The file itself is watched: a change of section ReverseProxy is taken over while serving.
            FileProvider = new PhysicalFileProvider(Path.GetDirectoryName(path)!, ExclusionFilters.None),
            Path = Path.GetFileName(path),
            ReloadOnChange = true,
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
