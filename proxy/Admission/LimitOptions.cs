using System.ComponentModel.DataAnnotations;

namespace WarpProxy.Admission;

/// <summary>Section <c>Limits</c>: how many clients are served at once, and how long one that does nothing may stay.</summary>
internal sealed record LimitOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Limits";

    /// <summary>The highest limit of connections that can be set.</summary>
    public const int MaxLimit = 10_000_000;

    private static readonly TimeSpan MinTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromDays(1);

    /// <summary>The most connections of clients, on all listeners together; one more is reset. Left out: as many as there may be open files, less 256.</summary>
    public int? MaxConnections { get; init; }

    /// <summary>Connections that the kernel keeps on each listener until the proxy takes them. The kernel allows no more than <c>net.core.somaxconn</c>.</summary>
    public int Backlog { get; init; } = 4096;

    /// <summary>The longest a connection of HTTP may rest between requests, and before the first.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(130);

    /// <summary>The longest a client may take to send the headers of a request.</summary>
    public TimeSpan RequestHeadersTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxConnections is < 1 or > MaxLimit)
        {
            yield return new($"Limits:MaxConnections is {MaxConnections}; it must be between 1 and {MaxLimit}.", [nameof(MaxConnections)]);
        }

        if (Backlog is < 1 or > 65535)
        {
            yield return new($"Limits:Backlog is {Backlog}; it must be between 1 and 65535.", [nameof(Backlog)]);
        }

        foreach ((string name, TimeSpan value) in new[] { (nameof(KeepAliveTimeout), KeepAliveTimeout), (nameof(RequestHeadersTimeout), RequestHeadersTimeout) })
        {
            if (value < MinTimeout || value > MaxTimeout)
            {
                yield return new($"Limits:{name} is {value:c}; it must be between 00:00:01 and 1.00:00:00.", [name]);
            }
        }
    }
}
