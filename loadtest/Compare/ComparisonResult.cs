namespace WarpProxy.LoadTest.Compare;

/// <summary>What a comparison has measured, and all that is needed to judge it.</summary>
internal sealed record ComparisonResult
{
    // Of the servers' processors: above this share, the rates are those of a machine that does something else as well.
    private const double TakenShare = 0.1;

    /// <summary>Of the whole report.</summary>
    public required string Title { get; init; }

    /// <summary>The server that the others are compared with.</summary>
    public required string Baseline { get; init; }

    public required DateTimeOffset Started { get; init; }

    public required Machine Machine { get; init; }

    /// <summary>What holds for all servers, in sentences.</summary>
    public required IReadOnlyList<string> Conditions { get; init; }

    public required IReadOnlyList<ComparedServer> Servers { get; init; }

    /// <summary>Servers that could not be compared, and why.</summary>
    public required IReadOnlyList<LeftOutServer> LeftOut { get; init; }

    public required bool IsInterrupted { get; init; }

    /// <summary>Whether latency is to the end of a response.</summary>
    public required bool IsRequesting { get; init; }

    /// <summary>Why it ended before all was measured, in a sentence; null when it did not, or when a signal ended it.</summary>
    public required string? Failure { get; init; }

    /// <summary>A sentence when client and servers had to share processors.</summary>
    public required string? SharedProcessors { get; init; }

    /// <summary>Those of one load one after the other, servers in their order.</summary>
    public required IReadOnlyList<ComparisonRow> Rows { get; init; }

    /// <summary>Sentences about what makes all numbers doubtful.</summary>
    public IEnumerable<string> Warnings
    {
        get
        {
            if (IsInterrupted)
            {
                yield return "Interrupted: servers may have different numbers of rounds.";
            }

            if (Failure is not null)
            {
                yield return $"Ended early: {Failure} Servers may have different numbers of rounds.";
            }

            if (SharedProcessors is not null)
            {
                yield return SharedProcessors;
            }

            if (Rows.Any(static row => row.OthersBusyShare > TakenShare))
            {
                yield return "Other programs used the servers' processors (column 'others'): rates and latencies are not the servers' own; CPU time per handshake is nearer to that.";
            }

            string[] saturated = [.. Rows.Where(static row => row.ClientSaturatedRounds > 0).Select(static row => $"{row.Server}, {row.Load}: {row.ClientSaturatedRounds} of {row.Rounds}")];
            if (saturated.Length > 0)
            {
                yield return $"In some rounds the client was saturated, or waited for a processor that others used: the rate is then not the server's limit ({string.Join("; ", saturated)}).";
            }
        }
    }
}

/// <summary>A server that was compared.</summary>
/// <param name="Name">What its rows are called.</param>
/// <param name="Version">As it tells.</param>
/// <param name="Commands">How its processes were started.</param>
/// <param name="Configuration">All that its file says; of the first key size, the ports are others for the next.</param>
internal sealed record ComparedServer(string Name, string Version, IReadOnlyList<string> Commands, string Configuration)
{
    /// <summary>What else it tells of itself, in sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>A server that could not be compared.</summary>
/// <param name="Name">What its rows would be called.</param>
/// <param name="Reason">A sentence.</param>
internal sealed record LeftOutServer(string Name, string Reason);
