namespace WarpProxy.LoadTest.Measurement;

/// <summary>How often each kind of error was met. Errors are rare: a lock is cheap enough.</summary>
internal sealed class ErrorCounts
{
    private readonly Lock _gate = new();
    private readonly Dictionary<LoadError, long> _counts = [];

    /// <summary>All of them.</summary>
    public long Total
    {
        get
        {
            lock (_gate)
            {
                return _counts.Values.Sum();
            }
        }
    }

    public void Count(LoadError error) => Add(error, 1);

    public void Add(ErrorCounts other)
    {
        foreach ((LoadError error, long count) in other.Snapshot())
        {
            Add(error, count);
        }
    }

    /// <summary>By kind in words, the most frequent first.</summary>
    public IReadOnlyDictionary<string, long> ByKind() =>
        new Dictionary<string, long>(Snapshot()
            .GroupBy(static pair => pair.Key.ToString(), static pair => pair.Value)
            .Select(static kind => KeyValuePair.Create(kind.Key, kind.Sum()))
            .OrderByDescending(static kind => kind.Value));

    private void Add(LoadError error, long count)
    {
        lock (_gate)
        {
            _counts[error] = _counts.GetValueOrDefault(error) + count;
        }
    }

    private KeyValuePair<LoadError, long>[] Snapshot()
    {
        lock (_gate)
        {
            return [.. _counts];
        }
    }
}
