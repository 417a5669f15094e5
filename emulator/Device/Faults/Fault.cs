namespace WarpDrive.Emulator.Faults;

/// <summary>One line of a <see cref="FaultPlan"/>: what goes wrong, when, how often and to whom. Times count from the start of the device.</summary>
public sealed record Fault
{
    private const int MaxErrorStatus = 15;     // it has four bits

    /// <summary>What goes wrong.</summary>
    public FaultKind Kind { get; init; }

    /// <summary>From when on, in seconds.</summary>
    public double From { get; init; }

    /// <summary>Until when, in seconds; null: to the end.</summary>
    public double? Until { get; init; }

    /// <summary>To which part of the operations it happens: more than 0, at most 1. Not for stall, slow, reset and disconnect.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>To which queues, by their numbers; empty: to all.</summary>
    public IReadOnlyList<int> Queues { get; init; } = [];

    /// <summary>For delay: how long, in seconds. For reset and disconnect: the time from one to the next; 0: once.</summary>
    public double Seconds { get; init; }

    /// <summary>For slow: 2 for half the speed.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>For error: the status in the SQE, 1 to 15.</summary>
    public int Status { get; init; }

    /// <summary>Whether it happens to single operations, each by its probability.</summary>
    internal bool IsPerOperation => Kind is FaultKind.Delay or FaultKind.Drop or FaultKind.Wrong or FaultKind.Zero or FaultKind.Swap or FaultKind.Error;

    /// <summary>Whether it is in force.</summary>
    internal bool IsAt(TimeSpan now) => now.TotalSeconds >= From && (Until is not { } until || now.TotalSeconds < until);

    /// <summary>Whether a queue is one of those it happens to.</summary>
    internal bool Concerns(int queue) => Queues.Count == 0 || Queues.Contains(queue);

    /// <summary>One sentence for each value that is not allowed, which begins with <paramref name="path"/>.</summary>
    internal IEnumerable<string> Validate(string path)
    {
        if (!(From >= 0))
        {
            yield return $"{path}.from is {From}; it must be 0 or more seconds.";
        }

        if (Until is { } until && !(until > From))
        {
            yield return $"{path}.until is {until}; it must be more than from, which is {From}.";
        }

        if (!(Probability is > 0 and <= 1))
        {
            yield return $"{path}.probability is {Probability}; it must be more than 0 and at most 1.";
        }
        else if (Probability != 1 && !IsPerOperation)
        {
            yield return $"{path}.probability is {Probability}; {Name(Kind)} does not happen to single operations, so it must be left out.";
        }

        foreach (int queue in Queues.Where(static queue => queue is < 0 or > 1023))
        {
            yield return $"{path}.queues has {queue}; numbers of queues are 0 to 1023.";
        }

        if (Queues.Count > 0 && Kind is FaultKind.Slow or FaultKind.Disconnect)
        {
            yield return $"{path}.queues is set; {Name(Kind)} happens to all of them, so it must be left out.";
        }

        if (!(Seconds is >= 0 and <= 3600) || (Kind == FaultKind.Delay && Seconds == 0))
        {
            yield return $"{path}.seconds is {Seconds}; it must be {(Kind == FaultKind.Delay ? "more than 0" : "0 or more")}, and at most 3600.";
        }

        if (!(Factor is >= 1 and <= 1000))
        {
            yield return $"{path}.factor is {Factor}; it must be between 1 and 1000.";
        }

        if (Kind == FaultKind.Error ? Status is < 1 or > MaxErrorStatus : Status != 0)
        {
            yield return Kind == FaultKind.Error
                ? $"{path}.status is {Status}; it must be between 1 and {MaxErrorStatus}."
                : $"{path}.status is {Status}; {Name(Kind)} has none, so it must be left out.";
        }
    }

    private static string Name(FaultKind kind) => kind.ToString().ToLowerInvariant();
}
