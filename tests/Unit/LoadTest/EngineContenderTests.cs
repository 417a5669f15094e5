using WarpDrive.Engines;
using WarpProxy.LoadTest.Engines;
using WarpProxy.LoadTest.Rings;

namespace WarpProxy.Tests.Unit.LoadTest;

/// <summary>A fast engine is no use when it is wrong: what <c>warp-loadtest engines</c> measured is checked.</summary>
public sealed class EngineContenderTests
{
    [Fact]
    public void Right_results_of_all_passes_are_accepted()
    {
        using Keys keys = new();
        using var engine = new ScalarEngine();
        AssertAccepted(new EngineContender("scalar", engine, keys.All, batch: 2, passCapacity: 2), passes: 3);
        AssertAccepted(new OpenSslContender(keys.All), passes: 5);
    }

    [Fact]
    public void Wrong_results_are_found()
    {
        using Keys keys = new();
        using var engine = new CopyEngine();
        var contender = new EngineContender("copy", engine, keys.All, batch: 2, passCapacity: 2);
        contender.ClearResults();
        contender.RunPass();
        var exception = Assert.Throws<InvalidOperationException>(() => contender.CheckResults(passes: 1));
        Assert.Contains("RSA-1024, operation 1 of 2: the number is wrong.", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Results_of_the_round_before_do_not_count()
    {
        using Keys keys = new();
        using var engine = new ScalarEngine();
        var contender = new EngineContender("scalar", engine, keys.All, batch: 4, passCapacity: 4);
        AssertAccepted(contender, passes: 1);
        contender.ClearResults();
        Assert.Throws<InvalidOperationException>(() => contender.CheckResults(passes: 1));
    }

    private static void AssertAccepted(IContender contender, int passes)
    {
        contender.ClearResults();
        for (int pass = 0; pass < passes; pass++)
        {
            contender.RunPass();
        }

        contender.CheckResults(passes);
    }

    private sealed class Keys : IDisposable
    {
        public BenchKey[] All { get; } = [.. Enumerable.Range(0, 4).Select(static _ => new BenchKey(1024))];

        public void Dispose() => Array.ForEach(All, static key => key.Dispose());
    }
}
