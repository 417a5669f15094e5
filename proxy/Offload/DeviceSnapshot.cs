using System.Text.Json.Serialization;
using WarpDrive.Emulator;
using WarpDrive.Engines;

namespace WarpProxy.Offload;

/// <summary>One device as it is now.</summary>
/// <param name="Uri">As configured: <c>embedded:</c>.</param>
/// <param name="State">One lower-case word: <c>ready</c>, <c>absent</c>, <c>quarantined</c>, <c>probing</c>.</param>
/// <param name="Engine">What computes, in the device's words; null before it was seen.</param>
/// <param name="EngineCount">Engines that serve all its queues, of every client.</param>
/// <param name="QueueCount">Queue pairs that this proxy has open on it.</param>
/// <param name="Operations">Operations that it completed for this proxy.</param>
internal sealed record DeviceSnapshot(string Uri, string State, string? Engine, int EngineCount, int QueueCount, long Operations)
{
    /// <summary>Why it gets work, or does not.</summary>
    public required BreakerSnapshot Breaker { get; init; }

    /// <summary>Which engine computes what, and why; only of the embedded device.</summary>
    public EngineChoiceSnapshot? EngineChoice { get; init; }

    /// <summary>Processor time of its engines, threads of this process, in seconds since the start; only of the embedded device: others compute elsewhere.</summary>
    public double? ProcessorSeconds { get; init; }

    /// <summary>How many operations its engines computed together; only of the embedded device.</summary>
    public IReadOnlyList<BatchSnapshot>? Batches { get; init; }

    /// <summary>Whether it gets work.</summary>
    [JsonIgnore]
    public bool IsReady => State == "ready";

    /// <summary>For people: <c>embedded: is quarantined (12 wrong results)</c>.</summary>
    public string DescribeState() => State == "quarantined" && Breaker.Detail is { } detail ? $"{Uri} is quarantined ({detail.TrimEnd('.')})" : $"{Uri} is {State}";

    /// <summary>For people: <c>embedded: (ready, scalar)</c>.</summary>
    public override string ToString() => Engine is null ? $"{Uri} ({State})" : $"{Uri} ({State}, {Engine})";
}

/// <summary>Which engine computes what.</summary>
/// <param name="Asked">As configured: <c>auto</c>.</param>
/// <param name="Source">What the choice stands on.</param>
/// <param name="Sizes">By key size; operations of other sizes are scalar.</param>
internal sealed record EngineChoiceSnapshot(string Asked, string Source, IReadOnlyList<EngineSizeSnapshot> Sizes)
{
    /// <summary>As JSON has it.</summary>
    public static EngineChoiceSnapshot Of(EngineChoice choice) => new(
        choice.Asked.ToString().ToLowerInvariant(),
        choice.Source,
        [.. choice.Sizes.Select(size => new EngineSizeSnapshot(size.Bits, size.Engine, size.Reason))]);
}

/// <summary>What computes keys of one size.</summary>
/// <param name="Bits">Of the modulus.</param>
/// <param name="Engine"><c>simd</c> or <c>scalar</c>.</param>
/// <param name="Reason">For people.</param>
internal sealed record EngineSizeSnapshot(int Bits, string Engine, string Reason);

/// <summary>Batches of one kind of operation.</summary>
/// <param name="Algorithm"><c>crt</c> or <c>plain</c>.</param>
/// <param name="Bits">Of the modulus.</param>
/// <param name="ByOperations">How many batches had so many operations: <c>"8": 97</c>. Numbers without a batch are left out.</param>
internal sealed record BatchSnapshot(string Algorithm, int Bits, IReadOnlyDictionary<string, long> ByOperations)
{
    /// <summary>As JSON has it.</summary>
    public static BatchSnapshot Of(BatchHistogram histogram) => new(
        histogram.Algorithm.ToString().ToLowerInvariant(),
        histogram.Bits,
        histogram.Batches.Index().Where(size => size.Item > 0)
            .ToDictionary(size => size.Index.ToString(System.Globalization.CultureInfo.InvariantCulture), size => size.Item));
}
