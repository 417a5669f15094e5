using System.ComponentModel.DataAnnotations;

namespace WarpProxy.Configuration;

/// <summary>Whose the processors are that the proxy runs on.</summary>
internal enum ProcessorUse
{
    /// <summary>The proxy's own, or nearly so: handshakes then cost the least.</summary>
    Own,

    /// <summary>Other processes compete for them: no request then waits until one of theirs has used up its slice.</summary>
    Shared,
}

/// <summary>Section <c>Server</c>: where the proxy and its admin listener are reached, and how it shares the processors.</summary>
internal sealed class ServerOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Server";

    /// <summary>URLs for clients, separated by semicolons, each a listener with nothing of its own. Left out: <c>https://localhost:8443</c>, unless section <c>Listeners</c> has any.</summary>
    public string? Urls { get; init; }

    /// <summary>URL of the admin listener, http. It has no authentication: keep it on an address that only operators reach.</summary>
    public string Admin { get; init; } = "http://127.0.0.1:9901";

    /// <summary>Whose the processors are: how the threads of the proxy are scheduled.</summary>
    public ProcessorUse Processors { get; init; } = ProcessorUse.Own;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        string problem;
        if (Urls is not null && !ListenAddress.TryParseList(Urls, "Server:Urls", out _, out problem))
        {
            yield return new(problem, [nameof(Urls)]);
        }

        if (!ListenAddress.TryParse(Admin, "Server:Admin", out ListenAddress? admin, out problem))
        {
            yield return new(problem, [nameof(Admin)]);
        }
        else if (admin.IsHttps)
        {
            yield return new($"Server:Admin is '{Admin}'; it must be a URL with http.", [nameof(Admin)]);
        }
    }
}
