using System.ComponentModel.DataAnnotations;

namespace WarpProxy.Configuration;

/// <summary>Section <c>Shutdown</c>: how the proxy ends.</summary>
internal sealed class ShutdownOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Shutdown";

    /// <summary>The longest that running requests may take to end after SIGINT or SIGTERM.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(15);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Drain < TimeSpan.Zero || Drain > TimeSpan.FromHours(1))
        {
            yield return new($"Shutdown:Drain is {Drain:c}; it must be between 00:00:00 and 01:00:00.", [nameof(Drain)]);
        }
    }
}
