using Microsoft.Extensions.Logging.Abstractions;
using WarpProxy.Configuration;
using WarpProxy.Offload;

namespace WarpProxy.Doctor;

/// <summary>
/// The configuration of the start that is examined, and what it leads to. Where it is wrong it has its defaults, so that the rest can be looked at. Checks
/// read it one after the other.
/// </summary>
internal sealed class ExaminedConfiguration : IDisposable
{
    private static readonly TimeSpan LoadLimit = TimeSpan.FromSeconds(5);

    private readonly Accelerator _software;
    private readonly Lazy<IReadOnlyList<ExaminedCertificate>> _certificates;

    private ExaminedConfiguration(string? file, ProxyOptions options, SettingProblems problems, IReadOnlyList<string> unread)
    {
        File = file;
        Options = options;
        Problems = problems;
        Unread = unread;
        OffloadOptions withoutDevices = options.Offload with { Path = OffloadPath.Software, Fallback = OffloadFallback.Software, Devices = ["none"] };
        _software = new Accelerator(withoutDevices, opensDevices: false, TimeProvider.System, NullLoggerFactory.Instance);
        _certificates = new Lazy<IReadOnlyList<ExaminedCertificate>>(() => ExaminedCertificate.LoadAll(options, _software));
    }

    /// <summary>The JSON file; null when there is none.</summary>
    public string? File { get; }

    /// <summary>What was read.</summary>
    public ProxyOptions Options { get; }

    /// <summary>What was wrong with the settings so far.</summary>
    public SettingProblems Problems { get; }

    /// <summary>Why the file could not be read, a sentence each; empty when it was.</summary>
    public IReadOnlyList<string> Unread { get; }

    /// <summary>What a start would refuse, each with its place; empty before <see cref="SettingsCheck"/> has found it.</summary>
    public IReadOnlyList<string> Refusals { get; set; } = [];

    /// <summary>All certificates that are configured, loaded when they are asked for first. Empty: the development certificate would be used.</summary>
    public IReadOnlyList<ExaminedCertificate> Certificates => _certificates.Value;

    /// <summary>Reads settings as a start does. When the file cannot be read, those of environment and command line.</summary>
    /// <param name="file">The JSON file; null when there is none.</param>
    /// <param name="settings">Of the command line.</param>
    public static ExaminedConfiguration Load(string? file, IReadOnlyDictionary<string, string?> settings)
    {
        List<string> unread = [];
        IConfigurationRoot? configuration = null;
        try
        {
            // A pipe may have nobody who writes.
            Task<IConfigurationRoot> load = Task.Run(() => ConfigurationSources.Load(file, settings));
            if (load.Wait(LoadLimit))
            {
                configuration = load.Result;
            }
            else
            {
                unread.Add($"Configuration file '{file}' was not read within {LoadLimit.TotalSeconds} s.");
            }
        }
        catch (AggregateException exception) when (exception.InnerException is BadInputException)
        {
            unread.AddRange(exception.InnerException.Message.Split(Environment.NewLine));
        }

        configuration ??= ConfigurationSources.Load(null, settings);
        var problems = new SettingProblems(configuration);
        return new ExaminedConfiguration(file, ProxyOptions.Read(configuration, problems), problems, unread);
    }

    /// <summary>A sentence about a file or a device with the place of the setting that names it, where it is known.</summary>
    public string Locate(string sentence) => Refusals.FirstOrDefault(line => line.EndsWith(sentence, StringComparison.Ordinal)) ?? sentence;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_certificates.IsValueCreated)
        {
            foreach (ExaminedCertificate certificate in _certificates.Value)
            {
                certificate.Dispose();
            }
        }

        _software.Dispose();
    }
}
