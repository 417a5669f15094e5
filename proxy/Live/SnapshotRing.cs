namespace WarpProxy.Live;

/// <summary>The last so many moments, so that what came since the oldest can be told. Made at the start, never grown. One thread at a time.</summary>
internal sealed class SnapshotRing
{
    private readonly StatisticsSnapshot[] _snapshots;
    private int _latest;
    private int _count = 1;

    /// <summary>Begins with one moment, at which nothing was counted.</summary>
    /// <param name="intervals">How many intervals lie between the oldest and the latest when it is full.</param>
    public SnapshotRing(int intervals)
    {
        _snapshots = [.. Enumerable.Range(0, intervals + 1).Select(static _ => new StatisticsSnapshot())];
    }

    /// <summary>The first of those that are kept.</summary>
    public StatisticsSnapshot Oldest => _snapshots[(_latest - _count + 1 + _snapshots.Length) % _snapshots.Length];

    /// <summary>Keeps another moment, and forgets the oldest when there is no more room.</summary>
    public void Add(StatisticsSnapshot now)
    {
        _latest = (_latest + 1) % _snapshots.Length;
        _count = Math.Min(_count + 1, _snapshots.Length);
        _snapshots[_latest].CopyFrom(now);
    }

    /// <summary>Begins again with one moment.</summary>
    public void Begin(StatisticsSnapshot now)
    {
        _latest = 0;
        _count = 1;
        _snapshots[0].CopyFrom(now);
    }
}
