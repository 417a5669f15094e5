using System.Net.Sockets;
using WarpProxy.Admin;
using WarpProxy.Certificates;
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
    private readonly IConfiguration _configuration;
    private readonly ProxyOptions _options;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly Accelerator _accelerator;
    private readonly HandshakeCounters _counters = new();
    private readonly HandshakeLanes _lanes;
    private readonly OperationReport _report;
    private readonly AdminListener _admin;
    private readonly FileWatch _files;
    private readonly ProxyProtocolCounters _proxyProtocol = new();
    private readonly PassthroughTunnels _tunnels;
    private readonly List<TlsEndpoint?> _endpoints = [];     // of each listener; null for http
    private readonly TicketKeyStore _tickets;
    private CertificateStore? _certificates;
    private DemoUpstream? _demo;
    private WebApplication? _proxy;

    private ProxyServer(IConfiguration configuration, ProxyOptions options, TimeProvider time)
    {
        _configuration = configuration;
        _options = options;
        _time = time;
        _loggers = ConsoleLog.Create(configuration);
        _logger = _loggers.CreateLogger("WarpProxy");
        _accelerator = new Accelerator(options.Offload, time, _loggers);
        _lanes = new HandshakeLanes(options.Tls, time, _counters);
        _tunnels = new PassthroughTunnels(time, _loggers.CreateLogger<PassthroughTunnels>());
        _files = new FileWatch(options.Files.Interval, time, _loggers.CreateLogger<FileWatch>());
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
    public StatusDocument ReadStatus() => StatusDocument.Read(_accelerator, _lanes, _counters, _proxyProtocol, _endpoints.SelectMany(static endpoint => endpoint?.Passthrough.All ?? []));

    /// <summary>Starts everything; returns when clients can connect.</summary>
    /// <param name="configuration">For the sections that are not the proxy's own: ReverseProxy, Logging.</param>
    /// <param name="options">The proxy's own sections, validated.</param>
    /// <param name="time">The clock.</param>
    /// <param name="threads">What the process has done for its threads, to be logged; null: nothing.</param>
    /// <exception cref="BadInputException">Something that was configured cannot be used.</exception>
    public static async Task<ProxyServer> StartAsync(
        IConfiguration configuration, ProxyOptions options, TimeProvider time, ProcessThreads? threads = null)
    {
        var server = new ProxyServer(configuration, options, time);
        try
        {
            threads?.Report(server._logger);
            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Looks at the files of the configuration at once, and takes those that have changed into use.</summary>
    public void ReloadFiles() => _files.LookNow();

    /// <summary>Takes no more connections and lets the requests under way end, within <c>Shutdown:Drain</c>.</summary>
    public async Task DrainAsync()
    {
        _logger.Draining(_options.Shutdown.Drain.TotalSeconds);
        _admin.IsServing = false;
        if (_proxy is not null)
        {
            using var bound = new CancellationTokenSource(_options.Shutdown.Drain, _time);
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
        _certificates?.Dispose();
        _accelerator.Dispose();
        _loggers.Dispose();
    }

    private async Task StartAsync()
    {
        _certificates = new CertificateStore(_options.Certificates, _accelerator, _time, _loggers);
        await ListenAsync(_admin.StartAsync, _options.Server.Admin);
        if (!_configuration.GetSection("ReverseProxy:Routes").GetChildren().Any())
        {
            _demo = new DemoUpstream(_accelerator, () => _admin.Url, _loggers);
            await ListenAsync(_demo.StartAsync, "http://127.0.0.1:0");
        }

        _proxy = BuildProxy(_certificates);
        await ListenAsync(() => _proxy.StartAsync(), string.Join(", ", _options.Listeners.Select(static listener => listener.Address)));
        _admin.IsServing = true;
        Announce(_certificates);
    }

    private WebApplication BuildProxy(CertificateStore certificates)
    {
        foreach (Listener listener in _options.Listeners)
        {
            _endpoints.Add(listener.Address.IsHttps
                ? new TlsEndpoint(listener, certificates, _tickets, _tunnels, _options.Tls, _lanes, _counters, _time, _loggers)
                : null);
        }

        WebApplicationBuilder builder = BareHost.CreateBuilder(_loggers);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // How long a body may be is for each upstream to say; Kestrel would refuse more than 28.6 MiB (413) to all of them.
            kestrel.Limits.MaxRequestBodySize = null;
            var proxyProtocol = new ProxyProtocolEndpoints(_options.Tls.ClientHelloTimeout, _proxyProtocol, _time, _loggers);
            foreach ((Listener listener, TlsEndpoint? tls) in _options.Listeners.Zip(_endpoints))
            {
                listener.Address.Listen(kestrel, endpoint =>
                {
                    PlainAddresses.Configure(listener, endpoint);
                    proxyProtocol.Configure(listener, endpoint);
                    HttpPolicy.Create(listener)?.Configure(endpoint);
                    tls?.Configure(endpoint);
                });
            }
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = _options.Shutdown.Drain);
        IReverseProxyBuilder proxy = builder.Services.AddReverseProxy();
        if (_demo is not null)
        {
            _demo.AddTo(proxy);
        }
        else
        {
            proxy.LoadFromConfig(_configuration.GetSection("ReverseProxy"));
        }

        WebApplication application = builder.Build();
        if (_options.Listeners.Any(static listener => HttpPolicy.Create(listener) is not null))
        {
            application.Use(HttpPolicy.InvokeAsync);
        }

        try
        {
            application.MapReverseProxy();
            return application;
        }
        catch (Exception exception)
        {
            throw new BadInputException($"Section ReverseProxy cannot be used: {Causes(exception)}", exception);
        }
    }

    private void Announce(CertificateStore certificates)
    {
        DateTimeOffset now = _time.GetUtcNow();
        foreach (ServerCertificate certificate in certificates.Certificates)
        {
            if (certificate.NotAfter < now)
            {
                _logger.CertificateExpired(certificate.Subject, certificate.NotAfter.UtcDateTime);
            }
            else if (certificate.NotBefore > now)
            {
                _logger.CertificateNotYetValid(certificate.Subject, certificate.NotBefore.UtcDateTime);
            }

            _logger.CertificateLoaded(certificate.Subject, certificate.KeyDescription, certificate.NotAfter.UtcDateTime, certificate.File);
        }

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
