using System.Text.Json;

namespace WarpProxy.LoadTest.Compare;

/// <summary>What computes in the device of a WarpProxy, as its <c>/status</c> tells.</summary>
internal static class ProxyEngine
{
    /// <summary>A sentence about keys of one size; null when no device tells.</summary>
    public static string? Describe(string status, int bits)
    {
        using JsonDocument document = JsonDocument.Parse(status);
        foreach (JsonElement device in document.RootElement.GetProperty("devices").EnumerateArray())
        {
            string? chosen = device.TryGetProperty("engineChoice", out JsonElement choice) && choice.ValueKind == JsonValueKind.Object
                ? choice.GetProperty("sizes").EnumerateArray()
                    .Where(size => size.GetProperty("bits").GetInt32() == bits)
                    .Select(static size => $"{size.GetProperty("engine").GetString()}: {size.GetProperty("reason").GetString()}")
                    .FirstOrDefault()
                : null;
            if ((chosen ?? device.GetProperty("engine").GetString()) is string engine)
            {
                return $"RSA-{bits} on {device.GetProperty("uri").GetString()!.Split(':')[0]}: {engine}.";
            }
        }

        return null;
    }
}
