using System.ComponentModel.DataAnnotations;
using WarpProxy.Offload;

namespace WarpProxy.Certificates;

/// <summary>
/// Section <c>Certificate</c>, or one of <c>Certificates:NAME</c>: PEM files, or a directory of them. With neither section, a development certificate is
/// made and kept.
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

    /// <summary>A directory with any number of certificates (<see cref="CertificateDirectory"/>), in place of <see cref="File"/>.</summary>
    public string? Directory { get; init; }

    /// <summary>A file whose first line is the key's password; by default <c>WARPPROXY_KEY_PASSWORD</c> of the environment.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>An OCSP response about it in DER, which clients that ask are sent with it; somebody else renews it.</summary>
    public string? OcspFile { get; init; }

    /// <summary>The way of private-key operations; by default <c>Offload:Path</c>.</summary>
    public OffloadPath? Path { get; init; }

    /// <summary>What computes when no device does; by default <c>Offload:Fallback</c>.</summary>
    public OffloadFallback? Fallback { get; init; }

    /// <summary>Whether anything is named that has certificates.</summary>
    public bool IsGiven => File is not null || Directory is not null;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        string path = validationContext.DisplayName;

        // Empty is what a shell variable without a value makes of --certificate "$FILE": a mistake, not a wish for the default.
        foreach ((string name, string? value, string kind) in new[]
        {
            (nameof(File), File, "a file"), (nameof(KeyFile), KeyFile, "a file"), (nameof(PasswordFile), PasswordFile, "a file"),
            (nameof(OcspFile), OcspFile, "a file"), (nameof(Directory), Directory, "a directory"),
        })
        {
            if (value is "")
            {
                yield return new($"{path}:{name} is ''; it must be the path of {kind}, or be left out.", [name]);
            }
        }

        if (File is { Length: > 0 } && Directory is { Length: > 0 })
        {
            yield return new($"{path}:Directory is '{Directory}' but {path}:File is '{File}'; give one of them.", [nameof(Directory)]);
        }

        if (File is null && KeyFile is { Length: > 0 })
        {
            yield return Directory is null
                ? new($"{path}:KeyFile is '{KeyFile}' but {path}:File is not set; give both, or neither.", [nameof(File)])
                : new($"{path}:KeyFile is '{KeyFile}' but {path}:Directory is '{Directory}'; in a directory the keys have the names of their certificates.", [nameof(KeyFile)]);
        }

        if (File is null && OcspFile is { Length: > 0 })
        {
            yield return new($"{path}:OcspFile is '{OcspFile}' but {path}:File is not set.", [nameof(File)]);
        }

        if (!IsGiven && PasswordFile is { Length: > 0 })
        {
            yield return new($"{path}:PasswordFile is '{PasswordFile}' but {path}:File is not set.", [nameof(File)]);
        }

        if (!IsGiven && Path is { } way)
        {
            yield return new($"{path}:Path is '{way.ToString().ToLowerInvariant()}' but {path}:File is not set.", [nameof(File)]);
        }

        if (!IsGiven && Fallback is { } fallback)
        {
            yield return new($"{path}:Fallback is '{fallback.ToString().ToLowerInvariant()}' but {path}:File is not set.", [nameof(File)]);
        }
    }
}
