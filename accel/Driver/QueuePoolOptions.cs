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

    /// <summary>How long a device that gave a wrong result gets no work: the first time; twice as long each further time, up to <see cref="MaxQuarantine"/>.</summary>
    public TimeSpan FirstQuarantine { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest quarantine.</summary>
    public TimeSpan MaxQuarantine { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether queues made with these limits may stay under the <paramref name="other"/> ones.</summary>
    internal bool HasQueuesOf(QueuePoolOptions other) => QueuesPerDevice == other.QueuesPerDevice && Depth == other.Depth;

    /// <summary>The longest wait for an operation with a modulus of <paramref name="modulusBytes"/>.</summary>
    internal TimeSpan DeadlineFor(int modulusBytes)
    {
        // A private-key operation costs the cube of the modulus.
        double ratio = Math.Max(1, modulusBytes / 256.0);
        return Deadline * (ratio * ratio * ratio);
    }
}
