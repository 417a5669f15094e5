using System.ComponentModel.DataAnnotations;

namespace WarpProxy.Certificates;

/// <summary>
/// Section <c>Certificate</c>, or one of <c>Certificates:NAME</c>: PEM files. With neither section, a development certificate is made and kept.
/// </summary>
internal sealed record CertificateOptions : IValidatableObject
{
    /// <summary>Name of the section that has one.</summary>
    public const string SingleSection = "Certificate";

    /// <summary>Name of the section that has many, by name.</summary>
    public const string Section = "Certificates";

    /// <summary>The certificate, followed by its intermediates.</summary>
    public string? File { get; init; }

    /// <summary>The private key; by default it is looked for in <see cref="File"/>.</summary>
    public string? KeyFile { get; init; }

    /// <summary>A file whose first line is the key's password; by default <c>WARPPROXY_KEY_PASSWORD</c> of the environment.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>An OCSP response about it in DER, which clients that ask are sent with it; somebody else renews it.</summary>
    public string? OcspFile { get; init; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        string path = validationContext.DisplayName;

        // Empty is what a shell variable without a value makes of --certificate "$FILE": a mistake, not a wish for the default.
        foreach ((string name, string? value) in new[]
        {
            (nameof(File), File), (nameof(KeyFile), KeyFile), (nameof(PasswordFile), PasswordFile), (nameof(OcspFile), OcspFile),
        })
        {
            if (value is "")
            {
                yield return new($"{path}:{name} is ''; it must be the path of a file, or be left out.", [name]);
            }
        }

        if (File is null && KeyFile is { Length: > 0 })
        {
            yield return new($"{path}:KeyFile is '{KeyFile}' but {path}:File is not set; give both, or neither.", [nameof(File)]);
        }

        if (File is null && OcspFile is { Length: > 0 })
        {
            yield return new($"{path}:OcspFile is '{OcspFile}' but {path}:File is not set.", [nameof(File)]);
        }

        if (File is null && PasswordFile is { Length: > 0 })
        {
            yield return new($"{path}:PasswordFile is '{PasswordFile}' but {path}:File is not set.", [nameof(File)]);
        }
    }
}
