using System.ComponentModel.DataAnnotations;
using WarpProxy.Tls;

namespace WarpProxy.Passthrough;

/// <summary>Section <c>Listeners:NAME:Passthrough:NAME</c>: names whose connections go on to an upstream as they are, TLS and all.</summary>
internal sealed record PassthroughOptions : IValidatableObject
{
    private static readonly TimeSpan MinTimeout = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxConnectTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MaxIdleTimeout = TimeSpan.FromDays(7);

    /// <summary>Names that clients ask for (SNI): <c>legacy.example</c>, or <c>*.legacy.example</c> for every name with one label more.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Host and port: <c>10.0.0.5:443</c>, <c>legacy.internal:443</c>, <c>[2001:db8::5]:443</c>.</summary>
    public string Upstream { get; init; } = "";

    /// <summary>Whether the upstream is sent a PROXY protocol header, version 2, before the client's bytes.</summary>
    public bool SendProxyProtocol { get; init; }

    /// <summary>The longest that connecting to the upstream may take, the look-up of its name included.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest that no byte goes either way; then both connections are closed.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        string path = validationContext.DisplayName;
        if (Names.Count == 0)
        {
            yield return new($"{path}:Names is empty; it must have at least one name such as legacy.example or *.legacy.example.", [nameof(Names)]);
        }

        foreach (string name in Names)
        {
            if (!ClientHelloName.IsHostName(name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name))
            {
                yield return new(
                    $"{path}:Names has '{name}'; it must be a name such as legacy.example, or *.legacy.example for one label more, in ASCII (xn--...).", [nameof(Names)]);
            }
        }

        if (!UpstreamAddress.TryParse(Upstream, out _))
        {
            yield return new(
                $"{path}:Upstream is '{Upstream}'; it must be a host and a port, such as 10.0.0.5:443, legacy.internal:443 or [2001:db8::5]:443.", [nameof(Upstream)]);
        }

        if (ConnectTimeout < MinTimeout || ConnectTimeout > MaxConnectTimeout)
        {
            yield return new($"{path}:ConnectTimeout is {ConnectTimeout:c}; it must be between 00:00:00.1 and 00:01:00.", [nameof(ConnectTimeout)]);
        }

        if (IdleTimeout < MinTimeout || IdleTimeout > MaxIdleTimeout)
        {
            yield return new($"{path}:IdleTimeout is {IdleTimeout:c}; it must be between 00:00:00.1 and 7.00:00:00.", [nameof(IdleTimeout)]);
        }
    }
}
