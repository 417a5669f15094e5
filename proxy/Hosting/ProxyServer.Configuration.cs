using Microsoft.AspNetCore.Connections;
using WarpProxy.Admin;
using WarpProxy.Admission;
using WarpProxy.Certificates;
using WarpProxy.ClientCertificates;
using WarpProxy.Configuration;
using WarpProxy.Http;
using WarpProxy.Listeners;
using WarpProxy.Offload;
using WarpProxy.Passthrough;
using WarpProxy.ProxyProtocol;
using WarpProxy.Tls;

namespace WarpProxy.Hosting;

/// <summary>
/// What follows from the configuration. Another one is taken into use in two steps: all that it needs is made, files read, sockets opened; and only when
/// nothing of it was refused, what is in force is exchanged. Reloads run on the thread that watches files, one at a time.
/// </summary>
internal sealed partial class ProxyServer
{
    // What a listener is made of, besides its own section and the certificates.
    private static readonly string[] SharedSections = ["Server:Urls", "Protocol", "Tickets", "Hsts", "ClientCertificates", "Tls"];

    private readonly ReloadCounters _reloads = new();
    private readonly ProxyOptions _running;             // of the start: what cannot change without another one
    private IConfiguration _configuration;              // in force, as are the two below
    private volatile ProxyOptions _options;
    private volatile ClientCertificateHeaders _headers;
    private Func<IConfigurationRoot>? _load;
    private string _file = "";

    private static void CheckDevices(ProxyOptions options, SettingProblems problems)
    {
        if (options.UsesDevices)
        {
            problems.Try($"{OffloadOptions.Section}:{nameof(OffloadOptions.Devices)}", () => Accelerator.CheckDevices(options.Offload));
        }
    }

    /// <summary>Loads the certificates of a configuration; null when some cannot be used, or when there would be none but that of development.</summary>
    private CertificateChange? LoadCertificates(ProxyOptions options, OffloadPlan plan, SettingProblems problems, bool makesDevelopment)
    {
        // Of those that were refused already there is nothing to load.
        KeyValuePair<string, CertificateOptions>[] certificates = [.. options.Certificates.Where(static one => one.Value.IsGiven)];
        CertificateChange? change = null;
        if (certificates.Length > 0 || (options.Certificates.Count == 0 && makesDevelopment))
        {
            _certificates ??= new CertificateStore(_accelerator, _files, _time, _loggers);
            problems.Try(CertificateOptions.Section, () => change = _certificates.Prepare(certificates, plan));
        }
        else if (options.Certificates.Count == 0)
        {
            problems.Try(CertificateOptions.SingleSection, static () => DevelopmentCertificate.DefaultDirectory());
        }

        return change;
    }

    /// <summary>
    /// Makes what listeners do, and so reads all other files. Without certificates it makes them with one that is of no use, to find what else is wrong.
    /// </summary>
    /// <param name="options">Of the configuration.</param>
    /// <param name="certificates">Null when they were refused.</param>
    /// <param name="changes">Listeners of which nothing is among these stay as they are; null: there are none yet.</param>
    /// <param name="problems">Gets what cannot be used.</param>
    private List<ListenerState> MakeStates(ProxyOptions options, CertificateChange? certificates, SettingsChanges? changes, SettingProblems problems)
    {
        CertificateStore? standIn = certificates is null ? new CertificateStore(StandInCertificate.Make(), _accelerator, _time) : null;
        var parts = new TlsParts(standIn ?? _certificates!, _tickets, _clients, _tunnels, _lanes, _counters, _time, _loggers, _telemetry.Handshakes);
        List<ListenerState> states = [];

        // What is passed through was looked at with the settings; one that is wrong cannot be made.
        var none = new Dictionary<string, PassthroughOptions>();
        bool isRefused = problems.Count > 0;
        foreach (Listener listener in options.Listeners.Select(one => isRefused ? one with { Options = one.Options with { Passthrough = none } } : one))
        {
            if (changes is not null && !IsChanged(listener, changes) && _listeners.All.FirstOrDefault(open => open.Is(listener)) is { State: var state }
                && state.Listener.Name == listener.Name && state.Listener.Address == listener.Address)
            {
                states.Add(state);
                continue;
            }

            if (!listener.Address.IsHttps)
            {
                states.Add(new ListenerState(listener, null, HttpPolicy.Create(listener)));
                continue;
            }

            ClientTrust? clients = null;
            problems.Try(listener.Path, () => clients = _clients.Acquire(listener.Options.ClientCertificates));
            CertificateIndex? index = certificates is null
                ? standIn!.Index([])
                : CertificateStore.Index(certificates.Entries, listener.Options.Certificates);
            int before = problems.Count;
            problems.Try(listener.Path, () => states.Add(new ListenerState(
                listener, new TlsEndpoint(listener, options.Tls, index!, clients, parts), HttpPolicy.Create(listener))));
            if (problems.Count > before)
            {
                _clients.Release(clients);
            }
        }

        standIn?.Dispose();
        return states;
    }

