using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace WarpProxy.Http;

/// <summary>Section <c>Hsts</c>: browsers are told to use https alone from now on (RFC 6797).</summary>
internal sealed record HstsOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Hsts";

    // What lists of preloaded names ask for (hstspreload.org).
    private static readonly TimeSpan MinPreloadAge = TimeSpan.FromDays(365);
    private static readonly TimeSpan MaxMaxAge = TimeSpan.FromDays(3650);

    /// <summary>How long browsers keep to it, from each answer on; zero: the header is not sent.</summary>
    public TimeSpan MaxAge { get; init; }

    /// <summary>Whether it holds for all names below this one.</summary>
    public bool IncludeSubDomains { get; init; }

    /// <summary>Whether browsers may have it built in. Hard to take back.</summary>
    public bool Preload { get; init; }

    /// <summary>The value of the header Strict-Transport-Security; null when it is not sent.</summary>
    public string? ToHeader() => MaxAge <= TimeSpan.Zero ? null : string.Create(
        CultureInfo.InvariantCulture,
        $"max-age={(long)MaxAge.TotalSeconds}{(IncludeSubDomains ? "; includeSubDomains" : "")}{(Preload ? "; preload" : "")}");

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        string path = validationContext.DisplayName;
        if ((MaxAge < TimeSpan.FromSeconds(1) && MaxAge != TimeSpan.Zero) || MaxAge > MaxMaxAge)
        {
            yield return new($"{path}:MaxAge is {MaxAge:c}; it must be 0 (off) or between 00:00:01 and 3650.00:00:00.", [nameof(MaxAge)]);
        }
        else if (Preload && (!IncludeSubDomains || MaxAge < MinPreloadAge))
        {
            yield return new(
                $"{path}:Preload is true with MaxAge {MaxAge:c} and IncludeSubDomains {(IncludeSubDomains ? "true" : "false")}; it needs at least 365.00:00:00 and true.",
                [nameof(Preload)]);
        }
        else if (IncludeSubDomains && MaxAge == TimeSpan.Zero)
        {
            yield return new($"{path}:IncludeSubDomains is true but {path}:MaxAge is not set; give it as well, such as 365.00:00:00.", [nameof(IncludeSubDomains)]);
        }
    }
}
