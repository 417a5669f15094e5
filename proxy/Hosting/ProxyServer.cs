using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Linux;
using WarpProxy.Admin;
using WarpProxy.Admission;
using WarpProxy.Certificates;
using WarpProxy.ClientCertificates;
using WarpProxy.Configuration;
using WarpProxy.Files;
using WarpProxy.Http;
using WarpProxy.Listeners;
using WarpProxy.Live;
using WarpProxy.Offload;
using WarpProxy.Passthrough;
using WarpProxy.ProxyProtocol;
using WarpProxy.Telemetry;
using WarpProxy.Tickets;
using WarpProxy.Tls;
using WarpProxy.Upstream;

namespace WarpProxy.Hosting;

/// <summary>
/// The whole proxy: started at once, drained and disposed at once. Parts are made top to bottom and disposed bottom to top. What follows from its
/// configuration, and can follow from another one while it runs, is in ProxyServer.Configuration.cs.
/// </summary>
internal sealed partial class ProxyServer : IAsyncDisposable
{
    private const int LiveCertificates = 8;

    private readonly TimeProvider _time;
    private readonly LiveSettings _logSettings;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly ProxyTelemetry _telemetry;
    private readonly Accelerator _accelerator;
    private readonly HandshakeCounters _counters = new();
    private readonly HandshakeLanes _lanes;
    private readonly UnobservedFailures _unobserved;
    private readonly ConnectionAdmission _admission;
    private readonly OperationReport _report;
    private readonly LiveSampler _live;
    private readonly AdminToken? _adminToken;
    private readonly AdminListener _admin;
    private readonly MetricsListener? _metrics;
    private readonly FileWatch _files;
    private readonly ClientTrustStore _clients;
    private readonly ProxyProtocolCounters _proxyProtocol = new();
    private readonly PassthroughTunnels _tunnels;
    private readonly TicketKeyStore _tickets;
    private readonly ListenerSockets _listeners;
    private readonly ProxyRoutes _routes;
    private CertificateStore? _certificates;
    private CertificateExpiry? _expiry;
    private DemoUpstream? _demo;
    private WebApplication? _proxy;
    private KestrelServerLimits? _http;
    private volatile string _state = Readiness.Starting;

    private ProxyServer(
        IConfiguration configuration, ProxyOptions options, TimeProvider time, Func<IConfiguration, ILoggerFactory> makeLoggers, IDeviceCalls? deviceCalls = null)
    {
        _configuration = configuration;
        _options = options;
        _running = options;
        _time = time;
        _logSettings = new LiveSettings(configuration);
        _loggers = makeLoggers(_logSettings.Root);
        _logger = _loggers.CreateLogger("WarpProxy");
        _unobserved = new UnobservedFailures(_logger);
        _headers = new ClientCertificateHeaders(options.Listeners);
        _telemetry = new ProxyTelemetry(options.Telemetry, Environment.GetEnvironmentVariable);
        _accelerator = new Accelerator(options.Offload, options.UsesDevices, time, _loggers, deviceCalls, _telemetry.Handshakes.Operations);
        _lanes = new HandshakeLanes(options.Tls, time, _counters);
        _admission = new ConnectionAdmission(options.Limits, options.Tls.MaxHandshakes, time, whenRoom: _lanes.WhenRoomAsync);
        _tunnels = new PassthroughTunnels(time, _loggers.CreateLogger<PassthroughTunnels>());
        _files = new FileWatch(options.Files.Interval, time, _loggers.CreateLogger<FileWatch>(), isPaused: true);
        _clients = new ClientTrustStore(_files, time, _loggers.CreateLogger<ClientTrust>());
        _tickets = new TicketKeyStore(_files, time, _loggers.CreateLogger<TicketKeyStore>());
        _report = new OperationReport(() => _accelerator.Operations, time, _loggers.CreateLogger<OperationReport>());
        _live = new LiveSampler(_telemetry.Statistics, ReadLiveState, _accelerator.TryReadEngines, time, _loggers.CreateLogger<LiveSampler>());
        _adminToken = options.Server.AdminTokenFile is { } file ? new AdminToken(file, _loggers.CreateLogger<AdminToken>()) : null;
        _admin = new AdminListener(ParseUrl(options.Server.Admin), _adminToken, ReadStatus, ReadReadiness, _telemetry.Prometheus, _live, _loggers);
        _metrics = options.Server.Metrics is { } url ? new MetricsListener(ParseUrl(url), ReadReadiness, _telemetry.Prometheus, _loggers) : null;
        _listeners = new ListenerSockets(_admission, AddProxyProtocol, _loggers.CreateLogger<ListenerSockets>());
        _routes = new ProxyRoutes(StartDemoAsync);
        _telemetry.Prometheus.Collecting = StatusMeters.AddTo(_telemetry.Meter, ReadStatus, () => _lanes.Count, time).Forget;
    }

    /// <summary>Where clients connect, with the ports that were bound, in the order of configuration.</summary>
    public IReadOnlyCollection<string> Urls => [.. _listeners.All.Select(static listener => listener.Url)];

