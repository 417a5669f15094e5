using WarpProxy.LoadTest.Compare;
using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Servers;

namespace WarpProxy.Tests.Unit.LoadTest;

/// <summary>Rounds with known numbers.</summary>
internal static class ComparisonSamples
{
    public static LoadCase Load { get; } = new(ServerKey.Rsa(2048), "1.3", 8);

    /// <summary>One second; the handshakes took 1, 2, 3.. ms.</summary>
    public static RoundSample Sample(int round, long handshakes, double cpuMicroseconds, ProxyActivity? activity = null)
    {
        var latency = new LatencyHistogram();
        for (long i = 1; i <= handshakes; i++)
        {
            latency.Record(i * 1_000_000);
        }

        TimeSpan cpu = TimeSpan.FromMicroseconds(handshakes * cpuMicroseconds);
        return new RoundSample
        {
            Round = round,
            Seconds = 1,
            Handshakes = handshakes,
            Latency = latency,
            ServerCpu = cpu,
            ProcessorBusy = cpu,
            Client = new ClientUsage(0.1, 0.2, 0),
            Errors = new Dictionary<string, long>(),
            Timeline = [new LoadSecond(1, handshakes, 0)],
            Activity = activity,
        };
    }

    /// <summary>nginx and a server with this name.</summary>
    public static ComparisonResult Result(string name, IReadOnlyList<RoundSample> samples, string reason = "haproxy is not installed.")
    {
        RoundSample[] nginx = [.. samples.Select(static sample => Sample(sample.Round, 100, 500))];
        return new ComparisonResult
        {
            Title = "warp-loadtest peers",
            Baseline = "nginx",
            Started = new DateTimeOffset(2026, 2, 3, 4, 5, 6, TimeSpan.Zero),
            Machine = new Machine("A processor, 2 processors", "Linux 6.1", "A system", ".NET 10", "OpenSSL 3.0.19"),
            Conditions = ["All servers run on processor 1."],
            Servers = [new("nginx", "nginx/1.22.1", ["nginx -p ."], "worker_processes 1;\n"), new(name, "1 & 2", ["run <it>"], "text <b>\"bold\"</b> & more\n") { Notes = ["a <note>"] }],
            LeftOut = [new("haproxy", reason)],
            IsInterrupted = false,
            IsRequesting = false,
            Failure = null,
            SharedProcessors = null,
            Rows = [ComparisonRow.Of("nginx", Load, nginx, nginx, 1), ComparisonRow.Of(name, Load, samples, nginx, 1)],
        };
    }
}