    private static bool IsChanged(Listener listener, SettingsChanges changes) =>
        changes.Has($"{ListenerOptions.Section}:{listener.Name}") || Array.Exists(SharedSections, changes.Has);

    private void AddProxyProtocol(Listener listener, IConnectionBuilder connections) =>
        new ProxyProtocolEndpoints(_options.Tls.ClientHelloTimeout, _proxyProtocol, _time, _loggers).Configure(listener, connections);

    /// <summary>Opens the sockets of those that have none yet.</summary>
    /// <returns>All, in their order.</returns>
    /// <exception cref="BadInputException">An address cannot be used; none is open that was not.</exception>
    private async Task<List<OpenListener>> OpenAsync(List<ListenerState> states)
    {
        List<OpenListener> listeners = [];
        try
        {
            foreach (ListenerState state in states)
            {
                if (_listeners.All.FirstOrDefault(open => open.Is(state.Listener) && !listeners.Contains(open)) is { } there)
                {
                    listeners.Add(there);
                }
                else
                {
                    await ListenAsync(async () => listeners.Add(await _listeners.OpenAsync(state)), state.Listener.Address.ToString());
                }
            }

            return listeners;
        }
        catch
        {
            Close(listeners);
            throw;
        }
    }

    private void Close(List<OpenListener> listeners)
    {
        foreach (OpenListener listener in listeners.Except(_listeners.All))
        {
            _ = listener.DisposeAsync().AsTask();
        }
    }

    private void WatchConfiguration(IConfigurationRoot configuration)
    {
        // A pipe has nothing more to give.
        if (_load is not null && configuration.Providers.OfType<SettingsFile>().FirstOrDefault() is { Stamp.IsFile: true } file)
        {
            _file = file.FilePath;
            _reloads.File = file.FilePath;
            _files.Watch("configuration", file.FilePath, file.Stamp, TryReload);
        }
    }

    /// <summary>Reads the configuration again, and takes it into use. False when it was refused: it is tried again later, since what is wrong may be in other files.</summary>
    private bool TryReload()
    {
        if (_state == Readiness.Draining)
        {
            return true;
        }

        try
        {
            IConfigurationRoot configuration = _load!();
            Reload(configuration);
            return true;
        }
        catch (BadInputException refusal)
        {
            // The same again and again is told once.
            if (_reloads.Refused(refusal.Message.Split(Environment.NewLine), _time.GetUtcNow()))
            {
                _logger.ConfigurationRefused(refusal.Message);
            }

            return false;
        }
    }

