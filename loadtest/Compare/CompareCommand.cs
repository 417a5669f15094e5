using System.CommandLine;

namespace WarpProxy.LoadTest.Compare;

/// <summary><c>warp-loadtest compare</c>: the same proxy with its private-key operations on a device and in software.</summary>
internal static class CompareCommand
{
    private const string Baseline = "software";

    public static Command Create() => ComparisonVerb.Create(
        "compare",
        "WarpProxy with its private-key operations on a device and in software, in interleaved rounds.",
        Baseline,
        new ComparisonArguments(sizes: "2048", tls: "1.3", connections: "1,8,64"),
        static programs =>
        [
            new WarpProxyRecipe(Baseline, "software", programs),
            new WarpProxyRecipe("device", "device", programs),
            new WarpProxyRecipe("auto", "auto", programs),
        ]);
}
