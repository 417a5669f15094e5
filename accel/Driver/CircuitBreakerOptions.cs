namespace WarpDrive.Driver;

/// <summary>When a <see cref="CircuitBreaker"/> takes a device out of use, and for how long.</summary>
public sealed class CircuitBreakerOptions
{
    /// <summary>So many operations of the last <see cref="Window"/> are the least of which the error rate says something.</summary>
    public int MinOperations { get; init; } = 10;

    /// <summary>The part of the operations of the last <see cref="Window"/> that may not fail: more than 0, at most 1.</summary>
    public double ErrorRate { get; init; } = 0.5;

    /// <summary>How long an operation counts for the error rate; exact to a tenth.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>So many operations that are not answered, one after the other, are too many.</summary>
    public int MaxUnanswered { get; init; } = 8;

    /// <summary>How long a device gets no work the first time; each further time twice as long.</summary>
    public TimeSpan FirstBackOff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest that a device gets no work before it is tried again.</summary>
    public TimeSpan MaxBackOff { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>A back-off is longer or shorter by up to this part of itself, so that the processes of one device do not all come back at once.</summary>
    public double Jitter { get; init; } = 0.1;

    /// <summary>How long a device must work well (<see cref="MinOperations"/> at least) for its next back-off to be the first again.</summary>
    public TimeSpan ForgetAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Seed of the jitter; null: another one each time.</summary>
    public int? Seed { get; init; }

    /// <summary>One sentence for each value that is not allowed.</summary>
    public IEnumerable<string> Validate()
    {
        if (MinOperations is < 1 or > 1_000_000)
        {
            yield return $"MinOperations is {MinOperations}; it must be between 1 and 1000000.";
        }

        if (!(ErrorRate is > 0 and <= 1))
        {
            yield return FormattableString.Invariant($"ErrorRate is {ErrorRate}; it must be more than 0 and at most 1.");
        }

        if (Window < TimeSpan.FromSeconds(3) || Window > TimeSpan.FromHours(1))
        {
            yield return $"Window is {Window:c}; it must be between 00:00:03 and 01:00:00.";
        }

        if (MaxUnanswered is < 1 or > 1_000_000)
        {
            yield return $"MaxUnanswered is {MaxUnanswered}; it must be between 1 and 1000000.";
        }

        if (FirstBackOff < TimeSpan.FromMilliseconds(10) || FirstBackOff > TimeSpan.FromHours(1))
        {
            yield return $"FirstBackOff is {FirstBackOff:c}; it must be between 00:00:00.010 and 01:00:00.";
        }

        if (MaxBackOff < FirstBackOff || MaxBackOff > TimeSpan.FromHours(1))
        {
            yield return $"MaxBackOff is {MaxBackOff:c}; it must be between FirstBackOff, which is {FirstBackOff:c}, and 01:00:00.";
        }

        if (!(Jitter is >= 0 and < 1))
        {
            yield return FormattableString.Invariant($"Jitter is {Jitter}; it must be 0 or more and less than 1.");
        }

        if (ForgetAfter < TimeSpan.Zero || ForgetAfter > TimeSpan.FromDays(1))
        {
            yield return $"ForgetAfter is {ForgetAfter:c}; it must be between 00:00:00 and 1.00:00:00.";
        }
    }
}
