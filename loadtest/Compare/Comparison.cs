using WarpDrive.Linux;
using WarpProxy.LoadTest.Handshakes;
using WarpProxy.LoadTest.Peers;
using WarpProxy.LoadTest.Reporting;
using WarpProxy.LoadTest.Servers;

namespace WarpProxy.LoadTest.Compare;

/// <summary>Runs several servers in turn under the same loads.</summary>
/// <param name="title">Of its report.</param>
/// <param name="baseline">Name of the server that the others are compared with.</param>
/// <param name="plan">How.</param>
/// <param name="live">Shows where it is.</param>
/// <param name="interruption">Ends it early.</param>
internal sealed class Comparison(string title, string baseline, ComparisonPlan plan, LiveLine live, Interruption interruption) : IDisposable
{
    private static readonly TimeSpan StatusLimit = TimeSpan.FromSeconds(5);

    private readonly ServerFleet _fleet = new();
    private readonly HttpClient _http = new() { Timeout = StatusLimit };
    private readonly Dictionary<(LoadCase Load, string Server), List<RoundSample>> _samples = [];
    private readonly Dictionary<string, ComparedServer> _servers = [];
    private readonly Dictionary<string, LeftOutServer> _leftOut = [];

    /// <summary>Which server has which turn in a round: each is first, last and in between as often as the others.</summary>
    public static IEnumerable<T> Rotate<T>(IReadOnlyList<T> servers, int turn) =>
        Enumerable.Range(0, servers.Count).Select(index => servers[(index + turn) % servers.Count]);

    /// <summary>Runs to the end, or until interrupted.</summary>
    /// <param name="recipes">Of the servers.</param>
    /// <exception cref="LoadFailure">A server that is required cannot be started, or one fails before anything was measured.</exception>
    public ComparisonResult Execute(IReadOnlyList<IServerRecipe> recipes)
    {
        DateTimeOffset started = DateTimeOffset.UtcNow;
        Machine machine = Machine.Read();
        List<IServerRecipe> present = [.. recipes.Where(IsPresent)];
        string? failure = null;
        CpuAffinity.SetProcess(plan.Cpus.Client.Processors);
        try
        {
            int originPort = FreePort.Take(1)[0];
            _fleet.Start("The origin", ServerCommand.OfThisProgram(OriginCommand.Name, "--port", $"{originPort}"), plan.Cpus.Client);
            foreach (ServerKey key in plan.Keys)
            {
                Measure(key, present, originPort);
            }
        }
        catch (LoadFailure failed) when (interruption.IsRaised || _samples.Count > 0)
        {
            // Ctrl-C goes to the servers too: what they no longer answer is no failure then.
            failure = interruption.IsRaised ? null : failed.Message;
        }

        return new ComparisonResult
        {
            Title = title,
            Baseline = baseline,
            Started = started,
            Machine = machine,
            Conditions = [.. plan.Conditions],
            Servers = [.. _servers.Values],
            LeftOut = [.. _leftOut.Values],
            IsInterrupted = interruption.IsRaised,
            IsRequesting = plan.IsRequesting,
            Failure = failure,
            SharedProcessors = plan.Cpus.Warning,
            Rows = [.. plan.Keys.SelectMany(plan.Cases).SelectMany(load => _servers.Keys.Select(server => ToRow(load, server)).OfType<ComparisonRow>())],
        };
    }

    /// <summary>Ends all servers.</summary>
    public void Dispose()
    {
        _fleet.Dispose();
        _http.Dispose();
    }

    private ComparisonRow? ToRow(LoadCase load, string server) => _samples.TryGetValue((load, server), out List<RoundSample>? samples)
        ? ComparisonRow.Of(server, load, samples, _samples.GetValueOrDefault((load, baseline), []), plan.Cpus.Server.Processors.Count)
        : null;

    private bool IsPresent(IServerRecipe recipe)
    {
        string? obstacle = recipe.FindObstacle();
        if (obstacle is not null && recipe.IsRequired)
        {
            throw new LoadFailure(obstacle, LoadFailure.BadInput);
        }

        if (obstacle is not null)
        {
            _leftOut[recipe.Name] = new(recipe.Name, obstacle);
        }

        return obstacle is null;
    }

