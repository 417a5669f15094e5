using System.ComponentModel.DataAnnotations;
using WarpProxy.Admission;

namespace WarpProxy.Listeners;

/// <summary>How many clients one listener takes.</summary>
internal sealed partial record ListenerOptions
{
    /// <summary>The most connections of clients here; one more is reset. Left out: <c>Limits:MaxConnections</c> alone counts.</summary>
    public int? MaxConnections { get; init; }

    /// <summary>The most connections here from one address, of IPv6 from one network of 64 bits; one more is reset. Left out: no such limit.</summary>
    public int? MaxConnectionsPerAddress { get; init; }

    /// <param name="path">Of the section.</param>
    private IEnumerable<ValidationResult> ValidateLimits(string path)
    {
        foreach ((string name, int? value) in new[] { (nameof(MaxConnections), MaxConnections), (nameof(MaxConnectionsPerAddress), MaxConnectionsPerAddress) })
        {
            if (value is < 1 or > LimitOptions.MaxLimit)
            {
                yield return new($"{path}:{name} is {value}; it must be between 1 and {LimitOptions.MaxLimit}.", [name]);
            }
        }
    }
}