    private void Reload(IConfigurationRoot configuration)
    {
        var problems = new SettingProblems(configuration);
        ProxyOptions options = ProxyOptions.Read(configuration, problems);
        SettingsChanges changes = SettingsChanges.Between(_configuration, configuration);
        if (problems.Count == 0 && changes.IsEmpty)
        {
            _reloads.Unchanged();
            _logger.ConfigurationUnchanged(_file);
            return;
        }

        CheckDevices(options, problems);
        OffloadPlan plan = OffloadPlan.Of(options);
        using CertificateChange? certificates = LoadCertificates(options, plan, problems, makesDevelopment: problems.Count == 0);
        List<ListenerState> states = MakeStates(options, certificates, changes, problems);
        List<OpenListener> listeners = [];
        try
        {
            problems.ThrowIfAny();
            listeners = OpenAsync(states).GetAwaiter().GetResult();
            if (changes.Has(Upstream.ReverseProxyOptions.Section))
            {
                _routes.ReplaceAsync(options.ReverseProxy).GetAwaiter().GetResult();
            }
        }
        catch
        {
            HashSet<ListenerState> inForce = [.. _listeners.All.Select(static listener => listener.State)];
            foreach (ListenerState state in states.Where(state => !inForce.Contains(state)))
            {
                state.Tls?.Dispose();
            }

            Close(listeners);
            throw;
        }

        // From here on nothing is refused.
        if (changes.Has(OffloadOptions.Section) || plan != _accelerator.Plan)
        {
            _accelerator.Configure(options.Offload, options.UsesDevices);
        }

        _headers = new ClientCertificateHeaders(options.Listeners);
        _configuration = configuration;
        _options = options;
        _admission.Configure(options.Limits, options.Tls.MaxHandshakes);
        SetTimeouts(options.Limits);
        Exchange(listeners, states, certificates!);
        _expiry!.Configure(options.CertificateExpiry);
        _files.Interval = options.Files.Interval;
        _logSettings.Replace(configuration);
        string[] waiting = [.. FindWaiting(options)];
        _reloads.Taken(_time.GetUtcNow(), waiting);
        _logger.ConfigurationReloaded(_file, changes.ToString());
        if (waiting.Length > 0)
        {
            _logger.RestartNeeded(string.Join(", ", waiting));
        }
    }

    /// <summary>Has the listeners serve as the new configuration says, with its certificates. The old certificates stay until no handshake can need them.</summary>
    private void Exchange(List<OpenListener> listeners, List<ListenerState> states, CertificateChange certificates)
    {
        TlsEndpoint[] retired = [.. _listeners.All.Select(static listener => listener.State.Tls).Except(states.Select(static state => state.Tls)).OfType<TlsEndpoint>()];
        IReadOnlyList<ServerCertificate> unused = [];
        int left = retired.Length + 1;
        void Leave()
        {
            if (Interlocked.Decrement(ref left) == 0)
            {
                foreach (ServerCertificate certificate in unused)
                {
                    certificate.Dispose();
                }
            }
        }

        foreach (TlsEndpoint endpoint in retired)
        {
            endpoint.Gone += Leave;
        }

        HashSet<string> urls = [.. Urls];
        foreach ((OpenListener listener, ListenerState state) in listeners.Zip(states))
        {
            if (listener.State != state)
            {
                listener.Take(state);
            }
        }

        _listeners.Replace(listeners);
        unused = _certificates!.Apply(certificates);
        Leave();
        foreach (string url in Urls.Except(urls))
        {
            _logger.Serving(url);
        }
    }

    /// <summary>Kestrel looks at them for each new connection.</summary>
    private void SetTimeouts(LimitOptions limits)
    {
        _http!.KeepAliveTimeout = limits.KeepAliveTimeout;
        _http.RequestHeadersTimeout = limits.RequestHeadersTimeout;
    }

    /// <summary>Settings that differ from those of the start, and are read at none but that.</summary>
    private IEnumerable<string> FindWaiting(ProxyOptions options)
    {
        (string Setting, object Running, object Wanted)[] settings =
        [
            ("Server:Admin", _running.Server.Admin, options.Server.Admin),
            ("Server:AdminTokenFile", _running.Server.AdminTokenFile ?? "", options.Server.AdminTokenFile ?? ""),
            ("Server:Metrics", _running.Server.Metrics ?? "", options.Server.Metrics ?? ""),
            ("Server:Processors", _running.Server.Processors, options.Server.Processors),
            ("Offload:DevDirectory", _running.Offload.DevDirectory, options.Offload.DevDirectory),
            ("Offload:SysDirectory", _running.Offload.SysDirectory, options.Offload.SysDirectory),
            ("Limits:Backlog", _running.Limits.Backlog, options.Limits.Backlog),
            ("Tls:Lanes", _running.Tls.Lanes, options.Tls.Lanes),
            ("Tls:MaxWaiting", _running.Tls.MaxWaiting, options.Tls.MaxWaiting),
            ("Tls:LaneTimeout", _running.Tls.LaneTimeout, options.Tls.LaneTimeout),
        ];
        return settings.Where(static setting => !setting.Running.Equals(setting.Wanted)).Select(static setting => setting.Setting);
    }
}
