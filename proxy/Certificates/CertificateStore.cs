using Microsoft.Extensions.Logging.Abstractions;
using WarpProxy.Configuration;
using WarpProxy.Files;
using WarpProxy.Ocsp;
using WarpProxy.Offload;

namespace WarpProxy.Certificates;

/// <summary>
/// All certificates of the proxy, by the names that the configuration gives them. It owns them, and loads them again when their files change:
/// all that have changed come into use at the same moment, and the old ones go when the handshakes with them have ended. Any thread may read.
/// </summary>
internal sealed class CertificateStore : IDisposable
{
    // One line each up to here; after that, one for all of them.
    private const int MaxLines = 20;

    // Loading leaves a lot behind; it is given back at once when it is more than a proxy needs anyhow.
    private const int ManyCertificates = 500;

    private readonly IReadOnlyList<KeyValuePair<string, CertificateOptions>> _configured;
    private readonly Accelerator _accelerator;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IntermediatePool _pool = new();
    private readonly Dictionary<string, OcspFile> _responses = new(StringComparer.Ordinal);     // by the name in the configuration; under _gate
    private readonly Lock _gate = new();                        // one load at a time
    private readonly IDisposable? _watch;
    private volatile CertificateEntry[] _entries = [];
    private volatile IReadOnlyList<string> _paths = [];
    private bool _isDisposed;                                   // under _gate

