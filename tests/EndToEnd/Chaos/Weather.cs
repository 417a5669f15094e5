using System.Globalization;
using System.Text.Json;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Chaos;

/// <summary>
/// What happens to a proxy on its worst day, one thing after the other, chosen by a seed: its device is killed, ended, stopped, and comes back with other
/// faults; its certificate and its configuration are replaced, by good ones and by bad ones.
/// </summary>
internal sealed class Weather(Scenario scenario, int seed, string routes) : IDisposable
{
    private static readonly string[] EveryKind = ["delay", "drop", "wrong", "zero", "swap", "error", "stall", "slow", "reset", "disconnect"];

    private readonly Random _random = new(seed);
    private readonly SortedDictionary<string, int> _happened = new(StringComparer.Ordinal);
    private EmulatorProcess? _emulator;
    private int _number;

    /// <summary>Issues every certificate.</summary>
    public TestIssuer Issuer { get; } = new();

    /// <summary>For <c>--config</c>.</summary>
    public string ConfigFile => scenario.File("chaos.json");

    /// <summary>How often what happened.</summary>
    public string Happened => string.Join(", ", _happened.Select(static one => $"{one.Key} {one.Value}"));

    private string Socket => scenario.File("device.sock");

    /// <summary>Fair weather: a device, a certificate, a configuration.</summary>
    public async Task BeginAsync()
    {
        WriteCertificate(isGood: true, isRsa: true);
        File.CreateSymbolicLink(scenario.File("tls.crt"), "..data/tls.crt");
        File.CreateSymbolicLink(scenario.File("tls.key"), "..data/tls.key");
        WriteConfiguration(path: "device", deadlineMs: 50);
        await StartEmulatorAsync([]);
    }

    /// <summary>One thing happens.</summary>
    public async Task NextAsync(ProxyProcess proxy)
    {
        switch (_random.Next(9))
        {
            case 0:
                Note("device killed");
                await _emulator!.KillAsync();
                await StartEmulatorAsync(RandomFaults());
                break;
            case 1:
                Note("device ended");
                _emulator!.Process.Send(Signal.Terminate);
                await _emulator.Process.WaitForExitAsync(TimeSpan.FromSeconds(60));
                await StartEmulatorAsync(RandomFaults());
                break;
            case 2:
                Note("device stopped for a while");
                _emulator!.Process.Send(Signal.Stop);
                await PassAsync(0.2, 3);
                _emulator.Process.Send(Signal.Continue);
                break;
            case 3:
                Note("certificate replaced");
                WriteCertificate(isGood: true, AnyKind());
                break;
            case 4:
                Note("certificate replaced by a bad pair");
                WriteCertificate(isGood: false, AnyKind());
                break;
            case 5:
            case 6:
                Note("configuration replaced");
                WriteConfiguration(Any("device", "auto", "software"), Any(20, 50, 200));
                break;
            case 7:
                Note("configuration replaced by a bad one");
                Replace(ConfigFile, Any("{ \"Offload\": {", """{ "Offlaod": { } }""", """{ "Offload": { "Deadline": "never" } }""", ""));
                break;
            default:
                Note("hangup");
                proxy.Process.Send(Signal.Hangup);
                break;
        }

        await PassAsync(0.1, 1.5);
    }

    /// <summary>Fair weather again, so that all must end well: with a key that a device computes with.</summary>
    public async Task EndAsync()
    {
        WriteCertificate(isGood: true, isRsa: true);
        WriteConfiguration("device", deadlineMs: 10_000);      // that a busy machine keeps
        await _emulator!.KillAsync();
        await StartEmulatorAsync([]);
    }

    public void Dispose() => Issuer.Dispose();

    private async Task StartEmulatorAsync(List<object> faults)
    {
        string[] arguments = faults.Count == 0 ? [] : ["--faults", scenario.Write("plan.json", JsonSerializer.Serialize(new { seed = _random.Next(), faults }))];
        _emulator = await EmulatorProcess.StartAsync(scenario, Socket, arguments);
    }

    private List<object> RandomFaults()
    {
        List<object> faults = [];
        for (int i = _random.Next(4); i > 0; i--)
        {
            string kind = Any(EveryKind);
            Note($"fault {kind}");
            double from = Math.Round(_random.NextDouble() * 2, 2);
            double until = from + 0.5 + _random.Next(4);
            double probability = Any(0.002, 0.02, 0.2);
            faults.Add(kind switch
            {
                "delay" => new { kind, from, until, probability, seconds = Any(0.02, 0.2, 1.0) },
                "error" => new { kind, from, until, probability, status = 1 + _random.Next(15) },
                "stall" => new { kind, from, until, queues = Enumerable.Range(0, 1 + _random.Next(16)).ToArray() },
                "slow" => new { kind, from, until, factor = Any(2, 20, 500) },
                "reset" or "disconnect" => new { kind, from, until, seconds = Any(0.3, 1.0) },
                _ => new { kind, from, until, probability },
            });
        }

        return faults;
    }

    /// <summary>As Kubernetes replaces a Secret: a new folder, and one rename.</summary>
    private void WriteCertificate(bool isGood, bool isRsa)
    {
        (string certificate, string key, _) = Issuer.Issue(isRsa, "localhost");
        string folder = $"..{_number++}";
        Directory.CreateDirectory(scenario.File(folder));
        scenario.Write($"{folder}/tls.crt", certificate);
        scenario.Write($"{folder}/tls.key", isGood ? key : Issuer.Issue(isRsa: false, "another").Key);
        string link = scenario.File("..data_new");
        File.CreateSymbolicLink(link, folder);
        Assert.Equal(0, Signals.Rename(link, scenario.File("..data")));
    }

    private void WriteConfiguration(string path, int deadlineMs) => Replace(ConfigFile, $$"""
        {
          "Offload": {
            "Path": "{{path}}",
            "Devices": [ {{Any("", "", "\"embedded:\", ")}}"emulator:{{Socket}}" ],
            "Deadline": "{{TimeSpan.FromMilliseconds(deadlineMs):c}}"
          },
          "Certificate": { "File": "{{scenario.File("tls.crt")}}", "KeyFile": "{{scenario.File("tls.key")}}" },
          "Files": { "Interval": "00:00:00.2" },
          "Tls": { "LaneTimeout": "00:01:00", "ClientHelloTimeout": "00:01:00", "HandshakeTimeout": "00:01:00" },
          "ReverseProxy": {{string.Format(CultureInfo.InvariantCulture, routes, _random.Next(2))}}
        }
        """);

    private static void Replace(string file, string content)
    {
        File.WriteAllText(file + ".new", content);
        Assert.Equal(0, Signals.Rename(file + ".new", file));
    }

    /// <summary>Whether the next key is one of RSA: most are.</summary>
    private bool AnyKind() => _random.Next(8) != 0;

    private Task PassAsync(double leastSeconds, double mostSeconds) =>
        Task.Delay(TimeSpan.FromSeconds(leastSeconds + (_random.NextDouble() * (mostSeconds - leastSeconds))));

    private T Any<T>(params T[] values) => values[_random.Next(values.Length)];

    private void Note(string what) => _happened[what] = _happened.GetValueOrDefault(what) + 1;
}
