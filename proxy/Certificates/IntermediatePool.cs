namespace WarpProxy.Certificates;

/// <summary>Intermediate certificates, of which many certificates send the same: each is kept once, as long as somebody has it. Any thread.</summary>
internal sealed class IntermediatePool
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, List<WeakReference<byte[]>>> _known = [];     // by hash code; under _gate

    /// <summary>The one that was given first among equals.</summary>
    /// <param name="der">Never changed afterwards.</param>
    public byte[] Share(byte[] der)
    {
        var hash = default(HashCode);
        hash.AddBytes(der);
        lock (_gate)
        {
            if (!_known.TryGetValue(hash.ToHashCode(), out List<WeakReference<byte[]>>? same))
            {
                _known[hash.ToHashCode()] = same = [];
            }

            same.RemoveAll(static one => !one.TryGetTarget(out _));
            foreach (WeakReference<byte[]> one in same)
            {
                if (one.TryGetTarget(out byte[]? known) && known.AsSpan().SequenceEqual(der))
                {
                    return known;
                }
            }

            same.Add(new WeakReference<byte[]>(der));
            return der;
        }
    }
}
