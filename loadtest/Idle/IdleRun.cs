using WarpDrive.Linux;
using WarpDrive.OpenSsl.Tls;
using WarpProxy.LoadTest.Handshakes;
using WarpProxy.LoadTest.Peers;
using WarpProxy.LoadTest.Reporting;
using WarpProxy.LoadTest.Servers;
using WarpProxy.LoadTest.Targets;

namespace WarpProxy.LoadTest.Idle;

/// <summary>Runs servers one after the other, each with the same connections at rest.</summary>
/// <param name="options">What to measure.</param>
/// <param name="live">Shows where it is.</param>
/// <param name="interruption">Ends it early.</param>
internal sealed class IdleRun(IdleOptions options, LiveLine live, Interruption interruption) : IDisposable
{
    // Before memory is read for the first time: what a server keeps of its first connections is no cost of those at rest.
    private const int MaxEarlier = 500;

    private readonly ServerFleet _fleet = new();

    /// <summary>Runs those that are installed, to the end or until interrupted.</summary>
    /// <exception cref="LoadFailure">WarpProxy is not there; a server or a connection failed.</exception>
    public IReadOnlyList<IdleRow> Execute(IReadOnlyList<IServerRecipe> recipes)
    {
        if (recipes.Where(static recipe => recipe.IsRequired).Select(static recipe => recipe.FindObstacle()).FirstOrDefault(static obstacle => obstacle is not null)
            is string obstacle)
        {
            throw new LoadFailure(obstacle, LoadFailure.BadInput);
        }

        List<IdleRow> rows = [];
        CpuAffinity.SetProcess(options.Cpus.Client.Processors);
        int originPort = FreePort.Take(1)[0];
        _fleet.Start("The origin", ServerCommand.OfThisProgram(OriginCommand.Name, "--port", $"{originPort}"), options.Cpus.Client);
        var identity = ServerIdentity.Create(ServerKey.Rsa(2048));
        foreach (IServerRecipe recipe in recipes.Where(static recipe => recipe.FindObstacle() is null).TakeWhile(_ => !interruption.IsRaised))
        {
            if (Measure(recipe, identity, originPort) is IdleRow row)
            {
                rows.Add(row);
            }
        }

        return rows;
    }

    /// <summary>Ends all servers.</summary>
    public void Dispose() => _fleet.Dispose();

    /// <summary>Null when interrupted.</summary>
    private IdleRow? Measure(IServerRecipe recipe, ServerIdentity identity, int originPort)
    {
        live.Prefix = $"{recipe.Name}: ";
        live.Show("starting");
        RunningServer server = _fleet.Start(recipe, identity, originPort, options.Cpus.Server);
        HandshakesOptions load = Load(server.Port);
        Readiness.WaitForHandshake(load, server.Processes, interruption);
        using TlsClientContext context = HandshakesRun.CreateContext(load.Tls);
        var meter = new MemoryMeter([.. server.Processes.Select(static process => process.Id)]);
        using (var earlier = new IdleConnections(load.Target, context, live, interruption))
        {
            earlier.Open(Math.Min(options.Connections, MaxEarlier));
        }

        interruption.Wait(options.Settle);
        long before = meter.Read();
        using var connections = new IdleConnections(load.Target, context, live, interruption);
        connections.Open(options.Connections);
        live.Show($"{connections.Count} connections rest");
        interruption.Wait(options.Settle);
        long with = meter.Read();
        if (interruption.IsRaised)
        {
            return null;
        }

        int ended = connections.CountEnded();
        _fleet.Stop(server.Processes);
        return new IdleRow(recipe.Name, recipe.ReadVersion(), connections.Count - ended, ended, before, with);
    }

    private HandshakesOptions Load(int port)
    {
        TlsVersion version = options.Tls == "1.2" ? TlsVersion.Tls12 : TlsVersion.Tls13;
        return new HandshakesOptions
        {
            Target = LoadTarget.Parse($"https://127.0.0.1:{port}/", out _)!,
            Names = [new TlsServerName("localhost")],
            IsRequesting = true,
            Tls = new TlsClientOptions { LowestVersion = version, HighestVersion = version, ApplicationProtocols = ["http/1.1"] },
        };
    }
}
