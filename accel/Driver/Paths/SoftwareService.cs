namespace WarpDrive.Driver.Paths;

/// <summary>What software needs for an operation of one key size. Any thread may call any member.</summary>
/// <param name="processors">That this process may use.</param>
internal sealed class SoftwareService(int processors)
{
    private ServiceTime _work;      // processor time of its thread
    private ServiceTime _wall;      // with what others took of the processor meanwhile, beyond what the load explains

    /// <summary>Processor time of one operation in nanoseconds; 0 when none was measured.</summary>
    public long Work => _work.Nanoseconds;

    /// <summary>When an operation would be done, in nanoseconds from now; 0 when none was measured.</summary>
    /// <param name="load">Operations under way on any path, this one included: what decides does not hang on how it decided before.</param>
    public long Expect(double load) => (long)(Math.Max(_work.Nanoseconds, _wall.Nanoseconds) * Crowd(load));

    /// <summary>As <see cref="Expect"/>, of the processor time alone: on a processor where others are busy, these have taken of both paths alike.</summary>
    public long ExpectWork(double load) => (long)(_work.Nanoseconds * Crowd(load));

    /// <summary>An operation was computed.</summary>
    /// <param name="work">Processor time of its thread, in nanoseconds.</param>
    /// <param name="elapsed">Nanoseconds it took.</param>
    /// <param name="load">When it began.</param>
    /// <param name="now">When it ended.</param>
    public void Record(long work, long elapsed, double load, long now)
    {
        _work.Add(work, now);
        _wall.Add((long)(elapsed / Crowd(load)), now);
    }

    private double Crowd(double load) => Math.Max(1, load / processors);
}