    /// <summary>Where operators ask.</summary>
    public string AdminUrl => _admin.Url;

    /// <summary>Where Prometheus and probes ask; null: only there too.</summary>
    public string? MetricsUrl => _metrics?.Url;

    /// <summary><c>Shutdown:Drain</c> as it is now.</summary>
    public TimeSpan DrainTime => _options.Shutdown.Drain;

    /// <summary>What <c>GET /status</c> answers.</summary>
    public StatusDocument ReadStatus() => StatusDocument.Read(
        _accelerator, _lanes, _counters, _proxyProtocol, _listeners.All.SelectMany(static listener => listener.State.Tls?.Passthrough.All ?? [])) with
    {
        State = _state,
        Connections = ConnectionStatus.Read(_admission),
        Configuration = _reloads.Read() with { Watches = _files.Count },
        Certificates = _certificates is { Entries: var entries }
            ? new CertificateStatus(
                entries.Count(static one => one.Certificate is not null), entries.Count(static one => one.Refusal is not null), _accelerator.KeyCount, _expiry?.Next)
            : null,
    };

    /// <summary>What <c>GET /readyz</c> answers.</summary>
    public Readiness ReadReadiness() => Readiness.Of(
        _state, _options.Offload.Path, _certificates?.Certificates.Any(static certificate => certificate.IsOffloaded) ?? false, _accelerator.Devices);

    /// <summary>Starts everything; returns when clients can connect.</summary>
    /// <param name="configuration">For the log, and to tell where a setting stands.</param>
    /// <param name="options">What was read of it, without a problem.</param>
    /// <param name="time">The clock.</param>
    /// <param name="threads">What the process has done for its threads, to be logged; null: nothing.</param>
    /// <param name="load">Loads the configuration again when its file has changed; null: it never changes.</param>
    /// <param name="deviceCalls">What the files of the kernel's devices are opened with; null: the kernel.</param>
    /// <param name="stopping">Ends a start that is not wanted any more.</param>
    /// <exception cref="BadInputException">Something that was configured cannot be used.</exception>
    /// <exception cref="OperationCanceledException">It is not wanted any more.</exception>
    public static async Task<ProxyServer> StartAsync(
        IConfigurationRoot configuration,
        ProxyOptions options,
        TimeProvider time,
        ProcessThreads? threads = null,
        Func<IConfigurationRoot>? load = null,
        IDeviceCalls? deviceCalls = null,
        CancellationToken stopping = default)
    {
        var server = new ProxyServer(configuration, options, time, ConsoleLog.Create, deviceCalls) { _load = load };
        try
        {
            threads?.Report(server._logger);
            if (!configuration.Providers.OfType<SettingsFile>().Any() && File.Exists(SettingsFile.UsualName))
            {
                server._logger.ConfigurationFileNotRead(SettingsFile.UsualName);
            }

            await server.StartAsync(configuration, stopping);
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
        CheckDevices(options, problems);
        OffloadOptions withoutDevices = options.Offload with { Path = OffloadPath.Software, Devices = ["none"] };
        await using var server = new ProxyServer(
            new ConfigurationBuilder().Build(), options with { Offload = withoutDevices }, time, static _ => NullLoggerFactory.Instance);
        using CertificateChange? certificates = server.LoadCertificates(options, server._accelerator.Plan, problems, makesDevelopment: false);
        server.LoadAdminToken(problems);
        server.MakeStates(server._options, certificates, null, problems).ForEach(static state => state.Tls?.Dispose());
        return certificates?.Entries.Count(static entry => entry.Certificate is not null) ?? 0;
    }

    /// <summary>Reads the configuration and its files again at once, and takes what has changed into use.</summary>
    public void ReloadFiles() => _files.LookNow();

    /// <summary>
    /// Takes no more connections, closes those that wait for a request, and lets handshakes, requests and tunnels under way end, within
    /// <c>Shutdown:Drain</c>; what has not ended by then is cut off.
    /// </summary>
    public async Task DrainAsync()
    {
        TimeSpan drain = DrainTime;

        // Before it is logged: who has read that it drains is told so by /readyz too.
        _state = Readiness.Draining;
        _logger.Draining(drain.TotalSeconds);
        _files.Stop();
        int cutCount = 0;
        if (_proxy is not null)
        {
            using var bound = new CancellationTokenSource();
            await using ITimer timer = _time.CreateTimer(
                _ =>
                {
                    cutCount = _admission.Open.Value;
                    bound.Cancel();
                },
                null, drain, Timeout.InfiniteTimeSpan);
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
            _logger.ConnectionsCut(drain.TotalSeconds, cutCount);
        }

        _logger.Stopped();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _files.Stop();
        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }

        if (_demo is not null)
        {
            await _demo.DisposeAsync();
        }

        _tunnels.Dispose();
        _live.Dispose();        // its streams end, so that nobody waits for them
        await _admin.DisposeAsync();
        if (_metrics is not null)
        {
            await _metrics.DisposeAsync();
        }

        // While devices and certificates are as they were: what a collector hears last stands there for minutes.
        await _telemetry.EndAsync();
        _files.Dispose();
        _report.Dispose();
        _lanes.Dispose();
        foreach (OpenListener listener in _listeners.All)
        {
            listener.State.Tls?.Dispose();
        }

        _tickets.Dispose();
        _expiry?.Dispose();
        _certificates?.Dispose();
        _clients.Dispose();
        _accelerator.Dispose();
        _telemetry.Dispose();
        _unobserved.Dispose();
        _loggers.Dispose();
    }

