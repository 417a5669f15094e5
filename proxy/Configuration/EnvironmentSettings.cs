using System.Collections;
using System.Text.RegularExpressions;
using WarpProxy.Certificates;

namespace WarpProxy.Configuration;

/// <summary>Settings of the environment: <c>WARPPROXY_Offload__Depth</c> is <c>Offload:Depth</c>. Unlike .NET's provider it knows where each comes from.</summary>
internal sealed partial class EnvironmentSettings : ConfigurationProvider, IConfigurationSource
{
    /// <summary>What the names of the variables begin with.</summary>
    public const string Prefix = "WARPPROXY_";

    private const string Separator = "__";

    private readonly SortedDictionary<string, string> _variables = new(StringComparer.OrdinalIgnoreCase);     // by path

    /// <summary>Takes those that begin with the prefix, in any case.</summary>
    /// <param name="environment">Names and values, as <see cref="Environment.GetEnvironmentVariables()"/> has them.</param>
    public EnvironmentSettings(IDictionary environment)
    {
        foreach (DictionaryEntry variable in environment)
        {
            string name = (string)variable.Key;
            if (name.Length > Prefix.Length && name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
                && name != KeyPassword.EnvironmentVariable && !OfKubernetes().IsMatch(name))
            {
                string path = name[Prefix.Length..].Replace(Separator, ConfigurationPath.KeyDelimiter, StringComparison.Ordinal);
                Data[path] = (string?)variable.Value;
                _variables[path] = name;
            }
        }
    }

    /// <summary>The variable of a setting, or the first below a section; null when there is none.</summary>
    public string? FindVariable(string path) => _variables.TryGetValue(path, out string? variable)
        ? variable
        : _variables.FirstOrDefault(one => one.Key.StartsWith(path + ConfigurationPath.KeyDelimiter, StringComparison.OrdinalIgnoreCase)).Value;

    /// <inheritdoc/>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>Kubernetes gives these to every container beside a Service that is called warpproxy; they are no settings of ours.</summary>
    [GeneratedRegex(@"^WARPPROXY_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$")]
    private static partial Regex OfKubernetes();
}
