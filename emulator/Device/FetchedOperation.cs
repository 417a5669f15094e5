namespace WarpDrive.Emulator;

/// <summary>What an engine remembers of an operation between fetch and complete; the rest stands in its batch.</summary>
/// <param name="Queue">Where it came from.</param>
/// <param name="Generation">The queue's generation when it was fetched; another one means that it was forgotten meanwhile.</param>
/// <param name="Index">Index of its SQE, and of its CQE too, since both rings have one depth and one order.</param>
/// <param name="Control">The control word as it was posted.</param>
/// <param name="OutputIova">Where the output goes; translated anew when it is written.</param>
internal readonly record struct FetchedOperation(VirtualQueue Queue, long Generation, int Index, uint Control, ulong OutputIova)
{
    /// <summary>How it was computed.</summary>
    public BatchTimes Times { get; init; }
}

/// <summary>How a batch was computed, for the completions of its operations.</summary>
/// <param name="ComputedAt">When: CLOCK_MONOTONIC in nanoseconds.</param>
/// <param name="Nanoseconds">How long it took.</param>
/// <param name="Size">Operations in it; 0: nothing was computed.</param>
internal readonly record struct BatchTimes(long ComputedAt, long Nanoseconds, int Size)
{
    /// <summary>The first half of a completion.</summary>
    public ulong FirstWord => (uint)ComputedAt | ((ulong)(ushort)Size << 48);

    /// <summary>What goes between the queue number and the phase.</summary>
    public ulong Microseconds => (ulong)Math.Clamp(Nanoseconds / 1000, 0, ushort.MaxValue);
}

/// <summary>What a look at a queue found.</summary>
internal enum FetchOutcome
{
    /// <summary>Nothing is posted, or the queue is not started.</summary>
    Nothing,

    /// <summary>An operation is posted and may be fetched; after a fetch: it is in the batch.</summary>
    Ready,

    /// <summary>An operation was posted that cannot be computed; its error is written.</summary>
    Refused,

    /// <summary>An operation is posted, of another kind than those of the batch; it stays for another batch.</summary>
    OtherKind,

    /// <summary>An operation is posted and its CQE has no room before the host returns a head; the host rings nothing then.</summary>
    CompletionQueueFull,
}

/// <summary>What became of a completed operation.</summary>
internal enum CompletionOutcome
{
    /// <summary>The queue forgot it: stopped, reset or closed meanwhile.</summary>
    Forgotten,

    /// <summary>Its result is written.</summary>
    Done,

    /// <summary>Its error is written.</summary>
    Failed,
}
