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

    private readonly Accelerator _accelerator;
    private readonly FileWatch? _files;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ILogger<OcspFile> _responseLogger;
    private readonly ILogger<DevelopmentCertificate> _developmentLogger;
    private readonly IntermediatePool _pool = new();
    private readonly Lock _gate = new();                        // one load at a time
    private readonly IDisposable? _watch;
    private IReadOnlyList<KeyValuePair<string, CertificateOptions>> _configured = [];           // these three under _gate
    private OffloadPlan _plan;
    private Dictionary<string, OcspFile> _responses = new(StringComparer.Ordinal);              // by the name in the configuration
    private volatile CertificateEntry[] _entries = [];
    private volatile IReadOnlyList<string> _paths = [];
    private bool _isDisposed;                                   // under _gate

    /// <summary>Loads what is configured; without any, the development certificate.</summary>
    /// <exception cref="BadInputException">A certificate or its key cannot be used; one line for each. In a directory it is enough that one can.</exception>
    public CertificateStore(
        IReadOnlyList<KeyValuePair<string, CertificateOptions>> configured, Accelerator accelerator, FileWatch files, TimeProvider time, ILoggerFactory loggers)
        : this(accelerator, files, time, loggers)
    {
        try
        {
            using CertificateChange first = Prepare(configured, accelerator.Plan);
            Apply(first);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Without any yet: <see cref="Prepare"/> loads the first.</summary>
    public CertificateStore(Accelerator accelerator, FileWatch files, TimeProvider time, ILoggerFactory loggers)
    {
        _accelerator = accelerator;
        _plan = accelerator.Plan;
        _files = files;
        _time = time;
        _logger = loggers.CreateLogger<CertificateStore>();
        _responseLogger = loggers.CreateLogger<OcspFile>();
        _developmentLogger = loggers.CreateLogger<DevelopmentCertificate>();
        _watch = files.Watch("certificates", () => _paths, LoadChanged);
    }

    /// <summary>One that is already there, and stays as it is.</summary>
    /// <param name="certificate">Taken over.</param>
    /// <param name="accelerator">Of the proxy.</param>
    /// <param name="time">The clock.</param>
    public CertificateStore(ServerCertificate certificate, Accelerator accelerator, TimeProvider time)
    {
        _accelerator = accelerator;
        _plan = accelerator.Plan;
        _time = time;
        _logger = NullLogger.Instance;
        _responseLogger = NullLogger<OcspFile>.Instance;
        _developmentLogger = NullLogger<DevelopmentCertificate>.Instance;
        _entries = [CertificateEntry.Of(ProxyOptions.SingleCertificate, certificate, accelerator.Plan.Resolve(null))];
    }

    /// <summary>Other certificates than before are in use. On the thread that loads; the old ones are still there.</summary>
    public event Action? Changed;

    /// <summary>The development certificate, when it is in use.</summary>
    public DevelopmentCertificate? Development { get; private set; }

    /// <summary>All files, in the order of configuration, also those that cannot be used.</summary>
    public IReadOnlyList<CertificateEntry> Entries => _entries;

    /// <summary>All certificates, in the order of configuration.</summary>
    public IReadOnlyList<ServerCertificate> Certificates => [.. _entries.Select(static one => one.Certificate).OfType<ServerCertificate>()];

    /// <summary>Those of one listener; null when there are none of these names.</summary>
    /// <param name="names">As configured, the default one first; empty for all.</param>
    public CertificateIndex? Index(IReadOnlyList<string> names) => Index(_entries, names);

    /// <summary>The same, of certificates that are not in use yet.</summary>
    public static CertificateIndex? Index(IReadOnlyList<CertificateEntry> entries, IReadOnlyList<string> names)
    {
        ServerCertificate[] certificates =
        [
            .. (names.Count == 0 ? entries : names.SelectMany(name => entries.Where(one => one.Files.Source.Equals(name, StringComparison.OrdinalIgnoreCase))))
                .Select(static one => one.Certificate).OfType<ServerCertificate>(),
        ];
        return certificates.Length > 0 ? new CertificateIndex(certificates) : null;
    }

    /// <summary>Loads what another configuration has; nothing changes yet. What has the same files as before, and the same way, is not loaded again.</summary>
    /// <param name="configured">By name; without any, the development certificate is used.</param>
    /// <param name="plan">The way of keys.</param>
    /// <exception cref="BadInputException">A certificate or its key cannot be used; one line for each. In a directory it is enough that one can.</exception>
    public CertificateChange Prepare(IReadOnlyList<KeyValuePair<string, CertificateOptions>> configured, OffloadPlan plan)
    {
        lock (_gate)
        {
            var change = new CertificateChange(configured, plan, _entries, _responses.Values) { Since = _time.GetTimestamp() };
            try
            {
                if (configured.Count == 0)
                {
                    PrepareDevelopment(change);
                }
                else
                {
                    PrepareFiles(change);
                }

                return change;
            }
            catch
            {
                change.Dispose();
                throw;
            }
        }
    }

    /// <summary>Takes prepared certificates into use, for the handshakes that begin from now on.</summary>
    /// <returns>Those that are not used any more, for the caller to dispose.</returns>
    public IReadOnlyList<ServerCertificate> Apply(CertificateChange change)
    {
        lock (_gate)
        {
            CertificateEntry[] before = _entries;
            Dictionary<string, OcspFile> responses = _responses;
            _configured = change.Configured;
            _plan = change.Plan;
            _paths = change.Paths;
            _responses = change.Responses;
            Development = change.Development;
            _entries = change.Entries;
            change.IsApplied = true;
            TellRefused(change.Entries.Except(before));
            Changed?.Invoke();
            foreach (OcspFile response in responses.Values.Except(_responses.Values))
            {
                response.Dispose();
            }

            Tell(before, change.Entries, _time.GetElapsedTime(change.Since));
            return [.. FindUnused(before, change.Entries)];
        }
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

    private void PrepareDevelopment(CertificateChange change)
    {
        OffloadPath path = change.Plan.Resolve(null);
        if (Development is not null && _entries is [{ Files.Path: var way }] && way == path)
        {
            change.Development = Development;
            change.Entries = _entries;
            return;
        }

        change.Development = new DevelopmentCertificate(DevelopmentCertificate.DefaultDirectory(), _time, _developmentLogger);
        change.Entries = [CertificateEntry.Of(ProxyOptions.SingleCertificate, change.Development.Load(_accelerator, path), path)];
    }

    private void PrepareFiles(CertificateChange change)
    {
        List<string> problems = [];
        change.Entries = LoadAll(List(change.Configured, change.Plan, keepsUnreadable: false, out List<string> folders), isStart: _entries.Length == 0);
        change.Paths = [.. change.Entries.SelectMany(static one => one.Files.Paths).Concat(folders).Distinct(StringComparer.Ordinal)];
        Try(problems, () => RequireUsable(change.Configured, change.Entries));
        foreach (CertificateEntry entry in change.Entries.Where(static one => one.Files.Kind == CertificateFilesKind.Configured && one.Certificate is not null))
        {
            Try(problems, () => Staple(change, entry));
        }

        if (problems.Count > 0)
        {
            throw new BadInputException(string.Join(Environment.NewLine, problems));
        }
    }

    /// <summary>Files have changed.</summary>
    private void LoadChanged()
    {
        lock (_gate)
        {
            if (_isDisposed || _configured.Count == 0)
            {
                return;
            }

            long since = _time.GetTimestamp();
            CertificateEntry[] before = _entries;
            CertificateEntry[] loaded = LoadAll(List(_configured, _plan, keepsUnreadable: true, out List<string> folders), isStart: false);
            CertificateEntry[] entries = KeepNonEmpty([.. loaded], before);
            _paths = [.. entries.Concat(loaded).SelectMany(static one => one.Files.Paths).Concat(folders).Distinct(StringComparer.Ordinal)];
            if (entries.SequenceEqual(before))
            {
                return;
            }

            AttachResponses(entries);
            _entries = entries;
            TellRefused(entries.Except(before));
            Changed?.Invoke();
            foreach (ServerCertificate certificate in FindUnused(before, entries))
            {
                certificate.Dispose();
            }

            Tell(before, entries, _time.GetElapsedTime(since));
        }
    }

    private CertificateEntry[] LoadAll(List<CertificateFiles> wanted, bool isStart)
    {
        Dictionary<(string Source, string File), CertificateEntry> known = _entries.ToDictionary(static one => (one.Files.Source, one.Files.File));
        var loaded = new CertificateEntry[wanted.Count];

        // At start nothing else is to be done; later, clients are being served.
        Parallel.For(0, loaded.Length, new ParallelOptions { MaxDegreeOfParallelism = isStart ? Environment.ProcessorCount : 1 }, i =>
            loaded[i] = CertificateEntry.Load(wanted[i], known.GetValueOrDefault((wanted[i].Source, wanted[i].File)), _accelerator, _pool));
        return loaded;
    }

    /// <summary>What is to be loaded.</summary>
    /// <param name="configured">Of which configuration.</param>
    /// <param name="plan">The way of its keys.</param>
    /// <param name="keepsUnreadable">Whether a directory that cannot be read has what it had before, or is a problem.</param>
    /// <param name="folders">Directories, to be watched.</param>
    private List<CertificateFiles> List(
        IReadOnlyList<KeyValuePair<string, CertificateOptions>> configured, OffloadPlan plan, bool keepsUnreadable, out List<string> folders)
    {
        folders = [];
        List<CertificateFiles> files = [];
        foreach ((string name, CertificateOptions options) in configured)
        {
            OffloadPath path = plan.Resolve(options.Path);
            OffloadFallback fallback = options.Fallback ?? plan.DefaultFallback;
            if (options.File is { } file)
            {
                files.Add(new CertificateFiles(name, name, file, options.KeyFile ?? file, options.PasswordFile, path, fallback, CertificateFilesKind.Configured));
                continue;
            }

            try
            {
                files.AddRange(CertificateDirectory.List(name, options, path, fallback, out List<string> found));
                folders.AddRange(found);
            }
            catch (BadInputException exception) when (keepsUnreadable)
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

    private static void RequireUsable(IReadOnlyList<KeyValuePair<string, CertificateOptions>> configured, CertificateEntry[] entries)
    {
        List<string> problems = [.. entries.Where(static one => one.Files.Kind == CertificateFilesKind.Configured && one.Refusal is not null).Select(static one => one.Refusal!)];
        foreach ((string name, CertificateOptions options) in configured)
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

    /// <summary>Reads the OCSP response of a certificate that the configuration names, unless it has it already.</summary>
    private void Staple(CertificateChange change, CertificateEntry entry)
    {
        string name = entry.Files.Source;
        string? path = change.Configured.First(one => one.Key == name).Value.OcspFile;
        bool isKept = _entries.Contains(entry) && _responses.TryGetValue(name, out OcspFile? response) && response.Path == path;
        change.Responses.Add(name, isKept ? _responses[name] : new OcspFile(path, entry.Certificate!, _files!, _time, _responseLogger));
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

    private static HashSet<ServerCertificate> FindUnused(CertificateEntry[] before, CertificateEntry[] now) =>
        [.. before.Select(static one => one.Certificate).Except(now.Select(static one => one.Certificate)).OfType<ServerCertificate>()];

    private void Tell(CertificateEntry[] before, CertificateEntry[] now, TimeSpan elapsed)
    {
        if (before.Length == 0 && Development is not null)
        {
            Announce(now);
        }
        else if (before.Length == 0)
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
