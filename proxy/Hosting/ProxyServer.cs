using System.Net.Sockets;
using WarpProxy.Admin;
using WarpProxy.Certificates;
using WarpProxy.Configuration;
using WarpProxy.Offload;
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
    private ServerCertificate? _certificate;
    private TlsEndpoint? _tls;
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
        _report = new OperationReport(() => _accelerator.Operations, time, _loggers.CreateLogger<OperationReport>());
        _admin = new AdminListener(ParseUrls(options.Server.Admin)[0], ReadStatus, _loggers);
    }

    /// <summary>Where clients connect, with the ports that were bound, in the order of configuration.</summary>
    /// <remarks>Kestrel knows ports, but not which of them have TLS: that is our middleware's.</remarks>
    public IReadOnlyCollection<string> Urls =>
    [
        .. (_proxy?.Urls ?? []).Zip(ParseUrls(_options.Server.Urls), static (bound, address) =>
            address.IsHttps ? string.Concat("https", bound.AsSpan(bound.IndexOf(':'))) : bound),
    ];

    /// <summary>Where operators ask.</summary>
    public string AdminUrl => _admin.Url;

    /// <summary>What <c>GET /status</c> answers.</summary>
    public StatusDocument ReadStatus() => StatusDocument.Read(_accelerator, _lanes, _counters);

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

        await _admin.DisposeAsync();
        _report.Dispose();
        _lanes.Dispose();
        _tls?.Dispose();
        _certificate?.Dispose();
        _accelerator.Dispose();
        _loggers.Dispose();
    }

    private async Task StartAsync()
    {
        _certificate = LoadCertificate(out DevelopmentCertificate? development);
        await ListenAsync(_admin.StartAsync, _options.Server.Admin);
        if (!_configuration.GetSection("ReverseProxy:Routes").GetChildren().Any())
        {
            _demo = new DemoUpstream(_accelerator, () => _admin.Url, _loggers);
            await ListenAsync(_demo.StartAsync, "http://127.0.0.1:0");
        }

        _proxy = BuildProxy(_certificate);
        await ListenAsync(() => _proxy.StartAsync(), _options.Server.Urls);
        _admin.IsServing = true;
        Announce(_certificate, development);
    }

    private ServerCertificate LoadCertificate(out DevelopmentCertificate? development)
    {
        CertificateOptions options = _options.Certificate;
        if (options.File is null)
        {
            development = new DevelopmentCertificate(DevelopmentCertificate.DefaultDirectory(), _time, _loggers.CreateLogger<DevelopmentCertificate>());
            return development.Load(_accelerator);
        }

        development = null;
        using var password = KeyPassword.Read(options.PasswordFile);
        return CertificateFile.Load(options.File, options.KeyFile ?? options.File, password.Value, _accelerator);
    }

    private WebApplication BuildProxy(ServerCertificate certificate)
    {
        WebApplicationBuilder builder = BareHost.CreateBuilder(_loggers);
        _tls = new TlsEndpoint(certificate, _options.Tls, _lanes, _counters, _time, _loggers);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // How long a body may be is for each upstream to say; Kestrel would refuse more than 28.6 MiB (413) to all of them.
            kestrel.Limits.MaxRequestBodySize = null;
            foreach (ListenAddress address in ParseUrls(_options.Server.Urls))
            {
                address.Listen(kestrel, address.IsHttps ? _tls.Configure : _ => { });
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

    private void Announce(ServerCertificate certificate, DevelopmentCertificate? development)
    {
        DateTimeOffset now = _time.GetUtcNow();
        if (certificate.NotAfter < now)
        {
            _logger.CertificateExpired(certificate.Subject, certificate.NotAfter.UtcDateTime);
        }
        else if (certificate.NotBefore > now)
        {
            _logger.CertificateNotYetValid(certificate.Subject, certificate.NotBefore.UtcDateTime);
        }

        _logger.CertificateLoaded(certificate.Subject, certificate.KeyDescription, certificate.NotAfter.UtcDateTime, certificate.File);
        _logger.Using(certificate.IsOffloaded ? _accelerator.Describe() : "software: only RSA keys are offloaded");
        if (_demo is not null)
        {
            _logger.DemoServing(_demo.Url);
        }

        _logger.AdminServing(_admin.Url);
        foreach (string url in Urls)
        {
            _logger.Serving(url);
        }

        if (development is { IsNew: true })
        {
            _logger.DevelopmentCertificateMade(development.ClientFile, Urls.First());
        }
        else if (development is not null)
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
