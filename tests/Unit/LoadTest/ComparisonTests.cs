using WarpProxy.LoadTest.Compare;
using WarpProxy.LoadTest.Measurement;
using static WarpProxy.Tests.Unit.LoadTest.ComparisonSamples;

namespace WarpProxy.Tests.Unit.LoadTest;

public sealed class ComparisonTests
{
    [Theory]
    [InlineData(new[] { 5.0 }, 5, 5, 5)]
    [InlineData(new[] { 3.0, 1, 2 }, 2, 1, 3)]
    [InlineData(new[] { 4.0, 1, 3, 2 }, 2.5, 1, 4)]
    [InlineData(new[] { 1.0, 1, 1, 1000 }, 1, 1, 1000)]
    public void Median_with_lowest_and_highest(double[] values, double median, double lowest, double highest) =>
        Assert.Equal(new Spread(median, lowest, highest), Spread.Of(values));

    [Fact]
    public void Nothing_has_no_median() => Assert.Null(Spread.Of([]));

    [Fact]
    public void Ratio_is_taken_within_each_round()
    {
        // Twice as fast in every round, on a machine that becomes slower: the medians alone would say 2 too, unpaired ratios anything.
        KeyValuePair<int, double>[] values = [new(0, 2000), new(1, 200), new(2, 20)];
        KeyValuePair<int, double>[] others = [new(2, 10), new(1, 100), new(0, 1000)];
        Assert.Equal(new Spread(2, 2, 2), Spread.OfRatios(values, others));
    }

    [Fact]
    public void Ratio_leaves_out_rounds_without_a_partner()
    {
        KeyValuePair<int, double>[] values = [new(0, 30), new(1, 50), new(2, 70)];
        Assert.Equal(new Spread(3, 3, 3), Spread.OfRatios(values, [new(0, 10), new(1, 0)]));
        Assert.Null(Spread.OfRatios(values, []));
    }

    [Fact]
    public void Every_server_has_every_turn_as_often_as_the_others()
    {
        string[] servers = ["a", "b", "c"];
        string[] turns = [.. Enumerable.Range(0, 6).Select(turn => string.Concat(Comparison.Rotate(servers, turn)))];
        Assert.Equal(["abc", "bca", "cab", "abc", "bca", "cab"], turns);
    }

    [Fact]
    public void Row_of_known_rounds()
    {
        RoundSample[] nginx = [Sample(0, 100, 400), Sample(1, 200, 500), Sample(2, 400, 600)];
        RoundSample[] other = [Sample(0, 50, 800), Sample(1, 100, 1000), Sample(2, 300, 1200)];
        var row = ComparisonRow.Of("other", Load, other, nginx, processors: 2);
        Assert.Equal(new Spread(100, 50, 300), row.HandshakesPerSecond);
        Assert.Equal(new Spread(1000, 800, 1200), row.CpuMicroseconds);
        Assert.Equal(new Spread(0.5, 0.5, 0.75), row.Ratio);
        Assert.Equal(new Spread(2, 2, 2), row.CpuRatio);
        Assert.Equal(50, row.P50Milliseconds!.Median, tolerance: 0.5);
        Assert.Equal(((50 * 800) + (100 * 1000) + (300 * 1200)) / (3e6 * 2), row.ServerBusyShare, tolerance: 1e-9);
        Assert.Equal([1.0, 2, 3], row.Timeline.Select(static second => second.End));

        // All rounds together: 450 handshakes, of which the slowest took 300 ms.
        Assert.Equal(new LatencyPoint(100, 300), row.Curve[^1]);
        Assert.Equal(0, row.Curve[0].Percentile);
        Assert.Equal(row.Curve.OrderBy(static point => point.Percentile), row.Curve);
        Assert.Equal(row.Curve.OrderBy(static point => point.Milliseconds), row.Curve);
        Assert.InRange(row.Curve[^2].Percentile, 99, 100);
    }

    [Fact]
    public void Timeline_has_no_rate_of_a_moment()
    {
        RoundSample first = Sample(0, 100, 400) with { Timeline = [new(0.9999, 100, 0), new(1, 4000, 0)] };
        var row = ComparisonRow.Of("a", Load, [first, Sample(1, 120, 400)], [], processors: 1);
        Assert.Equal([new LoadSecond(0.9999, 100, 0), new LoadSecond(2, 120, 0)], row.Timeline);
    }

    [Fact]
    public void Round_without_a_handshake_has_no_processor_time_per_handshake()
    {
        RoundSample[] nothing = [Sample(0, 0, 0)];
        var row = ComparisonRow.Of("other", Load, nothing, [Sample(0, 100, 400)], processors: 1);
        Assert.Equal(new Spread(0, 0, 0), row.HandshakesPerSecond);
        Assert.Equal(new Spread(0, 0, 0), row.Ratio);
        Assert.Null(row.CpuMicroseconds);
        Assert.Null(row.CpuRatio);
        Assert.Null(row.P50Milliseconds);
        Assert.Empty(row.Curve);
    }

