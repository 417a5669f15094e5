namespace WarpProxy.Admission;

/// <summary>How many there are of something of which there may be only so many. Any thread.</summary>
internal sealed class BoundedCount(int limit)
{
    private volatile int _limit = limit;
    private int _value;

    /// <summary>The most there may be. A lower one than before sends nobody away.</summary>
    public int Limit
    {
        get => _limit;
        set => _limit = value;
    }

    /// <summary>How many there are.</summary>
    /// <remarks>One more for the moment in which one is refused.</remarks>
    public int Value => Volatile.Read(ref _value);

    /// <summary>Counts one more; false when there are as many as there may be.</summary>
    public bool TryAdd()
    {
        // Atomic, and nothing else is published by it.
        if (Interlocked.Increment(ref _value) <= _limit)
        {
            return true;
        }

        Interlocked.Decrement(ref _value);
        return false;
    }

    /// <summary>Counts one less, once for each that was added.</summary>
    public void Remove() => Interlocked.Decrement(ref _value);
}
