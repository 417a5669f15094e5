using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using WarpProxy.Admin;
using WarpProxy.Admission;
using WarpProxy.Certificates;
using WarpProxy.ClientCertificates;
using WarpProxy.Configuration;
using WarpProxy.Files;
using WarpProxy.Http;
using WarpProxy.Listeners;
using WarpProxy.Offload;
using WarpProxy.Passthrough;
using WarpProxy.ProxyProtocol;
using WarpProxy.Tickets;
using WarpProxy.Tls;
using WarpProxy.Upstream;

namespace WarpProxy.Hosting;

/// <summary>The whole proxy: started at once, drained and disposed at once. Parts are made top to bottom and disposed bottom to top.</summary>
internal sealed class ProxyServer : IAsyncDisposable
{
    private readonly ProxyOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly Accelerator _accelerator;
    private readonly HandshakeCounters _counters = new();
    private readonly HandshakeLanes _lanes;
    private readonly UnobservedFailures _unobserved;
    private readonly ConnectionAdmission _admission;
    private readonly OperationReport _report;
    private readonly AdminListener _admin;
    private readonly FileWatch _files;
    private readonly Dictionary<ClientCertificateOptions, ClientTrust> _clients = [];
    private readonly ProxyProtocolCounters _proxyProtocol = new();
    private readonly PassthroughTunnels _tunnels;
    private readonly OpenConnections _connections = new();
    private readonly List<TlsEndpoint?> _endpoints = [];     // of each listener; null for http
    private readonly TicketKeyStore _tickets;
    private CertificateStore? _certificates;
    private CertificateExpiry? _expiry;
    private DemoUpstream? _demo;
    private WebApplication? _proxy;
    private volatile bool _isDraining;

    private ProxyServer(ProxyOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _time = time;
        _loggers = loggers;
        _logger = _loggers.CreateLogger("WarpProxy");
        _unobserved = new UnobservedFailures(_logger);
        _accelerator = new Accelerator(options.Offload, options.UsesDevices, time, _loggers);
        _lanes = new HandshakeLanes(options.Tls, time, _counters);
        _admission = new ConnectionAdmission(options.Limits, options.Tls.MaxHandshakes, time);
        _tunnels = new PassthroughTunnels(time, _loggers.CreateLogger<PassthroughTunnels>());
        _files = new FileWatch(options.Files.Interval, time, _loggers.CreateLogger<FileWatch>(), isPaused: true);
        _tickets = new TicketKeyStore(_files, time, _loggers.CreateLogger<TicketKeyStore>());
        _report = new OperationReport(() => _accelerator.Operations, time, _loggers.CreateLogger<OperationReport>());
        _admin = new AdminListener(ParseUrls(options.Server.Admin)[0], ReadStatus, _loggers);
    }

    /// <summary>Where clients connect, with the ports that were bound, in the order of configuration.</summary>
    /// <remarks>Kestrel knows ports, but not which of them have TLS: that is our middleware's.</remarks>
    public IReadOnlyCollection<string> Urls =>
    [
        .. (_proxy?.Urls ?? []).Zip(_options.Listeners, static (bound, listener) =>
            listener.Address.IsHttps ? string.Concat("https", bound.AsSpan(bound.IndexOf(':'))) : bound),
    ];

    /// <summary>Where operators ask.</summary>
    public string AdminUrl => _admin.Url;

    /// <summary>What <c>GET /status</c> answers.</summary>
    public StatusDocument ReadStatus() => StatusDocument.Read(
        _accelerator, _lanes, _counters, _proxyProtocol, _endpoints.SelectMany(static endpoint => endpoint?.Passthrough.All ?? [])) with
    {
        State = _isDraining ? "draining" : _admin.IsServing ? "serving" : "starting",
        Connections = ConnectionStatus.Read(_admission),
        Certificates = _certificates is { Entries: var entries }
            ? new CertificateStatus(
                entries.Count(static one => one.Certificate is not null), entries.Count(static one => one.Refusal is not null), _accelerator.KeyCount, _expiry?.Next)
            : null,
    };

