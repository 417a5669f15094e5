using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;

namespace WarpProxy.Configuration;

/// <summary>Whose the processors are that the proxy runs on.</summary>
internal enum ProcessorUse
{
    /// <summary>The proxy's own, or nearly so: handshakes then cost the least.</summary>
    Own,

    /// <summary>Other processes compete for them: no request then waits until one of theirs has used up its slice.</summary>
    Shared,
}

/// <summary>Section <c>Server</c>: where the proxy, its admin listener and its metrics are reached, and how it shares the processors.</summary>
internal sealed class ServerOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Server";

    /// <summary>URLs for clients, separated by semicolons, each a listener with nothing of its own. Left out: <c>https://localhost:8443</c>, unless section <c>Listeners</c> has any.</summary>
    public string? Urls { get; init; }

    /// <summary>URL of the admin listener, http: the live page, status and metrics. Where other machines reach it, <c>AdminTokenFile</c> is required.</summary>
    public string Admin { get; init; } = "http://127.0.0.1:9901";

    /// <summary>File with the token that the admin listener asks for, 16 characters or more; read again when it changes. Left out: it asks for none.</summary>
    public string? AdminTokenFile { get; init; }

    /// <summary>URL of a further listener, http, for Prometheus and for probes: <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c> without a token. Left out: there is none.</summary>
    public string? Metrics { get; init; }

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

        if (!TryParseHttp(Admin, "Server:Admin", out ListenAddress? admin, out problem))
        {
            yield return new(problem, [nameof(Admin)]);
        }
        else if (AdminTokenFile is null && !admin.IsLoopback)
        {
            yield return new(
                $"Server:Admin is '{Admin}', which other machines may reach; it must be an address of this one alone, such as http://127.0.0.1:9901, or Server:AdminTokenFile must name a file with a token.",
                [nameof(Admin)]);
        }

        if (AdminTokenFile is not null && string.IsNullOrWhiteSpace(AdminTokenFile))
        {
            yield return new($"Server:AdminTokenFile is '{AdminTokenFile}'; it must be the path of a file, or be left out.", [nameof(AdminTokenFile)]);
        }

        if (Metrics is not null && !TryParseHttp(Metrics, "Server:Metrics", out _, out problem))
        {
            yield return new(problem, [nameof(Metrics)]);
        }
    }

    private static bool TryParseHttp(string url, string setting, [NotNullWhen(true)] out ListenAddress? address, out string problem)
    {
        if (ListenAddress.TryParse(url, setting, out address, out problem) && address.IsHttps)
        {
            problem = $"{setting} is '{url}'; it must be a URL with http.";
            address = null;
        }

        return address is not null;
    }
}
