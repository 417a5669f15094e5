using System.ComponentModel.DataAnnotations;

namespace WarpProxy.Certificates;

/// <summary>Section <c>Certificate</c>: PEM files. Without a file, a development certificate is made and kept.</summary>
internal sealed class CertificateOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Certificate";

    /// <summary>The certificate, followed by its intermediates.</summary>
    public string? File { get; init; }

    /// <summary>The private key; by default it is looked for in <see cref="File"/>.</summary>
    public string? KeyFile { get; init; }

    /// <summary>A file whose first line is the key's password; by default <c>WARPPROXY_KEY_PASSWORD</c> of the environment.</summary>
    public string? PasswordFile { get; init; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        // Empty is what a shell variable without a value makes of --certificate "$FILE": a mistake, not a wish for the default.
        foreach ((string name, string? value) in new[] { (nameof(File), File), (nameof(KeyFile), KeyFile), (nameof(PasswordFile), PasswordFile) })
        {
            if (value is "")
            {
                yield return new($"Certificate:{name} is ''; it must be the path of a file, or be left out.", [name]);
            }
        }

        if (File is null && KeyFile is { Length: > 0 })
        {
            yield return new($"Certificate:KeyFile is '{KeyFile}' but Certificate:File is not set; give both, or neither for a development certificate.", [nameof(File)]);
        }

        if (File is null && PasswordFile is { Length: > 0 })
        {
            yield return new($"Certificate:PasswordFile is '{PasswordFile}' but Certificate:File is not set.", [nameof(File)]);
        }
    }
}
