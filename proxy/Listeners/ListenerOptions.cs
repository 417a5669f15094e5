using System.ComponentModel.DataAnnotations;
using WarpProxy.Configuration;
using WarpProxy.Tickets;

namespace WarpProxy.Listeners;

/// <summary>
/// Section <c>Listeners:NAME</c>: one URL and what clients meet there. A section that stands here replaces the one of the same name at the top of
/// the configuration whole.
/// </summary>
internal sealed partial record ListenerOptions : IValidatableObject
{
    /// <summary>Name of the section that has all of them.</summary>
    public const string Section = "Listeners";

    /// <summary>Where clients connect: <c>https://*:443</c>, <c>http://127.0.0.1:8080</c>.</summary>
    public string Url { get; init; } = "";

    /// <summary>Names out of section <c>Certificates</c>, the default one first; empty for all of them.</summary>
    public IReadOnlyList<string> Certificates { get; init; } = [];

    /// <summary>What clients get that ask for another name, or for none.</summary>
    public UnknownNames UnknownNames { get; init; }

    /// <summary>Resumption of sessions; for https.</summary>
    public TicketOptions? Tickets { get; init; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        string path = validationContext.DisplayName;
        if (!ListenAddress.TryParse(Url, $"{path}:Url", out ListenAddress? address, out string problem))
        {
            yield return new(problem, [nameof(Url)]);
        }
        else if (!address.IsHttps && Certificates.Count > 0)
        {
            yield return new($"{path}:Certificates has '{Certificates[0]}' but {path}:Url is '{Url}'; certificates are for https.", [nameof(Certificates)]);
        }
        else if (!address.IsHttps && Tickets is not null)
        {
            yield return new($"{path}:Tickets is there but {path}:Url is '{Url}'; tickets are for https.", [nameof(Tickets)]);
        }

        foreach (ValidationResult result in ValidateEdge(path, isHttps: address?.IsHttps))
        {
            yield return result;
        }

        foreach (string twice in Certificates.GroupBy(static name => name, StringComparer.OrdinalIgnoreCase).Where(static group => group.Count() > 1).Select(static group => group.Key))
        {
            yield return new($"{path}:Certificates has '{twice}' more than once; each must be named once.", [nameof(Certificates)]);
        }
    }
}