    /// <summary>Starts everything; returns when clients can connect.</summary>
    /// <param name="configuration">For the log, and to tell where a setting stands.</param>
    /// <param name="options">What was read of it, without a problem.</param>
    /// <param name="time">The clock.</param>
    /// <param name="threads">What the process has done for its threads, to be logged; null: nothing.</param>
    /// <param name="stopping">Ends a start that is not wanted any more.</param>
    /// <exception cref="BadInputException">Something that was configured cannot be used.</exception>
    /// <exception cref="OperationCanceledException">It is not wanted any more.</exception>
    public static async Task<ProxyServer> StartAsync(
        IConfigurationRoot configuration, ProxyOptions options, TimeProvider time, ProcessThreads? threads = null, CancellationToken stopping = default)
    {
        var server = new ProxyServer(options, time, ConsoleLog.Create(configuration));
        try
        {
            threads?.Report(server._logger);
            if (!configuration.Providers.OfType<SettingsFile>().Any() && File.Exists(SettingsFile.UsualName))
            {
                server._logger.ConfigurationFileNotRead(SettingsFile.UsualName);
            }

            await server.StartAsync(new SettingProblems(configuration), stopping);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Does what a start does before it listens, without devices and without a development certificate.</summary>
    /// <param name="options">What was read; where it had a problem, the default.</param>
    /// <param name="problems">Gets what the start would refuse.</param>
    /// <param name="time">The clock.</param>
    /// <returns>How many certificates there are.</returns>
    public static async Task<int> CheckAsync(ProxyOptions options, SettingProblems problems, TimeProvider time)
    {
        if (options.UsesDevices)
        {
            problems.Try($"{OffloadOptions.Section}:{nameof(OffloadOptions.Devices)}", () => Accelerator.CheckDevices(options.Offload));
        }

        OffloadOptions withoutDevices = options.Offload with { Path = OffloadPath.Software, Devices = ["none"] };

        // What is passed through was looked at with the settings; one that is wrong cannot be made.
        var none = new Dictionary<string, PassthroughOptions>();
        Listener[] listeners = [.. options.Listeners.Select(listener => listener with { Options = listener.Options with { Passthrough = none } })];
        await using var server = new ProxyServer(options with { Offload = withoutDevices, Listeners = listeners }, time, NullLoggerFactory.Instance);
        if (options.Certificates.Count > 0)
        {
            server.LoadCertificates(problems);
        }
        else
        {
            problems.Try(CertificateOptions.SingleSection, static () => DevelopmentCertificate.DefaultDirectory());
        }

        int count = server._certificates?.Certificates.Count ?? 0;
        server.MakeEndpoints(problems);
        return count;
    }

    /// <summary>Looks at the files of the configuration at once, and takes those that have changed into use.</summary>
    public void ReloadFiles() => _files.LookNow();

    /// <summary>
    /// Takes no more connections, closes those that wait for a request, and lets handshakes, requests and tunnels under way end, within
    /// <c>Shutdown:Drain</c>; what has not ended by then is cut off.
    /// </summary>
    public async Task DrainAsync()
    {
        _logger.Draining(_options.Shutdown.Drain.TotalSeconds);
        _isDraining = true;
        _admin.IsServing = false;
        int cutCount = 0;
        if (_proxy is not null)
        {
            using var bound = new CancellationTokenSource();
            await using ITimer timer = _time.CreateTimer(
                _ =>
                {
                    cutCount = _connections.Count;
                    bound.Cancel();
                },
                null, _options.Shutdown.Drain, Timeout.InfiniteTimeSpan);
            try
            {
                await _proxy.StopAsync(bound.Token);
            }
            catch (OperationCanceledException) when (bound.IsCancellationRequested)
            {
                // What was not done in time has been cut off; that is what the bound is for.
            }
        }

        _report.Report();
        if (cutCount > 0)
        {
            _logger.ConnectionsCut(_options.Shutdown.Drain.TotalSeconds, cutCount);
        }

        _logger.Stopped();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }

        if (_demo is not null)
        {
            await _demo.DisposeAsync();
        }

        _tunnels.Dispose();
        await _admin.DisposeAsync();
        _files.Dispose();
        _report.Dispose();
        _lanes.Dispose();
        _endpoints.ForEach(static endpoint => endpoint?.Dispose());
        _tickets.Dispose();
        _expiry?.Dispose();
        _certificates?.Dispose();
        foreach (ClientTrust clients in _clients.Values)
        {
            clients.Dispose();
        }

        _accelerator.Dispose();
        _unobserved.Dispose();
        _loggers.Dispose();
    }

    private async Task StartAsync(SettingProblems problems, CancellationToken stopping)
    {
        LoadCertificates(problems);
        stopping.ThrowIfCancellationRequested();
        MakeEndpoints(problems);
        problems.ThrowIfAny();
        stopping.ThrowIfCancellationRequested();
        _expiry = new CertificateExpiry(_certificates!, _options.CertificateExpiry, _time, _loggers.CreateLogger<CertificateExpiry>());
        await ListenAsync(_admin.StartAsync, _options.Server.Admin);
        if (_options.ReverseProxy.Routes.Count == 0)
        {
            _demo = new DemoUpstream(_accelerator, () => _admin.Url, _loggers);
            await ListenAsync(_demo.StartAsync, "http://127.0.0.1:0");
        }

        _proxy = BuildProxy();
        await ListenAsync(() => _proxy.StartAsync(), string.Join(", ", _options.Listeners.Select(static listener => listener.Address)));
        _admin.IsServing = true;
        _files.Resume();
        Announce(_certificates!);
    }

    private void LoadCertificates(SettingProblems problems)
    {
        // Of those that were refused already there is nothing to load.
        var refused = new CertificateOptions();
        KeyValuePair<string, CertificateOptions>[] certificates = [.. _options.Certificates.Where(one => one.Value != refused)];
        if (certificates.Length > 0 || _options.Certificates.Count == 0)
        {
            problems.Try(CertificateOptions.Section, () => _certificates = new CertificateStore(certificates, _accelerator, _files, _time, _loggers));
        }
    }

    /// <summary>Makes the endpoints, and so reads all other files. Without certificates it makes them with one that is of no use, to find what else is wrong.</summary>
    private void MakeEndpoints(SettingProblems problems)
    {
        bool hasNone = _certificates is null;
        _certificates ??= new CertificateStore(StandInCertificate.Make(), _accelerator, _time);
        foreach (Listener configured in _options.Listeners)
        {
            Listener listener = hasNone ? configured with { Options = configured.Options with { Certificates = [] } } : configured;
            ClientTrust? clients = null;
            problems.Try(listener.Path, () => clients = Trust(listener.Options.ClientCertificates));
            problems.Try(listener.Path, () => _endpoints.Add(listener.Address.IsHttps
                ? new TlsEndpoint(listener, _certificates, _tickets, clients, _tunnels, _options.Tls, _lanes, _counters, _time, _loggers)
                : null));
        }
    }

    private WebApplication BuildProxy()
    {
        WebApplicationBuilder builder = BareHost.CreateBuilder(_loggers);
        AdmissionTransport.AddTo(builder, _options.Limits.Backlog, _time);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.KeepAliveTimeout = _options.Limits.KeepAliveTimeout;
            kestrel.Limits.RequestHeadersTimeout = _options.Limits.RequestHeadersTimeout;

            // How long a body may be is for each upstream to say; Kestrel would refuse more than 28.6 MiB (413) to all of them.
            kestrel.Limits.MaxRequestBodySize = null;
            var proxyProtocol = new ProxyProtocolEndpoints(_options.Tls.ClientHelloTimeout, _proxyProtocol, _time, _loggers);
            foreach ((Listener listener, TlsEndpoint? tls) in _options.Listeners.Zip(_endpoints))
            {
                listener.Address.Listen(kestrel, endpoint =>
                {
                    ListenerAdmission admission = AdmissionTransport.Admit(endpoint, _admission.Add(listener));
                    _connections.Configure(endpoint);
                    PlainAddresses.Configure(listener, endpoint);
                    proxyProtocol.Configure(listener, endpoint);
                    admission.ConfigureClients(endpoint);
                    HttpPolicy.Create(listener)?.Configure(endpoint);
                    tls?.Configure(endpoint);
                });
            }
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan);     // bounded by who drains
        IReverseProxyBuilder proxy = builder.Services.AddReverseProxy();
        if (_demo is not null)
        {
            _demo.AddTo(proxy);
        }
        else
        {
            proxy.LoadFromMemory(_options.ReverseProxy.NamedRoutes, _options.ReverseProxy.NamedClusters);
        }

        proxy.AddTransforms(ClientCertificateHeaders.AddTransforms);
        WebApplication application = builder.Build();
        application.Use((context, next) => _isDraining ? LateConnection.InvokeAsync(context, next) : next(context));
        if (_options.Listeners.Any(static listener => HttpPolicy.Create(listener) is not null))
        {
            application.Use(HttpPolicy.InvokeAsync);
        }

        try
        {
            application.Use(new ClientCertificateHeaders(_options.Listeners).StripAsync);
            application.UseRouting();   // after it: routes may look at headers
            application.MapReverseProxy();
            return application;
        }
        catch (Exception exception)
        {
            throw new BadInputException($"Section ReverseProxy cannot be used: {Causes(exception)}", exception);
        }
    }

