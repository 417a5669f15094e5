using WarpProxy.Admission;
using WarpProxy.Certificates;
using WarpProxy.ClientCertificates;
using WarpProxy.Files;
using WarpProxy.Hosting;
using WarpProxy.Http;
using WarpProxy.Listeners;
using WarpProxy.Offload;
using WarpProxy.Protocol;
using WarpProxy.Telemetry;
using WarpProxy.Tickets;
using WarpProxy.Tls;
using WarpProxy.Upstream;

namespace WarpProxy.Configuration;

/// <summary>All sections, read and checked once at start.</summary>
internal sealed record ProxyOptions
{
    /// <summary>Where clients connect when nothing is configured.</summary>
    public const string DefaultUrl = "https://localhost:8443";

    /// <summary>The name, among certificates, of the one in section <c>Certificate</c>.</summary>
    public const string SingleCertificate = "Certificate";

    private ProxyOptions(SettingsReader reader)
    {
        Server = reader.Read<ServerOptions>(ServerOptions.Section);
        Offload = reader.Read<OffloadOptions>(OffloadOptions.Section);
        Tls = reader.Read<TlsOptions>(TlsOptions.Section);
        Limits = reader.Read<LimitOptions>(LimitOptions.Section);
        Protocol = reader.Read<ProtocolOptions>(ProtocolOptions.Section);
        Files = reader.Read<FilesOptions>(FilesOptions.Section);
        Shutdown = reader.Read<ShutdownOptions>(ShutdownOptions.Section);
        Tickets = reader.Read<TicketOptions>(TicketOptions.Section);
        Hsts = reader.Read<HstsOptions>(HstsOptions.Section);
        Certificates = ReadCertificates(reader);
        ClientCertificates = reader.Read<ClientCertificateOptions>(ClientCertificateOptions.Section);
        CertificateExpiry = reader.Read<CertificateExpiryOptions>(CertificateExpiryOptions.Section);
        Listeners = ReadListeners(reader);
        ReverseProxy = reader.Read<ReverseProxyOptions>(ReverseProxyOptions.Section);
        Telemetry = reader.Read<TelemetryOptions>(TelemetryOptions.Section);
        Logging = reader.Read<LoggingOptions>(LoggingOptions.Section);
    }

    /// <summary>Every section that there is, in the order of reading.</summary>
    public static IReadOnlyList<SettingsSection> Sections
    {
        get
        {
            var reader = new SettingsReader(new ConfigurationBuilder().Build());
            _ = new ProxyOptions(reader);
            return reader.Sections;
        }
    }

    /// <summary>Section <c>Server</c>.</summary>
    public ServerOptions Server { get; }

    /// <summary>Section <c>Offload</c>.</summary>
    public OffloadOptions Offload { get; init; }

    /// <summary>Section <c>Tls</c>.</summary>
    public TlsOptions Tls { get; }

    /// <summary>Section <c>Limits</c>.</summary>
    public LimitOptions Limits { get; }

    /// <summary>Section <c>Protocol</c>, for listeners that have none of their own.</summary>
    public ProtocolOptions Protocol { get; }

    /// <summary>Section <c>Tickets</c>, for listeners that have none of their own.</summary>
    public TicketOptions Tickets { get; }

    /// <summary>Section <c>Files</c>.</summary>
    public FilesOptions Files { get; }

    /// <summary>Section <c>Shutdown</c>.</summary>
    public ShutdownOptions Shutdown { get; }

    /// <summary>Section <c>Hsts</c>; a listener may have its own.</summary>
    public HstsOptions Hsts { get; }

    /// <summary>Sections <c>Certificate</c> and <c>Certificates</c>, by name in this order. Empty: the development certificate is used.</summary>
    public IReadOnlyList<KeyValuePair<string, CertificateOptions>> Certificates { get; }

    /// <summary>Section <c>ClientCertificates</c>, for the listeners that have none of their own.</summary>
    public ClientCertificateOptions ClientCertificates { get; }

    /// <summary>Section <c>CertificateExpiry</c>.</summary>
    public CertificateExpiryOptions CertificateExpiry { get; }

    /// <summary>Whether any key goes to a device.</summary>
    public bool UsesDevices => Certificates.Count == 0
        ? Offload.Path != OffloadPath.Software
        : Certificates.Any(one => (one.Value.Path ?? Offload.Path) != OffloadPath.Software);

    /// <summary><c>Server:Urls</c> and section <c>Listeners</c>, in this order; at least one.</summary>
    public IReadOnlyList<Listener> Listeners { get; init; }

    /// <summary>Section <c>ReverseProxy</c>.</summary>
    public ReverseProxyOptions ReverseProxy { get; }

    /// <summary>Section <c>Telemetry</c>.</summary>
    public TelemetryOptions Telemetry { get; }

    /// <summary>Section <c>Logging</c>.</summary>
    public LoggingOptions Logging { get; }

    /// <summary>Reads every section.</summary>
    /// <exception cref="BadInputException">Values cannot be used; one line for each.</exception>
    public static ProxyOptions Read(IConfigurationRoot configuration)
    {
        var problems = new SettingProblems(configuration);
        ProxyOptions options = Read(configuration, problems);
        problems.ThrowIfAny();
        return options;
    }