    /// <summary>Loads what is configured; without any, the development certificate.</summary>
    /// <exception cref="BadInputException">A certificate or its key cannot be used; one line for each. In a directory it is enough that one can.</exception>
    public CertificateStore(
        IReadOnlyList<KeyValuePair<string, CertificateOptions>> configured, Accelerator accelerator, FileWatch files, TimeProvider time, ILoggerFactory loggers)
    {
        _configured = configured;
        _accelerator = accelerator;
        _time = time;
        _logger = loggers.CreateLogger<CertificateStore>();
        try
        {
            if (configured.Count > 0)
            {
                _paths = [.. List(out List<string> folders).SelectMany(static one => one.Paths), .. folders];
                _watch = files.Watch("certificates", () => _paths, () => Load(isStart: false));
                List<string> problems = [];
                Try(problems, () => Load(isStart: true));
                foreach (CertificateEntry entry in _entries.Where(static one => one.Files.Kind == CertificateFilesKind.Configured && one.Certificate is not null))
                {
                    Try(problems, () => Staple(entry, files, loggers.CreateLogger<OcspFile>()));
                }

                if (problems.Count > 0)
                {
                    throw new BadInputException(string.Join(Environment.NewLine, problems));
                }
            }
            else
            {
                Development = new DevelopmentCertificate(DevelopmentCertificate.DefaultDirectory(), time, loggers.CreateLogger<DevelopmentCertificate>());
                _entries = [CertificateEntry.Of(ProxyOptions.SingleCertificate, Development.Load(accelerator), accelerator.DefaultPath)];
                Announce(_entries);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>One that is already there, and stays as it is.</summary>
    /// <param name="certificate">Taken over.</param>
    /// <param name="accelerator">Of the proxy.</param>
    /// <param name="time">The clock.</param>
    public CertificateStore(ServerCertificate certificate, Accelerator accelerator, TimeProvider time)
    {
        _configured = [];
        _accelerator = accelerator;
        _time = time;
        _logger = NullLogger.Instance;
        _entries = [CertificateEntry.Of(ProxyOptions.SingleCertificate, certificate, accelerator.DefaultPath)];
    }

    /// <summary>Other certificates than before are in use. On the thread that loads; the old ones are still there.</summary>
    public event Action? Changed;

    /// <summary>The development certificate, when it is in use.</summary>
    public DevelopmentCertificate? Development { get; }

    /// <summary>All files, in the order of configuration, also those that cannot be used.</summary>
    public IReadOnlyList<CertificateEntry> Entries => _entries;

    /// <summary>All certificates, in the order of configuration.</summary>
    public IReadOnlyList<ServerCertificate> Certificates => [.. _entries.Select(static one => one.Certificate).OfType<ServerCertificate>()];

    /// <summary>Those of one listener.</summary>
    /// <param name="names">As configured, the default one first; empty for all.</param>
    public CertificateIndex Index(IReadOnlyList<string> names)
    {
        CertificateEntry[] entries = _entries;
        return new CertificateIndex(
        [
            .. (names.Count == 0 ? entries : names.SelectMany(name => entries.Where(one => one.Files.Source.Equals(name, StringComparison.OrdinalIgnoreCase))))
                .Select(static one => one.Certificate).OfType<ServerCertificate>(),
        ]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _watch?.Dispose();
        lock (_gate)
        {
            _isDisposed = true;
            foreach (OcspFile response in _responses.Values)
            {
                response.Dispose();
            }

            foreach (CertificateEntry entry in _entries)
            {
                entry.Certificate?.Dispose();
            }
        }
    }

    private void Load(bool isStart)
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            long since = _time.GetTimestamp();
            CertificateEntry[] before = _entries;
            Dictionary<(string Source, string File), CertificateEntry> known = before.ToDictionary(static one => (one.Files.Source, one.Files.File));
            List<CertificateFiles> wanted = List(out List<string> folders);
            var loaded = new CertificateEntry[wanted.Count];

            // At start nothing else is to be done; later, clients are being served.
            Parallel.For(0, loaded.Length, new ParallelOptions { MaxDegreeOfParallelism = isStart ? Environment.ProcessorCount : 1 }, i =>
                loaded[i] = CertificateEntry.Load(wanted[i], known.GetValueOrDefault((wanted[i].Source, wanted[i].File)), _accelerator, _pool));
            CertificateEntry[] entries = KeepNonEmpty([.. loaded], before);
            _paths = [.. entries.Concat(loaded).SelectMany(static one => one.Files.Paths).Concat(folders).Distinct(StringComparer.Ordinal)];
            if (isStart)
            {
                _entries = entries;     // whatever comes of it, it will be disposed
                RequireUsable(entries);
            }
            else if (entries.SequenceEqual(before))
            {
                return;
            }

            AttachResponses(entries);
            _entries = entries;
            TellRefused(entries.Except(before));
            Changed?.Invoke();
            Retire(before, entries);
            Tell(before, entries, isStart, _time.GetElapsedTime(since));
        }
    }

    /// <summary>What is to be loaded. A directory that cannot be read has what it had before.</summary>
    private List<CertificateFiles> List(out List<string> folders)
    {
        folders = [];
        List<CertificateFiles> files = [];
        foreach ((string name, CertificateOptions options) in _configured)
        {
            OffloadPath path = options.Path ?? _accelerator.DefaultPath;
            if (options.File is { } file)
            {
                files.Add(new CertificateFiles(name, name, file, options.KeyFile ?? file, options.PasswordFile, path, CertificateFilesKind.Configured));
                continue;
            }

            try
            {
                files.AddRange(CertificateDirectory.List(name, options, path, out List<string> found));
                folders.AddRange(found);
            }
            catch (BadInputException exception) when (_entries.Length > 0)
            {
                _logger.CertificateRefused(name, exception.Message);
                files.AddRange(_entries.Where(one => one.Files.Source == name).Select(static one => one.Files));
                folders.Add(options.Directory!);
            }
        }

        return files;
    }

    /// <summary>A directory whose last certificate is gone keeps it: whoever empties a directory is about to fill it, and a listener must have one.</summary>
    private CertificateEntry[] KeepNonEmpty(List<CertificateEntry> loaded, CertificateEntry[] before)
    {
        foreach ((string name, CertificateOptions options) in _configured)
        {
            if (!loaded.Exists(one => one.Files.Source == name && one.Certificate is not null)
                && before.Where(one => one.Files.Source == name && one.Certificate is not null).ToList() is { Count: > 0 } old)
            {
                _logger.CertificateRefused(name, $"Certificate directory '{options.Directory}' has no certificate any more.");
                loaded.RemoveAll(one => one.Files.Source == name);
                loaded.AddRange(old);
            }
        }

        return [.. loaded];
    }

    private void RequireUsable(CertificateEntry[] entries)
    {
        List<string> problems = [.. entries.Where(static one => one.Files.Kind == CertificateFilesKind.Configured && one.Refusal is not null).Select(static one => one.Refusal!)];
        foreach ((string name, CertificateOptions options) in _configured)
        {
            if (options.Directory is { } directory && !Array.Exists(entries, one => one.Files.Source == name && one.Certificate is not null))
            {
                problems.AddRange(entries.Where(one => one.Files.Source == name && one.Refusal is not null).Take(MaxLines).Select(static one => one.Refusal!));
                problems.Add($"{CertificateOptions.Section}:{name}:Directory is '{directory}', which has no certificate that can be used.");
            }
        }

        if (problems.Count > 0)
        {
            throw new BadInputException(string.Join(Environment.NewLine, problems));
        }
    }

    private static void Try(List<string> problems, Action load)
    {
        try
        {
            load();
        }
        catch (BadInputException exception)
        {
            problems.Add(exception.Message);
        }
    }

    /// <summary>Reads the OCSP response of a certificate that the configuration names.</summary>
    private void Staple(CertificateEntry entry, FileWatch files, ILogger<OcspFile> logger)
    {
        CertificateOptions options = _configured.First(one => one.Key == entry.Files.Source).Value;
        lock (_gate)
        {
            _responses.Add(entry.Files.Source, new OcspFile(options.OcspFile, entry.Certificate!, files, _time, logger));
        }
    }

    /// <summary>Before new certificates come into use, so that none is ever shown without the response that is about it.</summary>
    private void AttachResponses(CertificateEntry[] entries)
    {
        foreach (CertificateEntry entry in entries)
        {
            if (entry.Certificate is { } certificate && entry.Files.Kind == CertificateFilesKind.Configured
                && _responses.TryGetValue(entry.Files.Source, out OcspFile? response))
            {
                response.Attach(certificate);
            }
        }
    }

    private void TellRefused(IEnumerable<CertificateEntry> entries)
    {
        int count = 0;
        foreach (CertificateEntry entry in entries.Where(static one => one.Refusal is not null))
        {
            if (++count > MaxLines)
            {
                continue;
            }

            if (entry.Certificate is null)
            {
                _logger.NewCertificateRefused(entry.Files.Name, entry.Refusal!);
            }
            else
            {
                _logger.CertificateRefused(entry.Files.Name, entry.Refusal!);
            }
        }

        if (count > MaxLines)
        {
            _logger.MoreCertificatesRefused(count - MaxLines);
        }
    }

    private static void Retire(CertificateEntry[] before, CertificateEntry[] now)
    {
        HashSet<ServerCertificate> used = [.. now.Select(static one => one.Certificate).OfType<ServerCertificate>()];
        foreach (CertificateEntry entry in before)
        {
            if (entry.Certificate is { } certificate && !used.Contains(certificate))
            {
                certificate.Dispose();
            }
        }
    }

    private void Tell(CertificateEntry[] before, CertificateEntry[] now, bool isStart, TimeSpan elapsed)
    {
        if (isStart)
        {
            _logger.CertificatesLoaded(Certificates.Count, elapsed.TotalSeconds);
            Announce(now);
        }
        else
        {
            HashSet<ServerCertificate?> old = [.. before.Select(static one => one.Certificate)];
            CertificateEntry[] changed = [.. now.Where(one => one.Certificate is not null && !old.Contains(one.Certificate))];
            if (changed.Length > 0 || now.Length < before.Length)
            {
                _logger.CertificatesReloaded(changed.Length, Certificates.Count, elapsed.TotalSeconds);
                Announce(changed);
            }
        }

        if (now.Except(before).Count() >= ManyCertificates)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    private void Announce(CertificateEntry[] entries)
    {
        // Of those that the configuration names, their OCSP files tell.
        foreach (CertificateEntry entry in entries.Where(static one => one.Files.Kind != CertificateFilesKind.Configured && one.Certificate is { MustStaple: true }).Take(MaxLines))
        {
            _logger.StapleMissing(entry.Certificate!.Subject, entry.Certificate.File);
        }

        if (entries.Length <= MaxLines)
        {
            foreach (ServerCertificate certificate in entries.Select(static one => one.Certificate).OfType<ServerCertificate>())
            {
                _logger.CertificateLoaded(certificate.Subject, certificate.KeyDescription, certificate.NotAfter.UtcDateTime, certificate.File);
            }
        }
    }
}
