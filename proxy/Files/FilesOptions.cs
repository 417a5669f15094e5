using System.ComponentModel.DataAnnotations;

namespace WarpProxy.Files;

/// <summary>Section <c>Files</c>: how files that the configuration names are watched for changes: certificates, keys, tickets' keys, CAs.</summary>
internal sealed record FilesOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Files";

    /// <summary>How often they are looked at. SIGHUP has them looked at immediately.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Interval < TimeSpan.FromMilliseconds(100) || Interval > TimeSpan.FromHours(1))
        {
            yield return new($"Files:Interval is {Interval:c}; it must be between 00:00:00.1 and 01:00:00.", [nameof(Interval)]);
        }
    }
}
