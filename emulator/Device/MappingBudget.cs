namespace WarpDrive.Emulator;

/// <summary>How many bytes all queues of a device may have mapped together. Any thread.</summary>
internal sealed class MappingBudget
{
    private readonly long _max;
    private long _mapped;

    /// <summary>A budget of which nothing is used.</summary>
    public MappingBudget(long maxBytes) => _max = maxBytes;

    /// <summary>Bytes that are mapped.</summary>
    public long MappedBytes => Volatile.Read(ref _mapped);

    /// <summary>Takes its share for a mapping; false: not so much is left.</summary>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _mapped, bytes) <= _max)
        {
            return true;
        }

        Return(bytes);
        return false;
    }

    /// <summary>A mapping is gone.</summary>
    public void Return(long bytes) => Interlocked.Add(ref _mapped, -bytes);
}