    [Fact]
    public void Without_the_baseline_there_is_no_ratio()
    {
        var row = ComparisonRow.Of("other", Load, [Sample(0, 100, 400)], [], processors: 1);
        Assert.Null(row.Ratio);
        Assert.Null(row.CpuRatio);
    }

    [Fact]
    public void Work_of_others_on_the_servers_processors_is_told()
    {
        RoundSample quiet = Sample(0, 100, 1000);
        RoundSample disturbed = Sample(1, 100, 1000) with { ProcessorBusy = TimeSpan.FromSeconds(0.6) };
        Assert.Equal(0, ComparisonRow.Of("a", Load, [quiet], [], 1).OthersBusyShare, tolerance: 1e-9);
        Assert.Equal(0.5, ComparisonRow.Of("a", Load, [quiet, disturbed], [], 1).OthersBusyShare, tolerance: 1e-9);
        Assert.DoesNotContain(Result("a", [quiet]).Warnings, static warning => warning.Contains("Other programs", StringComparison.Ordinal));
        Assert.Contains(Result("a", [quiet, disturbed]).Warnings, static warning => warning.Contains("Other programs", StringComparison.Ordinal));
    }

    [Fact]
    public void Saturated_client_is_told()
    {
        RoundSample saturated = Sample(1, 100, 400) with { Client = new ClientUsage(1, 0.95, 0) };
        ComparisonResult result = Result("other", [Sample(0, 100, 400), saturated]);
        Assert.Equal(1, result.Rows[1].ClientSaturatedRounds);
        Assert.Contains(result.Warnings, static warning => warning.Contains("other, RSA-2048, TLS 1.3, 8 connections: 1 of 2", StringComparison.Ordinal));
    }

    [Fact]
    public void Operations_that_fell_back_to_software_are_told()
    {
        var activity = new ProxyActivity(90, 10, new Dictionary<string, long> { ["deadline"] = 10 }, new Dictionary<int, long>());
        var row = ComparisonRow.Of("device", Load, [Sample(0, 100, 400, activity), Sample(1, 100, 400, activity)], [], processors: 1);
        Assert.Equal(
            ["20 of 200 operations were meant for the device and computed in software (deadline 20)."],
            row.Warnings);
    }

    [Fact]
    public void Status_with_batches_is_read_and_subtracted()
    {
        var before = ProxyActivity.Parse(
            """
            {"operations":{"device":10,"software":2,"fallback":{"deadline":2}},
             "devices":[{"uri":"embedded:","batches":[{"algorithm":"crt","bits":2048,"byOperations":{"1":4,"8":1}}]}]}
            """);
        var after = ProxyActivity.Parse(
            """
            {"operations":{"device":30,"software":3,"fallback":{"deadline":2,"busy":1}},
             "devices":[{"uri":"embedded:","batches":[
                {"algorithm":"crt","bits":2048,"byOperations":{"1":4,"8":3}}, {"algorithm":"plain","bits":2048,"byOperations":{"2":5}}]}]}
            """);
        ProxyActivity since = after.Since(before);
        Assert.Equal((20, 1), (since.Device, since.Software));
        Assert.Equal([KeyValuePair.Create("busy", 1L)], since.Fallback);
        Assert.Equal([KeyValuePair.Create(2, 5L), KeyValuePair.Create(8, 2L)], since.Batches.OrderBy(static batch => batch.Key));
        Assert.Equal(after.Device, before.And(since).Device);
        Assert.Equal(after.Batches.OrderBy(static batch => batch.Key), before.And(since).Batches.OrderBy(static batch => batch.Key));
    }

    [Fact]
    public void Status_of_a_proxy_that_does_not_tell_batches()
    {
        var activity = ProxyActivity.Parse("""{"operations":{"device":1,"software":0,"fallback":{}},"devices":[{"uri":"embedded:"}]}""");
        Assert.Equal((1, 0), (activity.Device, activity.Software));
        Assert.Empty(activity.Batches);
    }

    [Theory]
    [InlineData("""[{"uri":"embedded:","engine":"simd and scalar","engineChoice":{"sizes":[{"bits":2048,"engine":"simd","reason":"faster"}]}}]""", "RSA-2048 on embedded: simd: faster.")]
    [InlineData("""[{"uri":"embedded:","engine":"simd and scalar","engineChoice":{"sizes":[{"bits":4096,"engine":"simd","reason":"faster"}]}}]""", "RSA-2048 on embedded: simd and scalar.")]
    [InlineData("""[{"uri":"emulator:/run/a.sock","engine":"scalar"}]""", "RSA-2048 on emulator: scalar.")]
    [InlineData("""[{"uri":"embedded:","engine":null,"engineChoice":null}]""", null)]
    [InlineData("[]", null)]
    public void Engine_of_the_device_is_told(string devices, string? sentence) =>
        Assert.Equal(sentence, ProxyEngine.Describe($$"""{"devices":{{devices}}}""", 2048));

    [Theory]
    [InlineData(0x30000130L, "OpenSSL 3.0.19")]
    [InlineData(0x30500010L, "OpenSSL 3.5.1")]
    public void Version_of_OpenSSL(long number, string version) => Assert.Equal(version, Machine.Version(number));
}
