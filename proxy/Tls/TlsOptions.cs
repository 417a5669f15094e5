using System.ComponentModel.DataAnnotations;

namespace WarpProxy.Tls;

/// <summary>Section <c>Tls</c>: threads and time limits of the handshakes of clients, for the whole process.</summary>
internal sealed record TlsOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Tls";

    /// <summary>Dedicated threads that carry handshakes: the most private-key operations under way at once.</summary>
    public int Lanes { get; init; } = 16;

    /// <summary>The most handshakes that wait for a lane; one more is refused.</summary>
    public int MaxWaiting { get; init; } = 1024;

    /// <summary>The most handshakes under way, from the connection on: those that wait for the client too. One more takes the place of a client that sends nothing, or is reset.</summary>
    public int MaxHandshakes { get; init; } = 4096;

    /// <summary>The longest a handshake waits for a lane; then it is refused.</summary>
    public TimeSpan LaneTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest a client may take to send its whole ClientHello.</summary>
    public TimeSpan ClientHelloTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest a handshake may take from its ClientHello on.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Lanes is < 1 or > 256)
        {
            yield return new($"Tls:Lanes is {Lanes}; it must be between 1 and 256.", [nameof(Lanes)]);
        }

        if (MaxWaiting is < 0 or > 65536)
        {
            yield return new($"Tls:MaxWaiting is {MaxWaiting}; it must be between 0 and 65536.", [nameof(MaxWaiting)]);
        }

        if (MaxHandshakes is < 1 or > 1_000_000)
        {
            yield return new($"Tls:MaxHandshakes is {MaxHandshakes}; it must be between 1 and 1000000.", [nameof(MaxHandshakes)]);
        }

        foreach ((string name, TimeSpan value) in new[]
        {
            (nameof(LaneTimeout), LaneTimeout), (nameof(ClientHelloTimeout), ClientHelloTimeout), (nameof(HandshakeTimeout), HandshakeTimeout),
        })
        {
            if (value < TimeSpan.FromMilliseconds(100) || value > TimeSpan.FromMinutes(5))
            {
                yield return new($"Tls:{name} is {value:c}; it must be between 00:00:00.1 and 00:05:00.", [name]);
            }
        }
    }
}
