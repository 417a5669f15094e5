using WarpProxy.Configuration;
using WarpProxy.Offload;

namespace WarpProxy.Doctor;

/// <summary>What a start would refuse, in its own sentences. What other checks find in certificates and devices is left to them.</summary>
internal sealed class SettingsCheck(ExaminedConfiguration configuration) : ICheck
{
    /// <inheritdoc/>
    public string Name => "configuration";

    /// <inheritdoc/>
    public TimeSpan Limit => TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public IEnumerable<Finding> Run()
    {
        foreach (string sentence in configuration.Unread)
        {
            yield return Finding.Failed(Name, configuration.File, sentence.TrimEnd('.'), "What follows is of the environment and the command line alone");
        }

        string? right = null;
        try
        {
            right = ConfigurationCheck.RunAsync(configuration.File, configuration.Options, configuration.Problems).GetAwaiter().GetResult();
        }
        catch (BadInputException exception)
        {
            configuration.Refusals = exception.Message.Split(Environment.NewLine);
        }

        HashSet<string> others = [.. configuration.Certificates.Select(static one => one.Refusal).OfType<string>(), .. FindDeviceProblems()];
        foreach (string line in configuration.Refusals.Where(line => !others.Any(line.EndsWith)))
        {
            yield return Finding.Failed(Name, null, line.TrimEnd('.'), null);
        }

        if (right is not null && configuration.Unread.Count == 0)
        {
            yield return Finding.Ok(Name, null, right);
        }
    }

    private string[] FindDeviceProblems()
    {
        if (!configuration.Options.UsesDevices)
        {
            return [];
        }

        try
        {
            Accelerator.CheckDevices(configuration.Options.Offload);
            return [];
        }
        catch (BadInputException exception)
        {
            return exception.Message.Split(Environment.NewLine);
        }
    }
}
