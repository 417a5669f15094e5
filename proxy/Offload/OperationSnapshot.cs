using System.Globalization;

namespace WarpProxy.Offload;

/// <summary>Private-key operations since the start.</summary>
/// <param name="Device">Done by a device.</param>
/// <param name="Software">Done in software, for whatever reason.</param>
/// <param name="Fallback">Of those in software, the ones that were meant for a device, by reason (<c>device_gone</c>).</param>
internal sealed record OperationSnapshot(long Device, long Software, IReadOnlyDictionary<string, long> Fallback)
{
    /// <summary>Operations that nothing computed, since there is no fallback to software, by reason; none of them is in the other numbers.</summary>
    public IReadOnlyDictionary<string, long> Failed { get; init; } = new Dictionary<string, long>();

    /// <summary>Of all of them, those of the path <c>auto</c>, by where they were sent: <c>auto_device</c>, <c>auto_software</c> (by choice), <c>overflow</c>
    /// (to software, since the device had too much to do).</summary>
    public IReadOnlyDictionary<string, long> Choices { get; init; } = new Dictionary<string, long>();

    /// <summary>Signatures that were computed the other way too, by what came of it: <c>matched</c>, <c>mismatched</c>, <c>failed</c>, <c>dropped</c>; empty while there
    /// was none. They are in no other number.</summary>
    public IReadOnlyDictionary<string, long> Shadow { get; init; } = new Dictionary<string, long>();

    /// <summary>No operation.</summary>
    public static OperationSnapshot Empty { get; } = new(0, 0, new Dictionary<string, long>());

    /// <summary>What came since <paramref name="earlier"/>.</summary>
    public OperationSnapshot Since(OperationSnapshot earlier) => new(
        Device - earlier.Device,
        Software - earlier.Software,
        Since(Fallback, earlier.Fallback))
    {
        Failed = Since(Failed, earlier.Failed),
    };

    /// <summary>For people: <c>device 10, software 2 (deadline 2)</c>.</summary>
    public override string ToString()
    {
        string reasons = Describe(Fallback);
        string failures = Describe(Failed);
        return string.Create(CultureInfo.InvariantCulture, $"device {Device}, software {Software}")
            + (reasons.Length == 0 ? "" : $" ({reasons})")
            + (failures.Length == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", failed {Failed.Values.Sum()} ({failures})"));
    }

    private static Dictionary<string, long> Since(IReadOnlyDictionary<string, long> now, IReadOnlyDictionary<string, long> earlier) =>
        now.Select(reason => KeyValuePair.Create(reason.Key, reason.Value - earlier.GetValueOrDefault(reason.Key)))
            .Where(static reason => reason.Value > 0)
            .ToDictionary();

    private static string Describe(IReadOnlyDictionary<string, long> reasons) =>
        string.Join(", ", reasons.OrderBy(reason => reason.Key).Select(reason => string.Create(CultureInfo.InvariantCulture, $"{reason.Key} {reason.Value}")));
}
