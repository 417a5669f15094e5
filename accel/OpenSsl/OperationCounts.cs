using WarpDrive.Driver;
using WarpDrive.Driver.Paths;

namespace WarpDrive.OpenSsl;

/// <summary>Numbers of private-key operations since the start.</summary>
/// <param name="Device">Computed by a device.</param>
/// <param name="Software">Computed in software because that was the way chosen for them.</param>
/// <param name="Fallback">Computed in software because a device did not, by reason; every reason is there, also with zero.</param>
/// <param name="Failed">Not computed, since a device did not and software must not, by reason; every reason is there, also with zero.</param>
public sealed record OperationCounts(
    long Device, long Software, IReadOnlyDictionary<AcceleratorError, long> Fallback, IReadOnlyDictionary<AcceleratorError, long> Failed)
{
    /// <summary>Of all these, the ones of the path <c>auto</c>, by where they were sent; every decision is there.</summary>
    public IReadOnlyDictionary<PathDecision, long> Choices { get; init; } = new Dictionary<PathDecision, long>();
}
