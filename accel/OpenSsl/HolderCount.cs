namespace WarpDrive.OpenSsl;

/// <summary>
/// Counts who holds a secret: its owner, and those who use it just now. Whoever leaves last zeroes it, and from then on nobody comes back. A field, never
/// copied. Any thread.
/// </summary>
internal struct HolderCount
{
    private int _count;

    /// <summary>With the owner.</summary>
    public HolderCount() => _count = 1;

    /// <summary>One more, until <see cref="Leave"/>. False when the secret is gone, or about to go.</summary>
    public bool TryEnter()
    {
        int count = Volatile.Read(ref _count);      // a guess, which the exchange confirms
        while (count > 0)
        {
            // Never from zero: whoever brought it there is zeroing the secret. The exchange is a full barrier, so none of it is read before.
            int seen = Interlocked.CompareExchange(ref _count, count + 1, count);
            if (seen == count)
            {
                return true;
            }

            count = seen;
        }

        return false;
    }

    /// <summary>Once for the owner and for each <see cref="TryEnter"/> that was true. True: the caller was the last, and zeroes.</summary>
    /// <remarks>A full barrier: what the others read, they read before.</remarks>
    public bool Leave() => Interlocked.Decrement(ref _count) == 0;
}
