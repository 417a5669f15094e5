using System.Diagnostics.Metrics;

namespace WarpProxy.Certificates;

/// <summary>Warns of certificates that end soon, or have not begun: once each in the log, and in the metric <c>warpproxy.certificate.expiry</c>.</summary>
internal sealed class CertificateExpiry : IDisposable
{
    // Of ten thousand certificates, those that end first are of interest.
    private const int MaxMeasured = 100;
    private const int MaxLines = 20;
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);
    private static readonly TimeSpan LastWarning = TimeSpan.FromDays(1);

    private readonly CertificateStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Meter _meter = new("WarpProxy");
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private volatile CertificateExpiryOptions _options;
    private Dictionary<ServerCertificate, Stage> _told = [];        // under _gate
    private volatile IReadOnlyList<CertificateEntry> _first = [];   // those that end first, in this order

    /// <summary>Looks at once, whenever certificates change, and every hour.</summary>
    public CertificateExpiry(CertificateStore store, CertificateExpiryOptions options, TimeProvider time, ILogger<CertificateExpiry> logger)
    {
        _store = store;
        _options = options;
        _time = time;
        _logger = logger;
        _meter.CreateObservableGauge("warpproxy.certificate.expiry", Measure, "s", "Time until the certificate ends; negative when it has.");
        store.Changed += Look;
        _timer = time.CreateTimer(_ => Look(), null, Interval, Interval);
        Look();
    }

    private enum Stage
    {
        Good,
        NotYetValid,
        EndsSoon,
        EndsInADay,
        Ended,
    }

    /// <summary>The one that ends first; null without any.</summary>
    public CertificateEnd? Next =>
        _first is [{ Certificate: { } certificate } entry, ..] ? new CertificateEnd(entry.Files.Name, certificate.Subject, certificate.NotAfter) : null;

    /// <summary>Those that end first, in this order.</summary>
    /// <param name="count">At most so many.</param>
    public IReadOnlyList<CertificateEnd> First(int count) =>
    [
        .. _first.Take(count).Select(static entry => new CertificateEnd(entry.Files.Name, entry.Certificate!.Subject, entry.Certificate.NotAfter)),
    ];

    /// <summary>Changes when it warns.</summary>
    public void Configure(CertificateExpiryOptions options)
    {
        _options = options;
        Look();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _store.Changed -= Look;
        _timer.Dispose();
        _meter.Dispose();
    }

    private void Look()
    {
        lock (_gate)
        {
            DateTimeOffset now = _time.GetUtcNow();
            CertificateEntry[] entries = [.. _store.Entries.Where(static one => one.Certificate is not null).OrderBy(static one => one.Certificate!.NotAfter)];
            _first = entries.Length <= MaxMeasured ? entries : entries[..MaxMeasured];
            var told = new Dictionary<ServerCertificate, Stage>();
            int count = 0;
            foreach (CertificateEntry entry in entries)
            {
                Stage stage = StageOf(entry.Certificate!, now);
                if (stage == Stage.Good)
                {
                    continue;
                }

                // Of a certificate that two names in the configuration have, the first one tells.
                if (told.TryAdd(entry.Certificate!, stage) && _told.GetValueOrDefault(entry.Certificate!) != stage && ++count <= MaxLines)
                {
                    Tell(entry, stage);
                }
            }

            if (count > MaxLines)
            {
                _logger.MoreCertificatesEnd(count - MaxLines);
            }

            _told = told;
        }
    }

    private Stage StageOf(ServerCertificate certificate, DateTimeOffset now)
    {
        TimeSpan left = certificate.NotAfter - now;
        return left < TimeSpan.Zero ? Stage.Ended
            : certificate.NotBefore > now ? Stage.NotYetValid
            : left < LastWarning ? Stage.EndsInADay
            : left < _options.WarnBefore ? Stage.EndsSoon
            : Stage.Good;
    }

    private void Tell(CertificateEntry entry, Stage stage)
    {
        ServerCertificate certificate = entry.Certificate!;
        switch (stage)
        {
            case Stage.Ended:
                _logger.CertificateExpired(entry.Files.Name, certificate.Subject, certificate.NotAfter.UtcDateTime);
                break;
            case Stage.NotYetValid:
                _logger.CertificateNotYetValid(entry.Files.Name, certificate.Subject, certificate.NotBefore.UtcDateTime);
                break;
            default:
                _logger.CertificateEndsSoon(entry.Files.Name, certificate.Subject, certificate.NotAfter.UtcDateTime);
                break;
        }
    }

    private IEnumerable<Measurement<double>> Measure()
    {
        DateTimeOffset now = _time.GetUtcNow();
        return _first.Select(entry => new Measurement<double>(
            (entry.Certificate!.NotAfter - now).TotalSeconds, new KeyValuePair<string, object?>("certificate", entry.Files.Name)));
    }
}
