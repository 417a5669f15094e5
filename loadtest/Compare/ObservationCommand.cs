using System.CommandLine;

namespace WarpProxy.LoadTest.Compare;

/// <summary><c>warp-loadtest observation</c>: what it costs the proxy to be watched.</summary>
internal static class ObservationCommand
{
    private const string Baseline = "not observed";

    public static Command Create() => ComparisonVerb.Create(
        "observation",
        "WarpProxy without metrics and traces, and with more and more of them, in interleaved rounds. The origin stands for the collector too.",
        Baseline,
        new ComparisonArguments(sizes: "2048", tls: "1.3", connections: "32"),
        static programs =>
        [
            new WarpProxyRecipe(Baseline, "device", programs, static _ => """{ "Metrics": false }"""),
            new WarpProxyRecipe("metrics", "device", programs, static _ => """{ "Metrics": true }"""),
            new WarpProxyRecipe("metrics, a tenth traced", "device", programs, static collector => Sent(collector, "0.1")),
            new WarpProxyRecipe("metrics, all traced", "device", programs, static collector => Sent(collector, "1")),
        ]);

    // Metrics are sent fifteen times as often as by default, so that every run has its share.
    private static string Sent(int collector, string share) =>
        $$"""{ "Endpoint": "http://127.0.0.1:{{collector}}", "Protocol": "httpProtobuf", "Sampling": {{share}}, "Interval": "00:00:01" }""";
}