    private async Task StartAsync(IConfigurationRoot configuration, CancellationToken stopping)
    {
        var problems = new SettingProblems(configuration);
        LoadAdminToken(problems);
        using (CertificateChange? certificates = LoadCertificates(_options, _accelerator.Plan, problems, makesDevelopment: true))
        {
            stopping.ThrowIfCancellationRequested();
            List<ListenerState> states = MakeStates(_options, certificates, null, problems);
            try
            {
                problems.ThrowIfAny();
                stopping.ThrowIfCancellationRequested();
                _certificates!.Apply(certificates!);
                CheckLockedMemory();
                _expiry = new CertificateExpiry(_certificates, _options.CertificateExpiry, _time, _loggers.CreateLogger<CertificateExpiry>());
                await ListenAsync(_admin.StartAsync, _options.Server.Admin);
                if (_metrics is not null)
                {
                    await ListenAsync(_metrics.StartAsync, _options.Server.Metrics!);
                }

                _proxy = await BuildProxyAsync();
                await _proxy.StartAsync(CancellationToken.None);
                _listeners.Replace(await OpenAsync(states));
            }
            catch
            {
                states.ForEach(static state => state.Tls?.Dispose());
                throw;
            }
        }

        _state = Readiness.Serving;
        _live.Start();
        WatchConfiguration(configuration);
        _files.Resume();
        Announce(_certificates);
    }

    private LiveState ReadLiveState() => new(ReadStatus(), ReadReadiness(), _options.Offload.Path, _lanes.Count, _expiry?.First(LiveCertificates) ?? []);

    private void LoadAdminToken(SettingProblems problems)
    {
        if (_adminToken is not null)
        {
            // Watched before it is read, so that no change is missed.
            _adminToken.WatchIn(_files);
            problems.Try("Server:AdminTokenFile", _adminToken.Load);
        }
    }

    private void CheckLockedMemory()
    {
        if (LockedMemory.FindShortage(_options, _certificates!.Certificates) is { } shortage)
        {
            if (_options.Offload.RequireLockedMemory)
            {
                throw new BadInputException($"Offload:RequireLockedMemory is true. {shortage}");
            }

            _logger.LockedMemoryShort(shortage);
        }
    }

    private async Task<WebApplication> BuildProxyAsync()
    {
        WebApplicationBuilder builder = BareHost.CreateBuilder(_loggers);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            _http = kestrel.Limits;
            SetTimeouts(_options.Limits);
            kestrel.AddServerHeader = false;

            // How long a body may be is for each upstream to say; Kestrel would refuse more than 28.6 MiB (413) to all of them.
            kestrel.Limits.MaxRequestBodySize = null;
        });
        _listeners.AddTo(builder, _options.Limits.Backlog, _time);
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan);     // bounded by who drains
        IReverseProxyBuilder proxy = builder.Services.AddReverseProxy();
        await _routes.AddToAsync(proxy, _options.ReverseProxy);
        proxy.AddTransforms(ClientCertificateHeaders.AddTransforms);
        WebApplication application = builder.Build();
        application.Use((context, next) => _state == Readiness.Draining ? LateConnection.InvokeAsync(context, next) : next(context));
        if (_telemetry.IsTracing)
        {
            application.Use(static (context, next) =>
            {
                HandshakeSpan.Link(context);
                return next(context);
            });
        }

        application.Use(HttpPolicy.InvokeAsync);
        try
        {
            application.Use((context, next) => _headers.StripAsync(context, next));
            application.UseRouting();   // after it: routes may look at headers
            application.MapReverseProxy();
            return application;
        }
        catch (Exception exception)
        {
            throw new BadInputException($"Section {ReverseProxyOptions.Section} cannot be used: {ProxyRoutes.Causes(exception)}", exception);
        }
    }

    private async Task<DemoUpstream> StartDemoAsync()
    {
        if (_demo is null)
        {
            var demo = new DemoUpstream(_accelerator, () => _admin.Url, _loggers);
            await ListenAsync(demo.StartAsync, "http://127.0.0.1:0");
            _demo = demo;
            if (_state == Readiness.Serving)
            {
                _logger.DemoServing(demo.Url);
            }
        }

        return _demo;
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

        _logger.LiveServing(_admin.Url);
        _logger.AdminServing(_admin.Url);
        if (_metrics is not null)
        {
            _logger.MetricsServing(_metrics.Url);
        }

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
            throw new CannotListenException($"Nothing can listen on {urls}: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    private static ListenAddress ParseUrl(string url) =>
        ListenAddress.TryParse(url, "URL", out ListenAddress? address, out string problem) ? address : throw new BadInputException(problem);
}
