using System.ComponentModel.DataAnnotations;
using WarpProxy.ClientCertificates;
using WarpProxy.Configuration;
using WarpProxy.Protocol;
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

    /// <summary>Which certificates of clients are accepted here.</summary>
    public ClientCertificateOptions? ClientCertificates { get; init; }

    /// <summary>Versions of TLS and what belongs to them; for https. Of a <see cref="Listener"/> never null.</summary>
    public ProtocolOptions? Protocol { get; init; }

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
        else if (!address.IsHttps && ClientCertificates is { IsOn: true })
        {
            yield return new($"{path}:ClientCertificates is set but {path}:Url is '{Url}'; certificates of clients are for https.", [nameof(ClientCertificates)]);
        }

        if (address is { IsHttps: false } && Protocol is not null)
        {
            yield return new($"{path}:Protocol is there but {path}:Url is '{Url}'; versions of TLS are for https.", [nameof(Protocol)]);
        }

        foreach (ValidationResult result in ValidateLimits(path))
        {
            yield return result;
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