    /// <summary>Reads every section. What has a problem has its default or, where there can be none, is left out: the rest can be checked further.</summary>
    public static ProxyOptions Read(IConfigurationRoot configuration, SettingProblems problems)
    {
        var reader = new SettingsReader(configuration, problems);
        var options = new ProxyOptions(reader);
        ConfigurationSources.CheckSections(configuration, [.. reader.Sections.Select(static section => section.Name)], problems);
        new ReverseProxyCheck(options.ReverseProxy, problems).Run();
        return options;
    }

    private List<KeyValuePair<string, CertificateOptions>> ReadCertificates(SettingsReader reader)
    {
        List<KeyValuePair<string, CertificateOptions>> certificates = [];
        CertificateOptions single = reader.Read<CertificateOptions>(CertificateOptions.SingleSection);
        if (single.IsGiven)
        {
            certificates.Add(new(SingleCertificate, single));
        }

        IReadOnlyDictionary<string, CertificateOptions> named = reader.ReadNamed<CertificateOptions>(CertificateOptions.Section);
        foreach ((string name, CertificateOptions options) in named)
        {
            if (IsSame(name, SingleCertificate))
            {
                reader.Add($"{CertificateOptions.Section}:{name} has the name of section {SingleCertificate}; it must have another.");
            }

            if (!options.IsGiven)
            {
                reader.Add($"{CertificateOptions.Section}:{name}:File is not set; it must be the path of a PEM file, or Directory that of a directory of them.");
            }

            certificates.Add(new(name, options));
        }

        foreach ((string name, CertificateOptions options) in certificates)
        {
            RefuseFallbackThatCannotBe(name == SingleCertificate ? name : $"{CertificateOptions.Section}:{name}", options, reader);
        }

        return certificates;
    }

    /// <summary>Where software is the way, it cannot be done without it.</summary>
    private void RefuseFallbackThatCannotBe(string path, CertificateOptions options, SettingsReader reader)
    {
        if ((options.Fallback ?? Offload.Fallback) != OffloadFallback.None)
        {
            return;
        }

        OffloadPath taken = options.Path ?? Offload.Path;
        if ((taken is OffloadPath.Software or OffloadPath.Compare) && (options.Path is not null || options.Fallback is not null))
        {
            (string fallback, string way) = (options.Fallback is null ? "Offload:Fallback" : $"{path}:Fallback", options.Path is null ? "Offload:Path" : $"{path}:Path");
            reader.Add($"{fallback} is none, but {way} is {taken.ToString().ToLowerInvariant()}; with that path {path}:Fallback must be software.");
        }
        else if (options.Fallback is not null && Offload.Devices is ["none"])
        {
            reader.Add($"{path}:Fallback is none, but Offload:Devices is none; without a device it must be software.");
        }
    }

    private List<Listener> ReadListeners(SettingsReader reader)
    {
        IReadOnlyDictionary<string, ListenerOptions> named = reader.ReadNamed<ListenerOptions>(ListenerOptions.Section);
        string urls = Server.Urls ?? (named.Count == 0 ? DefaultUrl : "");
        ListenAddress.TryParseList(urls, "Server:Urls", out IReadOnlyList<ListenAddress> addresses, out _);     // a problem is told by Server
        List<Listener> listeners =
        [
            .. addresses.Select(address => new Listener(address.ToString(), address, Resolve(new ListenerOptions { Url = address.ToString() }))),
        ];
        foreach ((string name, ListenerOptions options) in named)
        {
            ILookup<bool, string> wanted = options.Certificates.ToLookup(wanted => Certificates.Any(one => IsSame(one.Key, wanted)));
            foreach (string unknown in wanted[false])
            {
                string known = Certificates.Count > 0 ? string.Join(", ", Certificates.Select(static one => one.Key)) : "none";
                reader.Add($"{ListenerOptions.Section}:{name}:Certificates has '{unknown}', which is no certificate; there are {known}.");
            }

            if (ListenAddress.TryParse(options.Url, "", out ListenAddress? address, out _))
            {
                listeners.Add(new Listener(name, address, Resolve(options with { Certificates = [.. wanted[true]] })));
            }
        }

        // Port 0 is another one each time.
        foreach (IGrouping<ListenAddress, Listener> twice in listeners.Where(static listener => listener.Address.Port != 0)
            .GroupBy(static listener => listener.Address with { IsHttps = true }).Where(static group => group.Count() > 1))
        {
            reader.Add($"Listeners {string.Join(" and ", twice.Select(static listener => $"'{listener.Name}'"))} have the same address and port; each must have its own.");
        }

        return listeners;
    }

    /// <summary>Puts the sections at the top of the configuration where the listener has none of its own.</summary>
    private ListenerOptions Resolve(ListenerOptions options) => options with
    {
        Tickets = options.Tickets ?? Tickets,
        ClientCertificates = options.ClientCertificates ?? ClientCertificates,
        Protocol = options.Protocol ?? Protocol,
        Hsts = options.Hsts ?? Hsts,
    };

    private static bool IsSame(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);
}
