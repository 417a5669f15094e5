using System.Globalization;
using System.Text.Json;

namespace WarpProxy.LoadTest.Compare;

/// <summary>What a WarpProxy has done, as its <c>/status</c> tells.</summary>
/// <param name="Device">Private-key operations by a device.</param>
/// <param name="Software">Private-key operations in software.</param>
/// <param name="Fallback">Of those, the ones that were meant for a device, by reason.</param>
/// <param name="Batches">How many batches of the device had so many operations; empty when it does not tell.</param>
internal sealed record ProxyActivity(
    long Device, long Software, IReadOnlyDictionary<string, long> Fallback, IReadOnlyDictionary<int, long> Batches)
{
    public static ProxyActivity None { get; } = new(0, 0, new Dictionary<string, long>(), new Dictionary<int, long>());

    /// <summary>Takes the answer to <c>GET /status</c>. A proxy may tell more or less than this one knows.</summary>
    public static ProxyActivity Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement operations = document.RootElement.GetProperty("operations");
        return new(
            operations.GetProperty("device").GetInt64(),
            operations.GetProperty("software").GetInt64(),
            operations.GetProperty("fallback").EnumerateObject().ToDictionary(static reason => reason.Name, static reason => reason.Value.GetInt64()),
            BatchesOf(document.RootElement.GetProperty("devices")));
    }

    /// <summary>What came since <paramref name="earlier"/>.</summary>
    public ProxyActivity Since(ProxyActivity earlier) => Combine(earlier, -1);

    /// <summary>Both together.</summary>
    public ProxyActivity And(ProxyActivity other) => Combine(other, 1);

    private static Dictionary<int, long> BatchesOf(JsonElement devices)
    {
        var batches = new Dictionary<int, long>();
        foreach (JsonElement device in devices.EnumerateArray())
        {
            // "batches": [{"algorithm": "crt", "bits": 2048, "byOperations": {"1": 20, "8": 97}}]
            if (device.TryGetProperty("batches", out JsonElement kinds) && kinds.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonProperty size in kinds.EnumerateArray().SelectMany(static kind => kind.GetProperty("byOperations").EnumerateObject()))
                {
                    int operations = int.Parse(size.Name, CultureInfo.InvariantCulture);
                    batches[operations] = batches.GetValueOrDefault(operations) + size.Value.GetInt64();
                }
            }
        }

        return batches;
    }

    private static Dictionary<T, long> Combine<T>(IReadOnlyDictionary<T, long> counts, IReadOnlyDictionary<T, long> others, int sign)
        where T : notnull =>
        counts.Keys.Union(others.Keys)
            .Select(key => KeyValuePair.Create(key, counts.GetValueOrDefault(key) + (sign * others.GetValueOrDefault(key))))
            .Where(static pair => pair.Value != 0)
            .ToDictionary();

    private ProxyActivity Combine(ProxyActivity other, int sign) => new(
        Device + (sign * other.Device),
        Software + (sign * other.Software),
        Combine(Fallback, other.Fallback, sign),
        Combine(Batches, other.Batches, sign));
}
