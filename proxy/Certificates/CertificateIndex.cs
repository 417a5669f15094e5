using System.Collections.Frozen;
using System.Runtime.InteropServices;

namespace WarpProxy.Certificates;

/// <summary>
/// Finds the certificates for the name that a client asks for (SNI): those that have it, then those that have a wildcard for it (RFC 6125 6.4.3: one label,
/// the leftmost), then the default ones. It never changes; any thread.
/// </summary>
internal sealed class CertificateIndex
{
    private const string WildcardLabel = "*.";

    private readonly FrozenDictionary<string, CertificateSet>.AlternateLookup<ReadOnlySpan<char>> _names;
    private readonly FrozenDictionary<string, CertificateSet>.AlternateLookup<ReadOnlySpan<char>> _wildcards;      // by what comes after "*."

    /// <summary>Sorts certificates by their names.</summary>
    /// <param name="certificates">At least one; of several with the same name and type of key the first one is used.</param>
    public CertificateIndex(IReadOnlyList<ServerCertificate> certificates)
    {
        var byName = new Dictionary<string, List<ServerCertificate>>(StringComparer.OrdinalIgnoreCase);
        foreach (ServerCertificate certificate in certificates)
        {
            foreach (string name in certificate.Names)
            {
                ref List<ServerCertificate>? others = ref CollectionsMarshal.GetValueRefOrAddDefault(byName, name, out _);
                others ??= new List<ServerCertificate>(1);
                if (others.TrueForAll(other => other.KeyType != certificate.KeyType))
                {
                    others.Add(certificate);
                }
            }
        }

        // Names with the same certificates share a set, so that there is one TLS context for all names of a certificate.
        var sets = new Dictionary<string, CertificateSet>(StringComparer.OrdinalIgnoreCase);
        var known = new Dictionary<(ServerCertificate First, ServerCertificate? Second), CertificateSet>();
        foreach ((string name, List<ServerCertificate> members) in byName)
        {
            ref CertificateSet? set = ref CollectionsMarshal.GetValueRefOrAddDefault(known, (members[0], members.ElementAtOrDefault(1)), out _);
            sets[name] = set ??= new CertificateSet(members);
        }

        ServerCertificate preferred = certificates[0];
        Default = known.Values.FirstOrDefault(set => set.Certificates[0] == preferred)
            ?? known.Values.FirstOrDefault(set => set.Certificates.Contains(preferred))
            ?? new CertificateSet([preferred]);
        Sets = new HashSet<CertificateSet>([.. known.Values, Default]);
        _names = sets.Where(static set => !IsWildcard(set.Key)).ToFrozenDictionary(StringComparer.OrdinalIgnoreCase).GetAlternateLookup<ReadOnlySpan<char>>();
        _wildcards = sets.Where(static set => IsWildcard(set.Key))
            .ToFrozenDictionary(static set => set.Key[WildcardLabel.Length..], static set => set.Value, StringComparer.OrdinalIgnoreCase)
            .GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>All sets.</summary>
    public IReadOnlySet<CertificateSet> Sets { get; }

    /// <summary>For clients that ask for no name, or for one that is not here.</summary>
    public CertificateSet Default { get; }

    /// <summary>Those for a name, as the client wrote it; null when there are none.</summary>
    public CertificateSet? Find(ReadOnlySpan<char> name)
    {
        // RFC 6066 3 has names without the last dot; some clients send it.
        name = name.TrimEnd('.');
        if (_names.TryGetValue(name, out CertificateSet? set))
        {
            return set;
        }

        int firstDot = name.IndexOf('.');
        return firstDot > 0 && _wildcards.TryGetValue(name[(firstDot + 1)..], out set) ? set : null;
    }

    private static bool IsWildcard(string name) => name.StartsWith(WildcardLabel, StringComparison.Ordinal);
}
