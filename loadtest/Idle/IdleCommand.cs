using System.CommandLine;
using System.Globalization;
using WarpDrive.Linux;
using WarpProxy.LoadTest.Compare;
using WarpProxy.LoadTest.Peers;
using WarpProxy.LoadTest.Reporting;
using WarpProxy.LoadTest.Servers;

namespace WarpProxy.LoadTest.Idle;

/// <summary><c>warp-loadtest idle</c>: the memory that a TLS connection at rest costs, of nginx, Kestrel and WarpProxy.</summary>
internal static class IdleCommand
{
    private static readonly Option<int?> Connections = new Option<int?>("--connections")
    {
        Description = $"TLS connections at rest at the same time (default {IdleOptions.DefaultConnections}, or fewer where a process may have fewer open files).",
    }.Between(1, 1_000_000);

    private static readonly Option<double> Settle =
        new Option<double>("--settle") { Description = "Seconds that they rest before memory is read.", DefaultValueFactory = static _ => 5 }.Between(0, 600);

    private static readonly Option<string> Tls = new Option<string>("--tls") { Description = "1.3 or 1.2.", DefaultValueFactory = static _ => "1.3" }
        .RefusedIf(static text => text is "1.2" or "1.3" ? null : $"--tls is {text}; it must be 1.2 or 1.3.");

    private static readonly Option<string?> Proxy = new("--proxy") { Description = "The program warpproxy. Default: the one that was built with this." };

    private static readonly Option<bool> Json = new("--json") { Description = "Print an array of rows, and no live line." };

    public static Command Create()
    {
        var command = new Command("idle", "Memory per TLS connection at rest, of nginx, Kestrel and WarpProxy in turn.") { Connections, Settle, Tls, Proxy, Json };
        command.SetAction(static parsed => LoadCommand.Run(parsed.GetValue(Json), (live, interruption) =>
        {
            IReadOnlyList<IdleRow> rows = Measure(parsed, live, interruption);
            return (parsed.GetValue(Json) ? JsonFormat.Write(rows) : Table(rows), rows.Count > 0);
        }));
        return command;
    }

    private static IReadOnlyList<IdleRow> Measure(ParseResult parsed, LiveLine live, Interruption interruption)
    {
        var options = new IdleOptions(
            IdleOptions.Choose(parsed.GetValue(Connections), OpenFileLimit.Read()),
            TimeSpan.FromSeconds(parsed.GetValue(Settle)),
            parsed.GetValue(Tls)!,
            CpuPlan.Choose(CpuAffinity.Current, null, null));
        string? proxy = parsed.GetValue(Proxy);
        WarpProxyPrograms programs = WarpProxyPrograms.Find(proxy is null ? null : Path.GetFullPath(proxy), null, WarpProxyPrograms.Embedded);
        using var run = new IdleRun(options, live, interruption);

        // nginx counts its connections to the origin too, and closes idle ones to be reused when fewer than one in 16 are left.
        return run.Execute(
        [
            new NginxRecipe(hasTickets: true, connections: (options.Connections * 9 / 8) + 256, idleSeconds: 3600),
            new KestrelRecipe(),
            new WarpProxyRecipe("WarpProxy", "device", programs),
        ]);
    }

    private static string Table(IReadOnlyList<IdleRow> rows) => string.Join('\n', rows
        .Select(static row => string.Create(
            CultureInfo.InvariantCulture,
            $"{row.Server,-10} {row.Connections,20:N0} {row.Ended,22:N0} {Mebibytes(row.BytesBefore),16:N1} {Mebibytes(row.BytesWith),14:N1} {row.BytesPerConnection / 1024,20:N1}   {row.Version}"))
        .Prepend($"{"",-10} {"connections at rest",20} {"ended by the server",22} {"MiB before them",16} {"MiB with them",14} {"KiB per connection",20}"));

    private static double Mebibytes(long bytes) => bytes / 1024.0 / 1024.0;
}
