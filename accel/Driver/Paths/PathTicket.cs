namespace WarpDrive.Driver.Paths;

/// <summary>One operation of the path <c>auto</c>: where it goes, and what was under way when it began.</summary>
internal readonly record struct PathTicket
{
    /// <summary>Where it goes, and why.</summary>
    public PathDecision Decision { get; init; }

    /// <summary>To which device, by its place; -1: to none.</summary>
    public int Device { get; init; }

    /// <summary>In flight on that device, this operation included.</summary>
    public int InFlight { get; init; }

    /// <summary>Operations under way on any path, evened out, this one included.</summary>
    public double Load { get; init; }

    /// <summary>The load, rounded.</summary>
    public int Level => Math.Max(1, (int)Math.Round(Load));

    /// <summary>Whether nothing else is under way.</summary>
    public bool IsAlone { get; init; }

    /// <summary>Whether all operations go where this one goes, so that it tells what that costs.</summary>
    public bool IsAll { get; init; }

    /// <summary>Whether it goes there only to learn how long it takes.</summary>
    public bool IsExploring { get; init; }
}
