using System.ComponentModel.DataAnnotations;

namespace WarpProxy.Certificates;

/// <summary>Section <c>CertificateExpiry</c>: when the log warns of certificates that end.</summary>
internal sealed record CertificateExpiryOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "CertificateExpiry";

    /// <summary>How long before its end there is a warning; then again one day before, and when it has ended.</summary>
    public TimeSpan WarnBefore { get; init; } = TimeSpan.FromDays(14);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (WarnBefore < TimeSpan.FromDays(1) || WarnBefore > TimeSpan.FromDays(365))
        {
            yield return new($"CertificateExpiry:WarnBefore is {WarnBefore:c}; it must be between 1.00:00:00 and 365.00:00:00.", [nameof(WarnBefore)]);
        }
    }
}
