using System.Text.Json;
using WarpDrive.Driver;

namespace WarpProxy.Offload;

/// <summary>The circuit breaker of a device as it is now.</summary>
/// <param name="State"><c>closed</c> (the device gets work), <c>open</c> or <c>half_open</c> (it is probed first).</param>
/// <param name="Reason">Why it opened last, in one word: <c>wrong_result</c>; null: it never did.</param>
/// <param name="Detail">Why it opened last, in words; null: it never did.</param>
/// <param name="RetryInSeconds">Until the device is probed; 0 when it is not open.</param>
/// <param name="Openings">How often it opened, by reason.</param>
/// <param name="Probes">Probes that are over.</param>
/// <param name="Seconds">Time in each state, in all.</param>
internal sealed record BreakerSnapshot(
    string State,
    string? Reason,
    string? Detail,
    double RetryInSeconds,
    IReadOnlyDictionary<string, long> Openings,
    ProbeCounts Probes,
    BreakerSeconds Seconds)
{
    /// <summary>As JSON has it.</summary>
    public static BreakerSnapshot Of(BreakerStatus breaker) => new(
        Name(breaker.State),
        breaker.Reason == OpeningReason.None ? null : Name(breaker.Reason),
        breaker.Reason == OpeningReason.None ? null : breaker.Detail,
        Round(breaker.RetryIn),
        breaker.Openings.ToDictionary(static opening => Name(opening.Key), static opening => opening.Value),
        new ProbeCounts(breaker.ProbesGood, breaker.ProbesBad),
        new BreakerSeconds(Round(breaker.TimeClosed), Round(breaker.TimeOpen), Round(breaker.TimeHalfOpen)));

    private static string Name<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    private static double Round(TimeSpan time) => Math.Round(time.TotalSeconds, 3);
}

/// <summary>Probes by how they went.</summary>
internal sealed record ProbeCounts(long Good, long Bad);

/// <summary>Time in each state of a circuit breaker.</summary>
internal sealed record BreakerSeconds(double Closed, double Open, double HalfOpen);
