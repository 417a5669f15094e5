using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Handshakes;
using WarpProxy.LoadTest.Servers;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.LoadTest.Compare;

/// <summary>What to compare, and how long.</summary>
internal sealed class ComparisonPlan
{
    // The same for all, whatever each would prefer: one cipher suite of each version, and one group, which every server takes.
    private const string Tls13Suite = "TLS_AES_256_GCM_SHA384";
    private const string Tls12SuiteOfRsa = "ECDHE-RSA-AES256-GCM-SHA384";
    private const string Tls12SuiteOfEcdsa = "ECDHE-ECDSA-AES256-GCM-SHA384";
    private const string Group = "X25519";

    // In TLS 1.2 a certificate's curve has to be among the groups (RFC 8422 5.1.1). The first one is used.
    private const string GroupsWithEcdsa = "X25519:P-256";

    private static readonly TimeSpan LongestLead = TimeSpan.FromMilliseconds(250);

    /// <summary>Of one run of one server.</summary>
    public required TimeSpan Measured { get; init; }

    /// <summary>Of each server once for each size and version, before the first round.</summary>
    public required TimeSpan Warmup { get; init; }

    public required int Rounds { get; init; }

    public required IReadOnlyList<ServerKey> Keys { get; init; }

    public required IReadOnlyList<string> TlsVersions { get; init; }

    public required IReadOnlyList<int> Connections { get; init; }

    /// <summary>Whether each connection gets one page.</summary>
    public required bool IsRequesting { get; init; }

    public required CpuPlan Cpus { get; init; }

    /// <summary>The load at the beginning of each run that is not measured: connections are then in all stages of a handshake.</summary>
    public TimeSpan Lead => Measured / 4 < LongestLead ? Measured / 4 : LongestLead;

    /// <summary>What holds for all, in sentences.</summary>
    public IEnumerable<string> Conditions =>
    [
        $"All servers run on processor {Cpus.Server}, one after the other; the client and the origin on {Cpus.Client}.",
        $"Each connection is one full handshake{(IsRequesting ? " and one GET with Connection: close" : "")}; the client never offers a session. "
            + $"It offers only {Tls13Suite} in TLS 1.3, {Tls12Suites} in TLS 1.2, and the group {Group} for the key exchange.",
        "Each server is a reverse proxy in front of the same origin (HTTP/1.1 with connections that are kept), which answers 20 bytes; "
            + (IsRequesting ? "the origin's time is not counted." : "handshakes alone do not reach it."),
        "Each server has one worker, issues session tickets as it does by default, and shows the same certificate; all processes of a server count.",
        $"{Rounds} rounds; in each, every server runs once for {Measured.TotalSeconds:0.##} s after {Lead.TotalSeconds:0.##} s that are not measured, in an order that rotates; "
            + $"before, each is warmed up for {Warmup.TotalSeconds:0.##} s. Values are medians over the rounds, with the lowest and the highest; a ratio is the median of the rounds' ratios.",
    ];

    private string Tls12Suites => string.Join(" or ", Keys.Select(static key => key.IsRsa ? Tls12SuiteOfRsa : Tls12SuiteOfEcdsa).Distinct());

    public IEnumerable<LoadCase> Cases(ServerKey key) =>
        TlsVersions.SelectMany(_ => Connections, (tls, connections) => new LoadCase(key, tls, connections));

    /// <summary>The load of one run.</summary>
    public HandshakesOptions Load(LoadCase load, int port, TimeSpan lead, TimeSpan measured) => new()
    {
        Target = LoadTarget.Parse($"https://127.0.0.1:{port}/", out _)!,
        Connections = load.Connections,

        // A client needs less than a server for the same handshake.
        Threads = Math.Min(load.Connections, Math.Min(Cpus.Server.Processors.Count, Cpus.Client.Processors.Count)),
        Measured = measured,
        Warmup = lead,
        Names = [new TlsServerName("localhost")],
        IsRequesting = IsRequesting,
        Tls = new TlsClientOptions
        {
            LowestVersion = load.Version,
            HighestVersion = load.Version,
            CipherSuites = Tls13Suite,
            CipherList = load.Key.IsRsa ? Tls12SuiteOfRsa : Tls12SuiteOfEcdsa,
            Groups = load.Key.IsRsa ? Group : GroupsWithEcdsa,
            ApplicationProtocols = ["http/1.1"],
        },
    };
}
