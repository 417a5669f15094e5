namespace WarpProxy.Doctor;

/// <summary>What a check saw of one thing.</summary>
/// <param name="Check">Name of the check, or of what it saw where it looks at several kinds of things.</param>
/// <param name="Subject">Which of several: a device, a file, an address; null when there is only one.</param>
/// <param name="Level">How good or bad it is.</param>
/// <param name="Seen">What was seen: a clause without its period.</param>
/// <param name="Advice">What to do: a sentence without its period; null when nothing is to be done.</param>
internal sealed record Finding(string Check, string? Subject, FindingLevel Level, string Seen, string? Advice)
{
    /// <summary>What was seen, for programs: numbers, texts, true and false by name.</summary>
    public IReadOnlyDictionary<string, object?> Values { get; init; } = new Dictionary<string, object?>();

    /// <summary>As it should be.</summary>
    public static Finding Ok(string check, string? subject, string seen) => new(check, subject, FindingLevel.Ok, seen, null);

    /// <summary>Could be better.</summary>
    public static Finding Warning(string check, string? subject, string seen, string? advice) => new(check, subject, FindingLevel.Warning, seen, advice);

    /// <summary>Does not work.</summary>
    public static Finding Failed(string check, string? subject, string seen, string? advice) => new(check, subject, FindingLevel.Failed, seen, advice);
}