    /// <summary>Which clients are trusted where these settings are in force; null where they are not asked. Listeners with equal settings share it.</summary>
    private ClientTrust? Trust(ClientCertificateOptions? options)
    {
        if (options is not { IsOn: true })
        {
            return null;
        }

        if (!_clients.TryGetValue(options, out ClientTrust? clients))
        {
            clients = new ClientTrust(options, _files, _time, _loggers.CreateLogger<ClientTrust>());
            _clients.Add(options, clients);
        }

        return clients;
    }

    private void Announce(CertificateStore certificates)
    {
        _logger.Using(certificates.Certificates.Any(static certificate => certificate.IsOffloaded)
            ? _accelerator.Describe()
            : "software: only RSA keys are offloaded");
        if (_demo is not null)
        {
            _logger.DemoServing(_demo.Url);
        }

        _logger.AdminServing(_admin.Url);
        foreach (string url in Urls)
        {
            _logger.Serving(url);
        }

        if (certificates.Development is not { } development)
        {
            return;
        }

        if (development.IsNew)
        {
            _logger.DevelopmentCertificateMade(development.ClientFile, Urls.First());
        }
        else
        {
            _logger.DevelopmentCertificateUsed(development.ClientFile, Urls.First());
        }
    }

    private static async Task ListenAsync(Func<Task> start, string urls)
    {
        try
        {
            await start();
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            throw new BadInputException($"Nothing can listen on {urls}: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    /// <summary>The innermost messages: YARP collects several problems in one exception.</summary>
    private static string Causes(Exception exception) => exception switch
    {
        AggregateException aggregate => string.Join(" ", aggregate.Flatten().InnerExceptions.Select(Causes)),
        { InnerException: { } inner } => Causes(inner),
        _ => exception.Message,
    };

    private static IReadOnlyList<ListenAddress> ParseUrls(string urls) =>
        ListenAddress.TryParseList(urls, "URL", out IReadOnlyList<ListenAddress> addresses, out string problem)
            ? addresses
            : throw new BadInputException(problem);
}
