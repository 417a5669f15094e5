using System.Text.Json.Nodes;
using WarpProxy.LoadTest.Compare;
using WarpProxy.LoadTest.Measurement;
using WarpProxy.LoadTest.Reporting;

namespace WarpProxy.LoadTest.Reports;

/// <summary>A comparison as JSON; the fields are described in loadtest/README.md.</summary>
internal static class ComparisonJson
{
    /// <summary>An array of rows.</summary>
    public static string WriteRows(ComparisonResult result) => JsonFormat.Write(new JsonArray([.. result.Rows.Select(row => ToJson(row, result.Baseline))]));

    /// <summary>Everything, for a file.</summary>
    public static string Write(ComparisonResult result) => JsonFormat.Write(new
    {
        result.Title,
        Version = typeof(ComparisonJson).Assembly.GetName().Version!.ToString(3),
        Started = result.Started.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture),
        result.IsInterrupted,
        result.Machine,
        result.Conditions,
        result.Warnings,
        result.Servers,
        result.LeftOut,
        result.Baseline,
        Rows = result.Rows.Select(row =>
        {
            JsonObject json = ToJson(row, result.Baseline);
            json["latencyCurve"] = new JsonArray([.. row.Curve.Select(static point =>
                new JsonObject { ["percentile"] = point.Percentile, ["milliseconds"] = point.Milliseconds })]);
            json["timeline"] = new JsonArray([.. row.Timeline.Select(static (LoadSecond second) =>
                new JsonObject { ["end"] = second.End, ["perSecond"] = second.PerSecond, ["errors"] = second.Errors })]);
            return json;
        }),
    });

    private static JsonObject ToJson(ComparisonRow row, string baseline)
    {
        var json = new JsonObject
        {
            ["server"] = row.Server,
            ["key"] = row.Load.Key.ToString(),
            ["bits"] = row.Load.Key.Bits,
            ["tls"] = row.Load.Tls,
            ["connections"] = row.Load.Connections,
            ["rounds"] = row.Rounds,
        };
        Add("handshakesPerSecond", row.HandshakesPerSecond);
        Add("cpuMicrosecondsPerHandshake", row.CpuMicroseconds);
        Add("p50Milliseconds", row.P50Milliseconds);
        Add("p99Milliseconds", row.P99Milliseconds);
        string name = char.ToUpperInvariant(baseline[0]) + baseline[1..];
        Add($"ratioTo{name}", row.Ratio);
        Add($"cpuRatioTo{name}", row.CpuRatio);
        json["serverBusyShare"] = row.ServerBusyShare;
        json["othersBusyShare"] = row.OthersBusyShare;
        json["clientBusyShare"] = row.ClientBusyShare;
        json["clientSaturatedRounds"] = row.ClientSaturatedRounds;
        json["errors"] = ToJson(row.Errors);
        if (row.Activity is { } activity)
        {
            json["deviceOperations"] = activity.Device;
            json["softwareOperations"] = activity.Software;
            json["fallback"] = ToJson(activity.Fallback);
            json["batches"] = ToJson(activity.Batches.OrderBy(static batch => batch.Key));
        }

        json["warnings"] = new JsonArray([.. row.Warnings.Select(static warning => JsonValue.Create(warning))]);
        return json;

        void Add(string field, Spread? spread)
        {
            json[field] = spread?.Median;
            json[$"{field}Lowest"] = spread?.Lowest;
            json[$"{field}Highest"] = spread?.Highest;
        }
    }

    private static JsonObject ToJson<T>(IEnumerable<KeyValuePair<T, long>> counts) =>
        new(counts.Select(static count => KeyValuePair.Create($"{count.Key}", (JsonNode?)JsonValue.Create(count.Value))));
}
