namespace WarpDrive.Driver;

/// <summary>Limits of a <see cref="QueuePool"/>.</summary>
public sealed class QueuePoolOptions
{
    /// <summary>Queue pairs to open on each device: as many operations can be in flight on it. A device that has fewer left gives fewer.</summary>
    public int QueuesPerDevice { get; init; } = 16;

    /// <summary>Entries of each ring, a power of two.</summary>
    public int Depth { get; init; } = 16;

    /// <summary>The longest wait for an RSA-2048 operation; longer keys get as much more as they compute longer (3072: 3.4 times, 4096: 8 times).</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long an operation looks for its completion before it sleeps. Zero is best for RSA, which computes much longer than waking takes.</summary>
    public TimeSpan SpinTime { get; init; } = TimeSpan.Zero;

    /// <summary>How often absent devices are looked for.</summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a queue may owe an answer after the deadline before it is closed and opened again.</summary>
    public TimeSpan StallLimit { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>When a device is taken out of use, and for how long.</summary>
    public CircuitBreakerOptions Breaker { get; init; } = new();

    /// <summary>What a device is asked before it is taken into use; tests whose devices compute something else have others, or none.</summary>
    internal IReadOnlyList<KnownAnswer> KnownAnswers { get; init; } = KnownAnswer.All;

    /// <summary>Whether queues made with these limits may stay under the <paramref name="other"/> ones.</summary>
    internal bool HasQueuesOf(QueuePoolOptions other) => QueuesPerDevice == other.QueuesPerDevice && Depth == other.Depth;

    /// <summary>The longest wait for an operation with a modulus of <paramref name="modulusBytes"/>.</summary>
    public TimeSpan DeadlineFor(int modulusBytes) => Scale(Deadline, modulusBytes);

    /// <summary>What is right for a modulus of <paramref name="modulusBytes"/> if <paramref name="time"/> is for RSA-2048.</summary>
    internal static TimeSpan Scale(TimeSpan time, int modulusBytes)
    {
        // A private-key operation costs the cube of the modulus.
        double ratio = Math.Max(1, modulusBytes / 256.0);
        return time * (ratio * ratio * ratio);
    }
}
