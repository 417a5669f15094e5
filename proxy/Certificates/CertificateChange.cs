using WarpProxy.Ocsp;
using WarpProxy.Offload;

namespace WarpProxy.Certificates;

/// <summary>
/// The certificates of another configuration, loaded and good, and not in use yet: made by <see cref="CertificateStore.Prepare"/>, taken into use by
/// <see cref="CertificateStore.Apply"/>, or else disposed. One thread.
/// </summary>
internal sealed class CertificateChange : IDisposable
{
    private readonly HashSet<ServerCertificate> _earlier;       // the store's, also when this is not applied
    private readonly HashSet<OcspFile> _earlierResponses;

    /// <summary>Begins with nothing but what there is before it.</summary>
    public CertificateChange(
        IReadOnlyList<KeyValuePair<string, CertificateOptions>> configured, OffloadPlan plan, IEnumerable<CertificateEntry> earlier, IEnumerable<OcspFile> earlierResponses)
    {
        Configured = configured;
        Plan = plan;
        _earlier = [.. earlier.Select(static one => one.Certificate).OfType<ServerCertificate>()];
        _earlierResponses = [.. earlierResponses];
    }

    /// <summary>What was configured.</summary>
    public IReadOnlyList<KeyValuePair<string, CertificateOptions>> Configured { get; }

    /// <summary>The way of their keys.</summary>
    public OffloadPlan Plan { get; }

    /// <summary>The development certificate, when it is in use.</summary>
    public DevelopmentCertificate? Development { get; set; }

    /// <summary>All files; some of the store's, where nothing has changed.</summary>
    public CertificateEntry[] Entries { get; set; } = [];

    /// <summary>What is to be watched.</summary>
    public IReadOnlyList<string> Paths { get; set; } = [];

    /// <summary>OCSP responses, by the name in the configuration; some of the store's.</summary>
    public Dictionary<string, OcspFile> Responses { get; } = new(StringComparer.Ordinal);

    /// <summary>When loading began, as a timestamp.</summary>
    public long Since { get; init; }

    /// <summary>Whether it is the store's now.</summary>
    public bool IsApplied { get; set; }

    /// <summary>Of a configuration that was refused, nothing stays.</summary>
    public void Dispose()
    {
        if (IsApplied)
        {
            return;
        }

        foreach (OcspFile response in Responses.Values.Where(response => !_earlierResponses.Contains(response)))
        {
            response.Dispose();
        }

        foreach (CertificateEntry entry in Entries)
        {
            if (entry?.Certificate is { } certificate && !_earlier.Contains(certificate))
            {
                certificate.Dispose();
            }
        }
    }
}
