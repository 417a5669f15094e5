namespace WarpProxy.LoadTest.ConstantTime;

/// <summary>
/// A computation whose time must not depend on its data, and two classes of data: one fixed or degenerate, the other random. The data of
/// several computations are drawn ahead into slots, in the same way for both classes, so that they are equally near in the caches.
/// </summary>
internal abstract class TimedSubject : IDisposable
{
    /// <summary>What is computed, and by how many bits of the key.</summary>
    public required string Name { get; init; }

    /// <summary>What the data of the first class are; those of the second are random.</summary>
    public required string FirstClass { get; init; }

    /// <summary>Whether it leaks by intention, so that the test can be seen to work.</summary>
    public bool IsControl { get; init; }

    /// <summary>Computations of one measurement: so many that the clock's resolution does not matter.</summary>
    public virtual int Repeat => 1;

    /// <summary>Draws data of a class into a slot.</summary>
    public abstract void Draw(int slot, bool isRandom);

    /// <summary>Brings the data of a slot to where they are computed with.</summary>
    public abstract void Load(int slot);

    /// <summary>Computes; this is what is timed.</summary>
    public abstract void Compute();

    /// <summary>Throws when the last computation did not end as it must: then nothing was measured.</summary>
    public virtual void Check()
    {
    }

    public abstract void Dispose();
}
