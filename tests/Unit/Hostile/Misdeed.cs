namespace WarpProxy.Tests.Unit.Hostile;

/// <summary>What a hostile device does. All of it runs on the device's own thread, and may write whatever it can reach.</summary>
internal sealed class Misdeed
{
    /// <summary>Instead of computing a submission.</summary>
    public required Action<HostileDevice, HostileSubmission> Answer { get; init; }

    /// <summary>Before the host meets it.</summary>
    public Action<HostileDevice>? Make { get; init; }

    /// <summary>Once, before the first submission that it does not compute.</summary>
    public Action<HostileDevice>? Start { get; init; }

    /// <summary>Whenever it finds no new submission.</summary>
    public Action<HostileDevice>? Idle { get; init; }

    /// <summary>Whether it looks again at once when there was none, instead of sleeping a little.</summary>
    public bool IsRestless { get; init; }

    /// <summary>After the host has closed the queue: the host's memory is still mapped here.</summary>
    public Action<HostileDevice>? Close { get; init; }
}
