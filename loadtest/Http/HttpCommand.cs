using System.CommandLine;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Reporting;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.LoadTest.Http;

/// <summary><c>warp-loadtest http URL</c>: HTTP requests per second and their latency.</summary>
internal static class HttpCommand
{
    private const int MaxConnections = 10_000;
    private const int MaxStreams = 1_000;

    private static readonly Argument<string> Url =
        new Argument<string>("URL") { Description = "The server and the path: https://localhost:8443/page, or http://localhost:8080" }
            .RefusedIf(static url => LoadTarget.Parse(url, out string refusal, isPlainAllowed: true) is null ? refusal : null);

    private static readonly Option<string> Http =
        new Option<string>("--http") { Description = "Version of HTTP: 1.1 or 2.", DefaultValueFactory = static _ => "1.1" }
            .RefusedIf(static text => text is "1.1" or "2" ? null : $"--http is {text}; it must be 1.1 or 2.");

    private static readonly Option<bool> NewConnections = new("--new-connections")
    {
        Description = "A new connection for each request, and a full handshake with it. Default: connections are kept.",
    };

    private static readonly Option<int?> Connections = new Option<int?>("--connections")
    {
        Description = $"Connections open at the same time (default {HttpOptions.DefaultConcurrency}, "
            + $"with --rate at most {HttpOptions.DefaultOpenLoopConcurrency}; with --http 2 so many requests by --streams).",
    }.Between(1, MaxConnections);

    private static readonly Option<int?> Streams = new Option<int?>("--streams")
    {
        Description = $"Requests under way at the same time on each HTTP/2 connection (default {HttpOptions.DefaultStreams}, "
            + $"with --rate at most {HttpOptions.DefaultOpenLoopStreams}).",
    }.Between(1, MaxStreams);

    private static readonly Option<double?> Rate = LoadCommandOptions.Rate("requests");

    private static readonly Option<string?> Method = new Option<string?>("--method") { Description = "Default: GET, with --body POST." }
        .RefusedIf(static text => RequestShape.IsToken(text) && text != "CONNECT" ? null : $"--method is '{text}'; it must be like GET, and not CONNECT.");

    private static readonly Option<long?> Body =
        new Option<long?>("--body") { Description = "Send a body of so many bytes with each request." }.Between(0, 1L << 30);

    private static readonly Option<string[]> Headers =
        new Option<string[]>("--header") { Description = "'Name: value', to send with each request; may be given again." }
            .RefusedIf(static text => RequestShape.ParseHeader(text, out string refusal) is null ? refusal : null);

    private static readonly Option<double> Seconds = LoadCommandOptions.Seconds();

    private static readonly Option<double> Warmup = LoadCommandOptions.Warmup();

    private static readonly Option<string?> Tls = LoadCommandOptions.Tls();

    private static readonly Option<string?> Verify = LoadCommandOptions.Verify();

    private static readonly Option<double> Timeout = LoadCommandOptions.Timeout("request");

    private static readonly Option<int> Threads = LoadCommandOptions.Threads();

    private static readonly Option<bool> Json = LoadCommandOptions.Json();

    public static Command Create()
    {
        var command = new Command("http", "HTTP requests: how many per second, how long they take, what they cost the client.")
        {
            Url, Http, NewConnections, Connections, Streams, Rate, Method, Body, Headers, Seconds, Warmup, Tls, Verify, Timeout, Threads, Json,
        };
        command.SetAction(static parsed => Run(parsed, parsed.GetValue(Json)));
        return command;
    }

    /// <summary>Options that contradict each other, in one sentence; null if none do.</summary>
    public static string? FindContradiction(bool isHttp2, bool isNewConnectionEach, int? streams, int threads) => (isHttp2, isNewConnectionEach) switch
    {
        (false, _) when streams > 1 => $"--streams is {streams}; only with --http 2 can it be above 1.",
        (true, true) when streams > 1 => $"--streams is {streams}; with --new-connections it must be 1.",
        (true, _) when threads > 1 => $"--threads is {threads}; with --http 2 it must be 1: .NET's pool of threads does the work.",
        _ => null,
    };

    private static int Run(ParseResult parsed, bool json) => LoadCommand.Run(json, (live, interruption) =>
    {
        bool isHttp2 = parsed.GetValue(Http) == "2";
        if (FindContradiction(isHttp2, parsed.GetValue(NewConnections), parsed.GetValue(Streams), parsed.GetValue(Threads)) is string sentence)
        {
            throw new LoadFailure(sentence, LoadFailure.BadInput);
        }

        HttpOptions options = ToOptions(parsed);
        LoadCommandOptions.CheckThreads(options.Threads, options.Connections);
        HttpResult result = HttpRun.Execute(options, live, interruption);
        return (json ? JsonFormat.Write(result) : HttpReport.Write(result), result.Requests > 0);
    });

    private static HttpOptions ToOptions(ParseResult parsed)
    {
        TlsVersion version = LoadCommandOptions.VersionOf(parsed.GetValue(Tls));
        bool isHttp2 = parsed.GetValue(Http) == "2";
        bool isNewEach = parsed.GetValue(NewConnections);
        bool isOpen = parsed.GetValue(Rate) is not null;
        int streams = isHttp2 && !isNewEach
            ? parsed.GetValue(Streams) ?? (isOpen ? HttpOptions.DefaultOpenLoopStreams : HttpOptions.DefaultStreams)
            : 1;
        int concurrency = isOpen ? HttpOptions.DefaultOpenLoopConcurrency : HttpOptions.DefaultConcurrency;
        long? body = parsed.GetValue(Body);
        return new HttpOptions
        {
            Target = LoadTarget.Parse(parsed.GetRequiredValue(Url), out _, isPlainAllowed: true)!,
            IsHttp2 = isHttp2,
            IsNewConnectionEach = isNewEach,
            Connections = parsed.GetValue(Connections) ?? Math.Max(1, concurrency / streams),
            Streams = streams,
            Rate = parsed.GetValue(Rate),
            Measured = TimeSpan.FromSeconds(parsed.GetValue(Seconds)),
            Warmup = TimeSpan.FromSeconds(parsed.GetValue(Warmup)),
            Threads = parsed.GetValue(Threads),
            Timeout = TimeSpan.FromSeconds(parsed.GetValue(Timeout)),
            Request = new RequestShape
            {
                Method = parsed.GetValue(Method) ?? (body is null ? "GET" : "POST"),
                BodyBytes = body,
                Headers = [.. (parsed.GetValue(Headers) ?? []).Select(static text => RequestShape.ParseHeader(text, out _)!.Value)],
            },
            Tls = new TlsClientOptions
            {
                LowestVersion = version == TlsVersion.Any ? TlsVersion.Tls12 : version,
                HighestVersion = version,
                ApplicationProtocols = [isHttp2 ? "h2" : "http/1.1"],
                TrustedFile = parsed.GetValue(Verify),
            },
        };
    }
}
