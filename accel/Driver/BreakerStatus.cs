namespace WarpDrive.Driver;

/// <summary>What a circuit breaker lets through.</summary>
public enum BreakerState
{
    /// <summary>All: the device gets work.</summary>
    Closed,

    /// <summary>Nothing, until its time is over.</summary>
    Open,

    /// <summary>A probe: what the device answers decides.</summary>
    HalfOpen,
}

/// <summary>Why a circuit breaker opened.</summary>
public enum OpeningReason
{
    /// <summary>It never did.</summary>
    None,

    /// <summary>A result failed the fault check.</summary>
    WrongResult,

    /// <summary>The device broke its protocol.</summary>
    Protocol,

    /// <summary>Too many operations of the last seconds failed.</summary>
    Errors,

    /// <summary>Operation after operation was not answered.</summary>
    Unanswered,

    /// <summary>The known-answer probe failed.</summary>
    Probe,

    /// <summary>The kernel took the device out of use.</summary>
    Isolated,
}

/// <summary>A circuit breaker at one moment.</summary>
/// <param name="State">What it lets through.</param>
/// <param name="Reason">Why it opened last.</param>
/// <param name="Detail">The same in words, which end a sentence: <c>8 operations in a row were not answered</c>; empty when it never opened.</param>
/// <param name="BackOff">How long it stays open this time, or did the last time.</param>
/// <param name="RetryIn">Until it lets a probe through; zero when it is not open.</param>
/// <param name="Openings">How often it opened, by reason; reasons that there never were are left out.</param>
/// <param name="ProbesGood">Probes that closed it.</param>
/// <param name="ProbesBad">Probes that failed.</param>
/// <param name="TimeClosed">Time that it was closed, in all.</param>
/// <param name="TimeOpen">Time that it was open, in all.</param>
/// <param name="TimeHalfOpen">Time that it was half-open, in all; so it is too while there is no device.</param>
public sealed record BreakerStatus(
    BreakerState State,
    OpeningReason Reason,
    string Detail,
    TimeSpan BackOff,
    TimeSpan RetryIn,
    IReadOnlyDictionary<OpeningReason, long> Openings,
    long ProbesGood,
    long ProbesBad,
    TimeSpan TimeClosed,
    TimeSpan TimeOpen,
    TimeSpan TimeHalfOpen);
