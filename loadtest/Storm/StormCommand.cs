using System.CommandLine;
using System.Globalization;
using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Reporting;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.LoadTest.Storm;

/// <summary><c>warp-loadtest storm URL</c>: what thousands of new connections at once do to those that are established.</summary>
internal static class StormCommand
{
    private static readonly Argument<string> Url = new Argument<string>("URL") { Description = "The server: https://localhost:8443" }
        .RefusedIf(static url => LoadTarget.Parse(url, out string refusal) is null ? refusal : null);

    private static readonly Option<int> Connections =
        new Option<int>("--connections") { Description = "New connections, all at once.", DefaultValueFactory = static _ => StormOptions.DefaultConnections }.Between(1, 50_000);

    private static readonly Option<int> Established =
        new Option<int>("--established") { Description = "Connections over HTTP/2 that are there before.", DefaultValueFactory = static _ => 50 }.Between(1, 1_000);

    private static readonly Option<double> Rate =
        new Option<double>("--rate") { Description = "Requests per second of the established connections together.", DefaultValueFactory = static _ => 500 }.Between(1, 100_000);

    private static readonly Option<double> Before =
        new Option<double>("--before") { Description = "Seconds that they are measured before the storm.", DefaultValueFactory = static _ => 5 }.Between(0.1, 600);

    private static readonly Option<string?> Tls = LoadCommandOptions.Tls();

    private static readonly Option<double> Timeout = new Option<double>("--timeout")
    {
        Description = "Seconds in which each new connection has to be served or refused.",
        DefaultValueFactory = static _ => 30,
    }.Between(0.1, 600);

    private static readonly Option<bool> Yielding = new("--yielding")
    {
        Description = "The storm's thread takes only what the processors have left, once all its connections are begun: for a client on the server's own "
            + "processors, with nothing else on them.",
    };

    private static readonly Option<string?> Work = new Option<string?>("--work")
    {
        Description = "Numbers of the server's processes, with commas between: latency of the established connections is the processor time that they and this client use "
            + "meanwhile, by the number of processors. For a machine with other programs on it.",
    }.RefusedIf(static list => WorkClock.Parse(list) is null ? $"--work is '{list}'; it must be numbers of running processes with commas between." : null);

    private static readonly Option<bool> Json = LoadCommandOptions.Json();

    public static Command Create()
    {
        var command = new Command("storm", "Thousands of new connections at once, and what they do to the latency of those that are established.")
        {
            Url, Connections, Established, Rate, Before, Tls, Timeout, Yielding, Work, Json,
        };
        command.SetAction(static parsed =>
        {
            bool json = parsed.GetValue(Json);
            StormOptions options = ToOptions(parsed);
            return LoadCommand.Run(json, (live, interruption) =>
            {
                StormResult result = StormRun.Execute(options, live, interruption);
                return (json ? JsonFormat.Write(result) : Write(result), result.Served.Count + result.Refused.Count > 0);
            });
        });
        return command;
    }

    private static StormOptions ToOptions(ParseResult parsed) => new()
    {
        Target = LoadTarget.Parse(parsed.GetRequiredValue(Url), out _)!,
        Connections = parsed.GetValue(Connections),
        Established = parsed.GetValue(Established),
        Rate = parsed.GetValue(Rate),
        Before = TimeSpan.FromSeconds(parsed.GetValue(Before)),
        IsYielding = parsed.GetValue(Yielding),
        WorkOf = parsed.GetValue(Work) is { } processes ? WorkClock.Parse(processes)! : [],
        Limit = TimeSpan.FromSeconds(parsed.GetValue(Timeout)),
        Version = LoadCommandOptions.VersionOf(parsed.GetValue(Tls)),
    };

    private static string Write(StormResult result)
    {
        string errors = string.Concat(result.Errors.Select(static error => $"   {error.Key}: {error.Value}\n"));
        return string.Create(CultureInfo.InvariantCulture, $"""
            {result.Url}: {result.Connections:N0} connections at once (all begun in {result.OpeningSeconds:0.00} s), {result.Established} established ones over HTTP/2 with {result.Rate:N0} requests/s together
            {"",-8} {"requests",9} {"p50 ms",9} {"p99 ms",9} {"longest",9}
            {Line("before", result.Before)}
            {Line("during", result.During)}
            p99 during the storm : p99 before it = {result.Ratio:0.00}; established connections lost: {result.Lost.Count}
            {result.Served.Count:N0} served (longest {result.Served.MaxMicroseconds / 1e6:0.00} s), {result.Refused.Count:N0} refused (longest {result.Refused.MaxMicroseconds / 1e6:0.00} s), {result.Late:N0} neither; all in {result.Seconds:0.00} s
            {errors}
            """).TrimEnd();
    }

    private static string Line(string name, LatencySummary latency) => string.Create(
        CultureInfo.InvariantCulture,
        $"{name,-8} {latency.Count,9:N0} {latency.P50Microseconds / 1000,9:0.00} {latency.P99Microseconds / 1000,9:0.00} {latency.MaxMicroseconds / 1000,9:0.00}");
}
