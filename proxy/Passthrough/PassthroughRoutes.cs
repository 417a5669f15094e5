using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace WarpProxy.Passthrough;

/// <summary>The names of a listener that are not terminated, and where each goes. Any thread.</summary>
internal sealed class PassthroughRoutes
{
    private readonly FrozenDictionary<string, PassthroughRoute> _exact;
    private readonly FrozenDictionary<string, PassthroughRoute>.AlternateLookup<ReadOnlySpan<char>> _behindOneLabel;

    /// <summary>Takes the entries of one listener, validated; of their names <see cref="FindTwice"/> has found none.</summary>
    public PassthroughRoutes(string listener, IReadOnlyDictionary<string, PassthroughOptions> entries)
    {
        All = [.. entries.Select(entry => new PassthroughRoute(listener, entry.Key, entry.Value))];
        Dictionary<string, PassthroughRoute> exact = [];
        Dictionary<string, PassthroughRoute> wildcards = [];
        foreach (PassthroughRoute route in All)
        {
            foreach (string name in route.Options.Names)
            {
                string lower = name.ToLowerInvariant();
                if (lower.StartsWith("*.", StringComparison.Ordinal))
                {
                    wildcards.Add(lower[2..], route);
                }
                else
                {
                    exact.Add(lower, route);
                }
            }
        }

        _exact = exact.ToFrozenDictionary(StringComparer.Ordinal);
        _behindOneLabel = wildcards.ToFrozenDictionary(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The routes, in the order of configuration.</summary>
    public IReadOnlyList<PassthroughRoute> All { get; }

    /// <summary>Names that more than one entry has, or one more than once.</summary>
    public static IEnumerable<string> FindTwice(IEnumerable<PassthroughOptions> entries) => entries
        .SelectMany(static entry => entry.Names)
        .GroupBy(static name => name, StringComparer.OrdinalIgnoreCase)
        .Where(static group => group.Count() > 1)
        .Select(static group => group.Key);

    /// <summary>Finds the route of a name in lower case; the name itself is stronger than a wildcard.</summary>
    public bool TryFind(string name, [NotNullWhen(true)] out PassthroughRoute? route)
    {
        if (_exact.TryGetValue(name, out route))
        {
            return true;
        }

        int dot = name.IndexOf('.');
        return dot >= 0 && _behindOneLabel.TryGetValue(name.AsSpan(dot + 1), out route);
    }
}
