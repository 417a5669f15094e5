using System.ComponentModel.DataAnnotations;
using WarpDrive.Driver;

namespace WarpProxy.Offload;

/// <summary>Section <c>Offload:Breaker</c>: when a device that fails gets no work, and for how long.</summary>
internal sealed record BreakerOptions : IValidatableObject
{
    private static readonly CircuitBreakerOptions Defaults = new();

    /// <summary>The error rate says nothing of fewer operations.</summary>
    public int MinOperations { get; init; } = Defaults.MinOperations;

    /// <summary>The part of the operations that may not fail: more than 0, at most 1.</summary>
    public double ErrorRate { get; init; } = Defaults.ErrorRate;

    /// <summary>How long an operation counts for the error rate.</summary>
    public TimeSpan Window { get; init; } = Defaults.Window;

    /// <summary>So many operations without an answer, one after the other, are too many.</summary>
    public int MaxUnanswered { get; init; } = Defaults.MaxUnanswered;

    /// <summary>How long a device gets no work the first time; twice as long each further time.</summary>
    public TimeSpan FirstBackOff { get; init; } = Defaults.FirstBackOff;

    /// <summary>The longest that a device gets no work before it is probed again.</summary>
    public TimeSpan MaxBackOff { get; init; } = Defaults.MaxBackOff;

    /// <summary>The part of itself by which such a time is longer or shorter, by chance.</summary>
    public double Jitter { get; init; } = Defaults.Jitter;

    /// <summary>How long a device must work well for the next time to be the first again.</summary>
    public TimeSpan ForgetAfter { get; init; } = Defaults.ForgetAfter;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Build().Validate().Select(problem => new ValidationResult($"{validationContext.DisplayName}:{problem}", [problem[..problem.IndexOf(' ', StringComparison.Ordinal)]]));

    /// <summary>As the driver takes them.</summary>
    public CircuitBreakerOptions Build() => new()
    {
        MinOperations = MinOperations,
        ErrorRate = ErrorRate,
        Window = Window,
        MaxUnanswered = MaxUnanswered,
        FirstBackOff = FirstBackOff,
        MaxBackOff = MaxBackOff,
        Jitter = Jitter,
        ForgetAfter = ForgetAfter,
    };
}
