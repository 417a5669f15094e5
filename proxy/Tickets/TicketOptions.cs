using System.ComponentModel.DataAnnotations;

namespace WarpProxy.Tickets;

/// <summary>
/// Section <c>Tickets</c>: resumption of sessions by tickets, which clients keep. Several proxies with the same keys take each other's. Without keys those
/// of the process are used, which no other knows.
/// </summary>
internal sealed record TicketOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Tickets";

    /// <summary>How long each of the process's own keys encrypts, and then how long it still decrypts.</summary>
    public static readonly TimeSpan OwnKeyPeriod = TimeSpan.FromHours(12);

    private static readonly TimeSpan MinLifetime = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(7);        // RFC 8446 4.6.1

    /// <summary>Whether sessions are resumed; without, every handshake is a full one.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// Files of keys, each one key of 80 bytes or lines of base64 with one each, the oldest first: of all keys together the last but one
    /// encrypts, the others decrypt.
    /// </summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>In place of <see cref="Keys"/>: a directory of such files, in the order of their names.</summary>
    public string? Directory { get; init; }

    /// <summary>How long a session may be resumed, in TLS 1.3 counted anew from each ticket.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(12);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        string path = validationContext.DisplayName;
        if (Keys.Contains(""))
        {
            yield return new($"{path}:Keys has ''; it must be the path of a file.", [nameof(Keys)]);
        }

        if (Directory is "")
        {
            yield return new($"{path}:Directory is ''; it must be the path of a directory, or be left out.", [nameof(Directory)]);
        }

        if (Keys.Count > 0 && Directory is not null)
        {
            yield return new($"{path}:Directory is '{Directory}' but {path}:Keys has '{Keys[0]}'; give one of the two.", [nameof(Directory)]);
        }

        if (Lifetime < MinLifetime || Lifetime > MaxLifetime)
        {
            yield return new($"{path}:Lifetime is {Lifetime:c}; it must be between {MinLifetime:c} and {MaxLifetime:c}.", [nameof(Lifetime)]);
        }
        else if (Enabled && Keys.Count == 0 && Directory is null && Lifetime > OwnKeyPeriod)
        {
            yield return new(
                $"{path}:Lifetime is {Lifetime:c}; without {path}:Keys or {path}:Directory it must be at most {OwnKeyPeriod:c}, as long as the process keeps its own keys.",
                [nameof(Lifetime)]);
        }
    }
}
