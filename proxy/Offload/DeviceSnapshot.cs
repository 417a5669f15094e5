namespace WarpProxy.Offload;

/// <summary>One device as it is now.</summary>
/// <param name="Uri">As configured: <c>embedded:</c>.</param>
/// <param name="State">One lower-case word: <c>ready</c>, <c>absent</c>, <c>quarantined</c>.</param>
/// <param name="Engine">What computes, in the device's words; null before it was seen.</param>
/// <param name="EngineCount">Engines that serve all its queues, of every client.</param>
/// <param name="QueueCount">Queue pairs that this proxy has open on it.</param>
/// <param name="Operations">Operations that it completed for this proxy.</param>
internal sealed record DeviceSnapshot(string Uri, string State, string? Engine, int EngineCount, int QueueCount, long Operations)
{
    /// <summary>For people: <c>embedded: (ready, scalar)</c>.</summary>
    public override string ToString() => Engine is null ? $"{Uri} ({State})" : $"{Uri} ({State}, {Engine})";
}
