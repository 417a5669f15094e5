namespace WarpProxy.Admission;

/// <summary>Connections that were refused since the start, by reason: counted, since nothing is logged for each. Any thread.</summary>
/// <param name="all">What counts the same for more than this one; null: nothing does.</param>
internal sealed class RefusalCounters(RefusalCounters? all = null)
{
    private readonly long[] _counts = new long[Enum.GetValues<RefusalReason>().Length];

    /// <summary>How many for this reason.</summary>
    public long Count(RefusalReason reason) => Interlocked.Read(ref _counts[(int)reason]);

    // Each counts alone; no order between them is promised, so the atomic increment is all that is needed.
    internal void Add(RefusalReason reason)
    {
        Interlocked.Increment(ref _counts[(int)reason]);
        all?.Add(reason);
    }
}