    /// <summary>All rounds with keys of one kind, for which every server is started anew.</summary>
    private void Measure(ServerKey key, List<IServerRecipe> recipes, int originPort)
    {
        live.Show($"making a key: {key}");
        var identity = ServerIdentity.Create(key);
        LoadCase[] cases = [.. plan.Cases(key)];
        List<RunningServer> servers = [];
        foreach (IServerRecipe recipe in recipes.ToArray())
        {
            live.Show($"starting {recipe.Name} with {key}");
            if (TryStart(recipe, identity, originPort, cases[0]) is RunningServer server)
            {
                servers.Add(server);
            }
            else
            {
                recipes.Remove(recipe); // and not with the next size either
            }
        }

        // Each version once, with all the connections that there will be.
        foreach (LoadCase load in cases.GroupBy(static load => load.Tls).Select(static version => version.MaxBy(static load => load.Connections)!))
        {
            foreach (RunningServer server in servers.TakeWhile(_ => !interruption.IsRaised && plan.Warmup > TimeSpan.Zero))
            {
                live.Prefix = $"{server.Name}, {load}, warm-up: ";
                HandshakesRun.Measure(plan.Load(load, server.Port, TimeSpan.Zero, plan.Warmup), live, interruption);
            }
        }

        foreach ((int round, (int turn, LoadCase load)) in Enumerable.Range(0, plan.Rounds).SelectMany(_ => cases.Index(), ValueTuple.Create))
        {
            foreach (RunningServer server in Rotate(servers, round + turn).TakeWhile(_ => !interruption.IsRaised))
            {
                live.Prefix = $"{server.Name}, {load}, round {round + 1} of {plan.Rounds}: ";
                Measure(server, load, round);
            }
        }

        live.Prefix = "";
        _fleet.Stop([.. servers.SelectMany(static server => server.Processes)]);
    }

    private RunningServer? TryStart(IServerRecipe recipe, ServerIdentity identity, int originPort, LoadCase load)
    {
        try
        {
            RunningServer server = _fleet.Start(recipe, identity, originPort, plan.Cpus.Server);
            Readiness.WaitForHandshake(plan.Load(load, server.Port, TimeSpan.Zero, plan.Measured), server.Processes, interruption);
            ComparedServer known = _servers.GetValueOrDefault(recipe.Name) ?? new ComparedServer(
                recipe.Name, recipe.ReadVersion(), [.. server.Setup.Commands.Select(static command => command.ToString())], server.Setup.Configuration);
            string? note = load.Key.IsRsa && ReadStatus(server) is string status ? ProxyEngine.Describe(status, load.Key.Bits) : null;
            _servers[recipe.Name] = note is null ? known : known with { Notes = [.. known.Notes, note] };
            return server;
        }
        catch (LoadFailure failure) when (!recipe.IsRequired && !interruption.IsRaised)
        {
            _leftOut[recipe.Name] = new(recipe.Name, failure.Message);
            return null;
        }
    }

    private void Measure(RunningServer server, LoadCase load, int round)
    {
        var meter = new CpuMeter(server.Processes.Select(static process => process.Id));
        ProxyActivity? before = ReadActivity(server);
        var busy = new List<TimeSpan>();
        HandshakesMeasurement measured = HandshakesRun.Measure(plan.Load(load, server.Port, plan.Lead, plan.Measured), live, interruption, () =>
        {
            busy.Add(ProcessorBusy.Read(plan.Cpus.Server)); // at the beginning and at the end of what is measured
            return meter.Read();
        });
        if (interruption.IsRaised)
        {
            return; // cut short: not like the others
        }

        ProxyActivity? activity = before is null ? null : ReadActivity(server)!.Since(before);
        if (!_samples.TryGetValue((load, server.Name), out List<RoundSample>? samples))
        {
            _samples[(load, server.Name)] = samples = [];
        }

        samples.Add(RoundSample.Of(round, measured, plan.IsRequesting) with { ProcessorBusy = busy[^1] - busy[0], Activity = activity });
    }

    private ProxyActivity? ReadActivity(RunningServer server) => ReadStatus(server) is string status ? ProxyActivity.Parse(status) : null;

    private string? ReadStatus(RunningServer server)
    {
        try
        {
            return server.Setup.StatusUrl is Uri status ? _http.GetStringAsync(status).GetAwaiter().GetResult() : null;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            throw new LoadFailure($"GET {server.Setup.StatusUrl} of {server.Name} failed: {failure.Message}", LoadFailure.NothingMeasured);
        }
    }
}
