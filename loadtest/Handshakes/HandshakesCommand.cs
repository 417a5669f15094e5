using System.CommandLine;
using System.CommandLine.Parsing;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Reporting;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.LoadTest.Handshakes;

/// <summary><c>warp-loadtest handshakes URL</c>: TLS handshakes per second and their latency.</summary>
internal static class HandshakesCommand
{
    private static readonly Argument<string> Url = new("URL") { Description = "The server: https://localhost:8443" };

    private static readonly Option<int?> Connections = new Option<int?>("--connections")
    {
        Description = $"Connections open at the same time (default {HandshakesOptions.DefaultConnections}); "
            + $"with --rate at most so many (default {HandshakesOptions.DefaultOpenLoopConnections}), and more wait.",
    }.Between(1, 10_000);

    private static readonly Option<double?> Rate = new Option<double?>("--rate")
    {
        Description = "Open loop: begin so many connections per second whatever the server does, and measure latency from when each was due.",
    }.Between(0.1, 1_000_000);

    private static readonly Option<double> Seconds =
        new Option<double>("--seconds") { Description = "How long to measure.", DefaultValueFactory = static _ => 10 }.Between(0.1, 86_400);

    private static readonly Option<double> Warmup =
        new Option<double>("--warmup") { Description = "Seconds of load before.", DefaultValueFactory = static _ => 1 }.Between(0, 3_600);

    private static readonly Option<string?> Tls = new("--tls")
    {
        Description = "Only this version: 1.2 or 1.3. Default: the highest that the server takes.",
    };

    private static readonly Option<string?> Ciphers = new("--ciphers")
    {
        Description = "Cipher suites with colons between; names with TLS_ are those of TLS 1.3, others those of OpenSSL for TLS 1.2.",
    };

    private static readonly Option<string?> Groups = new("--groups") { Description = "Groups of the key exchange with colons between: X25519:P-256" };

    private static readonly Option<double> Resume =
        new Option<double>("--resume") { Description = "Share of the connections that offer a session, 0 to 1 (default 0)." }.Between(0, 1);

    private static readonly Option<string?> Sni = new("--sni") { Description = "Names to ask for in turn, with commas between. Default: the URL's." };

    private static readonly Option<bool> Request = new("--request") { Description = "One HTTP/1.1 GET of the URL's path per connection." };

    private static readonly Option<string?> Verify = new("--verify")
    {
        Description = "PEM file of trusted certificates: verify chain and name. Default: neither, which is cheaper; "
            + "that the server has the key is always checked.",
    };

    private static readonly Option<double> Timeout =
        new Option<double>("--timeout") { Description = "Seconds that one connection may take.", DefaultValueFactory = static _ => 10 }.Between(0.1, 600);

    private static readonly Option<int> Threads =
        new Option<int>("--threads") { Description = "Client threads.", DefaultValueFactory = static _ => 1 }.Between(1, 64);

    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON object instead of text, and no live line." };

    public static Command Create()
    {
        var command = new Command("handshakes", "TLS handshakes: how many per second, how long they take, what they cost the client.")
        {
            Url, Connections, Rate, Seconds, Warmup, Tls, Ciphers, Groups, Resume, Sni, Request, Verify, Timeout, Threads, Json,
        };
        Url.Validators.Add(Check<ArgumentResult>(static result =>
            LoadTarget.Parse(result.Tokens[0].Value, out string refusal) is null ? refusal : null));
        Tls.Validators.Add(Check<OptionResult>(static result =>
            result.Tokens[0].Value is "1.2" or "1.3" ? null : $"--tls is {result.Tokens[0].Value}; it must be 1.2 or 1.3."));
        Sni.Validators.Add(Check<OptionResult>(static result => FindBadName(result.Tokens[0].Value)));
        Verify.Validators.Add(Check<OptionResult>(static result =>
            File.Exists(result.Tokens[0].Value) ? null : $"--verify is {result.Tokens[0].Value}; there is no such file."));
        command.SetAction(static parsed => Run(ToOptions(parsed), parsed.GetValue(Json)));
        return command;
    }

    private static int Run(HandshakesOptions options, bool json)
    {
        using var interruption = new Interruption();
        try
        {
            if (options.Threads > options.Connections)
            {
                throw new LoadFailure(
                    $"--threads is {options.Threads}; it must not be above --connections, which is {options.Connections}.", LoadFailure.BadInput);
            }

            HandshakesResult result;
            using (LiveLine live = LiveLine.OnStandardError(isQuiet: json))
            {
                result = HandshakesRun.Execute(options, live, interruption);
            }

            Console.WriteLine(json ? JsonFormat.Write(result) : HandshakesReport.Write(result));
            return interruption.ExitCodeOr(result.Handshakes > 0 ? 0 : LoadFailure.NothingMeasured);
        }
        catch (LoadFailure failure)
        {
            Console.Error.WriteLine(failure.Message);
            return failure.ExitCode;
        }
    }

    private static HandshakesOptions ToOptions(ParseResult parsed)
    {
        LoadTarget target = LoadTarget.Parse(parsed.GetRequiredValue(Url), out _)!;
        TlsVersion version = parsed.GetValue(Tls) switch
        {
            "1.2" => TlsVersion.Tls12,
            "1.3" => TlsVersion.Tls13,
            _ => TlsVersion.Any,
        };
        ILookup<bool, string> ciphers =
            Split(parsed.GetValue(Ciphers), ':').ToLookup(static name => name.StartsWith("TLS_", StringComparison.Ordinal));
        string[] names = Split(parsed.GetValue(Sni), ',');
        return new HandshakesOptions
        {
            Target = target,
            Connections = ConnectionsOf(parsed.GetValue(Connections), parsed.GetValue(Rate)),
            Rate = parsed.GetValue(Rate),
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

    private static Action<T> Check<T>(Func<T, string?> refusal)
        where T : SymbolResult =>
        result =>
        {
            if (refusal(result) is string sentence)
            {
                result.AddError(sentence);
            }
        };
}
