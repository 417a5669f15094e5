using System.CommandLine;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Reporting;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.LoadTest.Handshakes;

/// <summary><c>warp-loadtest handshakes URL</c>: TLS handshakes per second and their latency.</summary>
internal static class HandshakesCommand
{
    private static readonly Argument<string> Url = new Argument<string>("URL") { Description = "The server: https://localhost:8443" }
        .RefusedIf(static url => LoadTarget.Parse(url, out string refusal) is null ? refusal : null);

    private static readonly Option<int?> Connections = new Option<int?>("--connections")
    {
        Description = $"Connections open at the same time (default {HandshakesOptions.DefaultConnections}); "
            + $"with --rate at most so many (default {HandshakesOptions.DefaultOpenLoopConnections}), and more wait.",
    }.Between(1, 10_000);

    private static readonly Option<double?> Rate = LoadCommandOptions.Rate("connections");

    private static readonly Option<string> Arrivals = new Option<string>("--arrivals")
    {
        Description = "With --rate: even intervals, or poisson, as independent clients come.",
        DefaultValueFactory = static _ => "even",
    }.RefusedIf(static text => text is "even" or "poisson" ? null : $"--arrivals is '{text}'; it must be even or poisson.");

    private static readonly Option<double> Seconds = LoadCommandOptions.Seconds();

    private static readonly Option<double> Warmup = LoadCommandOptions.Warmup();

    private static readonly Option<string?> Tls = LoadCommandOptions.Tls();

    private static readonly Option<string?> Ciphers = new("--ciphers")
    {
        Description = "Cipher suites with colons between; names with TLS_ are those of TLS 1.3, others those of OpenSSL for TLS 1.2.",
    };

    private static readonly Option<string?> Groups = new("--groups") { Description = "Groups of the key exchange with colons between: X25519:P-256" };

    private static readonly Option<double> Resume =
        new Option<double>("--resume") { Description = "Share of the connections that offer a session, 0 to 1 (default 0)." }.Between(0, 1);

    private static readonly Option<string?> Sni =
        new Option<string?>("--sni") { Description = "Names to ask for in turn, with commas between. Default: the URL's." }.RefusedIf(FindBadName);

    private static readonly Option<bool> Request = new("--request") { Description = "One HTTP/1.1 GET of the URL's path per connection." };

    private static readonly Option<string?> Verify = LoadCommandOptions.Verify();

    private static readonly Option<double> Timeout = LoadCommandOptions.Timeout("connection");

    private static readonly Option<int> Threads = LoadCommandOptions.Threads();

    private static readonly Option<bool> Json = LoadCommandOptions.Json();

    public static Command Create()
    {
        var command = new Command("handshakes", "TLS handshakes: how many per second, how long they take, what they cost the client.")
        {
            Url, Connections, Rate, Arrivals, Seconds, Warmup, Tls, Ciphers, Groups, Resume, Sni, Request, Verify, Timeout, Threads, Json,
        };
        command.SetAction(static parsed => Run(ToOptions(parsed), parsed.GetValue(Json)));
        return command;
    }

    private static int Run(HandshakesOptions options, bool json)
    {
        return LoadCommand.Run(json, (live, interruption) =>
        {
            LoadCommandOptions.CheckThreads(options.Threads, options.Connections);
            HandshakesResult result = HandshakesRun.Execute(options, live, interruption);
            return (json ? JsonFormat.Write(result) : HandshakesReport.Write(result), result.Handshakes > 0);
        });
    }

    private static HandshakesOptions ToOptions(ParseResult parsed)
    {
        LoadTarget target = LoadTarget.Parse(parsed.GetRequiredValue(Url), out _)!;
        TlsVersion version = LoadCommandOptions.VersionOf(parsed.GetValue(Tls));
        ILookup<bool, string> ciphers =
            Split(parsed.GetValue(Ciphers), ':').ToLookup(static name => name.StartsWith("TLS_", StringComparison.Ordinal));
        string[] names = Split(parsed.GetValue(Sni), ',');
        return new HandshakesOptions
        {
            Target = target,
            Connections = ConnectionsOf(parsed.GetValue(Connections), parsed.GetValue(Rate)),
            Rate = parsed.GetValue(Rate),
            IsRandom = parsed.GetValue(Arrivals) == "poisson",
            Measured = TimeSpan.FromSeconds(parsed.GetValue(Seconds)),
            Warmup = TimeSpan.FromSeconds(parsed.GetValue(Warmup)),
            Threads = parsed.GetValue(Threads),
            Resume = parsed.GetValue(Resume),
            Names = [.. (names.Length == 0 ? [target.Host] : names).Select(static name => new TlsServerName(name))],
            IsRequesting = parsed.GetValue(Request),
            Timeout = TimeSpan.FromSeconds(parsed.GetValue(Timeout)),
            Tls = new TlsClientOptions
            {
                LowestVersion = version == TlsVersion.Any ? TlsVersion.Tls12 : version,
                HighestVersion = version,
                CipherSuites = Join(ciphers[true]),
                CipherList = Join(ciphers[false]),
                Groups = parsed.GetValue(Groups),
                ApplicationProtocols = ["http/1.1"],
                TrustedFile = parsed.GetValue(Verify),
            },
        };
    }

    private static int ConnectionsOf(int? connections, double? rate) =>
        connections ?? (rate is null ? HandshakesOptions.DefaultConnections : HandshakesOptions.DefaultOpenLoopConnections);

    private static string? FindBadName(string names)
    {
        try
        {
            TlsServerName[] parsed = [.. Split(names, ',').Select(static name => new TlsServerName(name))];
            return parsed.Length > 0 ? null : $"--sni is '{names}'; it must hold a name.";
        }
        catch (ArgumentException)
        {
            return $"--sni is '{names}'; it must be names of hosts with commas between.";
        }
    }

    private static string[] Split(string? list, char separator) =>
        (list ?? "").Split(separator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string? Join(IEnumerable<string> names) => string.Join(':', names) is { Length: > 0 } list ? list : null;
}
