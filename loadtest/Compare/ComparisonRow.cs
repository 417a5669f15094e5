using System.Globalization;
using WarpProxy.LoadTest.Measurement;

namespace WarpProxy.LoadTest.Compare;

/// <summary>One server under one load, over all rounds.</summary>
internal sealed record ComparisonRow
{
    private const double CurveStep = 0.1;

    // Seconds. The rest of a run that a timer has cut off a little early is too short to have a rate.
    private const double ShortestSlice = 0.05;

    public required string Server { get; init; }

    public required LoadCase Load { get; init; }

    public required int Rounds { get; init; }

    public required Spread HandshakesPerSecond { get; init; }

    /// <summary>These are null when no handshake was completed.</summary>
    public required Spread? P50Milliseconds { get; init; }

    public required Spread? P99Milliseconds { get; init; }

    public required Spread? CpuMicroseconds { get; init; }

    /// <summary>Of the rate, to the server that all are compared with; null when that one was not measured.</summary>
    public required Spread? Ratio { get; init; }

    public required Spread? CpuRatio { get; init; }

    /// <summary>Share of the servers' processors that this one used.</summary>
    public required double ServerBusyShare { get; init; }

    /// <summary>Share of the servers' processors that anyone else used, in the round where it was highest.</summary>
    public required double OthersBusyShare { get; init; }

    /// <summary>Of the busiest client thread, in the round where it was highest.</summary>
    public required double ClientBusyShare { get; init; }

    /// <summary>Rounds in which the client was saturated: its limit was measured, or that of a processor which others used too.</summary>
    public required int ClientSaturatedRounds { get; init; }

    public required IReadOnlyDictionary<string, long> Errors { get; init; }

    /// <summary>Null for servers that do not tell.</summary>
    public required ProxyActivity? Activity { get; init; }

    /// <summary>Sentences about what makes this row doubtful.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Latency of all rounds together.</summary>
    public required IReadOnlyList<LatencyPoint> Curve { get; init; }

    /// <summary>The rounds one after the other, each about second by second.</summary>
    public required IReadOnlyList<LoadSecond> Timeline { get; init; }

    /// <param name="server">Its name.</param>
    /// <param name="load">Of these samples.</param>
    /// <param name="samples">One for each round; at least one.</param>
    /// <param name="others">Of the server that all are compared with.</param>
    /// <param name="processors">How many the servers have.</param>
    public static ComparisonRow Of(
        string server, LoadCase load, IReadOnlyList<RoundSample> samples, IReadOnlyList<RoundSample> others, int processors)
    {
        RoundSample[] served = [.. samples.Where(static sample => sample.Handshakes > 0)];
        RoundSample[] othersServed = [.. others.Where(static sample => sample.Handshakes > 0)];
        ProxyActivity? activity = samples.Select(static sample => sample.Activity)
            .Aggregate((sum, next) => sum is null || next is null ? null : sum.And(next));
        return new ComparisonRow
        {
            Server = server,
            Load = load,
            Rounds = samples.Count,
            HandshakesPerSecond = Spread.Of(samples.Select(static sample => sample.HandshakesPerSecond))!,
            P50Milliseconds = Spread.Of(served.Select(static sample => sample.Latency.ValueAt(50) / 1e6)),
            P99Milliseconds = Spread.Of(served.Select(static sample => sample.Latency.ValueAt(99) / 1e6)),
            CpuMicroseconds = Spread.Of(served.Select(static sample => sample.CpuMicrosecondsPerHandshake)),
            Ratio = Spread.OfRatios(
                ByRound(samples, static sample => sample.HandshakesPerSecond), ByRound(others, static sample => sample.HandshakesPerSecond)),
            CpuRatio = Spread.OfRatios(
                ByRound(served, static sample => sample.CpuMicrosecondsPerHandshake), ByRound(othersServed, static sample => sample.CpuMicrosecondsPerHandshake)),
            ServerBusyShare = samples.Sum(static sample => sample.ServerCpu.TotalSeconds) / (samples.Sum(static sample => sample.Seconds) * processors),
            OthersBusyShare = samples.Max(sample => (sample.ProcessorBusy - sample.ServerCpu).TotalSeconds / (sample.Seconds * processors)),
            ClientSaturatedRounds = samples.Count(static sample => sample.Client.Warning() is not null),
            ClientBusyShare = samples.Max(static sample => sample.Client.BusyShare),
            Errors = samples.SelectMany(static sample => sample.Errors).GroupBy(static error => error.Key)
                .ToDictionary(static kind => kind.Key, static kind => kind.Sum(static error => error.Value)),
            Activity = activity,
            Warnings = [.. WarningsOf(activity)],
            Curve = CurveOf(samples),
            Timeline = TimelineOf(samples),
        };
    }

    private static IEnumerable<KeyValuePair<int, double>> ByRound(IEnumerable<RoundSample> samples, Func<RoundSample, double> value) =>
        samples.Select(sample => KeyValuePair.Create(sample.Round, value(sample)));

    private static IEnumerable<string> WarningsOf(ProxyActivity? activity)
    {
        if (activity is { Fallback.Count: > 0 })
        {
            string reasons = string.Join(", ", activity.Fallback.Select(static reason => $"{reason.Key} {reason.Value}"));
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{activity.Fallback.Values.Sum():N0} of {activity.Device + activity.Software:N0} operations were meant for the device and computed in software ({reasons}).");
        }
    }

    /// <summary>From the median's side to the highest: each step leaves a fifth less above it.</summary>
    private static List<LatencyPoint> CurveOf(IReadOnlyList<RoundSample> samples)
    {
        var all = new LatencyHistogram();
        foreach (RoundSample sample in samples)
        {
            all.Add(sample.Latency);
        }

        var curve = new List<LatencyPoint>();
        if (all.Count > 0)
        {
            // Beyond one of all there is nothing to tell.
            double end = Math.Log10(all.Count);
            for (int step = 0; step * CurveStep <= end; step++)
            {
                double percentile = 100 * (1 - Math.Pow(10, -step * CurveStep));
                curve.Add(new(percentile, all.ValueAt(percentile) / 1e6));
            }

            curve.Add(new(100, all.Max / 1e6));
        }

        return curve;
    }

    private static List<LoadSecond> TimelineOf(IReadOnlyList<RoundSample> samples)
    {
        var timeline = new List<LoadSecond>();
        double begin = 0;
        foreach (RoundSample sample in samples)
        {
            double end = 0;
            foreach (LoadSecond second in sample.Timeline.Where(second => second.End - end >= ShortestSlice))
            {
                timeline.Add(second with { End = begin + second.End });
                end = second.End;
            }

            begin += sample.Seconds;
        }

        return timeline;
    }
}

/// <summary>A point of a latency curve.</summary>
/// <param name="Percentile">0 to 100.</param>
/// <param name="Milliseconds">So many percent took no longer.</param>
internal readonly record struct LatencyPoint(double Percentile, double Milliseconds);
